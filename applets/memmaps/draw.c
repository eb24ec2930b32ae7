/* draw.c - a picture with its title, addresses above the blocks and a legend,
 * row by row into a PNG; or in half-block characters on a terminal. */
#include "picture.h"

enum {
	PICTURE_PIXELS = 4 << 20,
	WIDTH_LEAST = 600,	/* room for the text */
	SWATCH = 10,		/* dots, of the legend's squares */
	LEGEND_COLUMN = 42,	/* letters */
	GAP = 2,		/* dots */
};

unsigned
shade_add(struct picture *p, const char *name, u32 rgb, char letter)
{
	struct shade *s;

	while (p->count < SHADES) {	/* the ground and the ink */
		u8 v = p->count == INK ? 0xd8 : 0x10;

		s = &p->shades[p->count++];
		memset(s->rgb, v, 3);
		s->letter = ' ';
	}
	if (p->count == PALETTE_MAX)
		return PALETTE_MAX - 1;
	s = &p->shades[p->count];
	s->rgb[0] = (u8)(rgb >> 16);
	s->rgb[1] = (u8)(rgb >> 8);
	s->rgb[2] = (u8)rgb;
	s->letter = letter;
	fmt_str(s->name, sizeof(s->name), "%s", name);
	return p->count++;
}

/* ---- PNG ---- */

static struct {
	struct png png;
	u8 *row;
	u32 width;
	unsigned scale;		/* of the text */
	int failed;
} d;

static void
put_row(void)
{
	d.failed |= png_row(&d.png, d.row);
}

static void
clear_row(void)
{
	memset(d.row, BACKGROUND, d.width);
}

static unsigned
line_height(void)
{
	return FONT_HEIGHT * d.scale + GAP;
}

static void
put_title(const struct picture *p)
{
	unsigned y;

	for (y = 0; y < line_height(); y++) {
		clear_row();
		if (y >= GAP)
			font_row(d.row, d.width, 2, p->title, y - GAP, d.scale,
				INK);
		put_row();
	}
}

/* The addresses at which this row's blocks begin; as many as have room. */
static void
put_ticks(const struct picture *p, u32 block_row)
{
	const struct canvas *c = &p->canvas;
	char text[32];
	u32 side = 1u << c->shift, column, free;
	unsigned y;

	for (y = 0; y < line_height(); y++) {
		clear_row();
		for (column = free = 0; y >= GAP && column < c->columns;
		     column++) {
			u64 at = ((u64)block_row * c->columns + column) <<
				2 * c->shift;

			if (column * side < free || at >= c->pixels)
				continue;
			fmt_str(text, sizeof(text), "|%lx", p->address(at));
			font_row(d.row, d.width, column * side, text, y - GAP,
				d.scale, INK);
			free = column * side + (u32)(strlen(text) + 1) *
				FONT_WIDTH * d.scale;
		}
		put_row();
	}
}

static void
put_pixels(const struct picture *p)
{
	const struct canvas *c = &p->canvas;
	u32 x, y;

	for (y = 0; y < c->height; y++) {
		if (!(y & ((1u << c->shift) - 1)))
			put_ticks(p, y >> c->shift);
		clear_row();
		for (x = 0; x < c->width; x++) {
			s64 at = canvas_at(c, x, y);

			if (at != CANVAS_NONE)
				d.row[x] = p->pixels[at];
		}
		put_row();
	}
}

static unsigned
legend_columns(void)
{
	unsigned n = d.width / (LEGEND_COLUMN * FONT_WIDTH * d.scale);

	return n ? n : 1;
}

static void
legend_text(const struct shade *s, char *text, size_t n)
{
	char size[FMT_SIZE_MAX];

	fmt_str(text, n, "%10s  %s", fmt_size(size, s->bytes), s->name);
}

/* Dot row y of one entry: a square of its colour, the size, the name. */
static void
legend_entry(const struct picture *p, unsigned i, u32 x, unsigned y)
{
	char text[FMT_SIZE_MAX + NAME_MAX_];
	unsigned side = SWATCH * d.scale;

	if (y >= FONT_HEIGHT * d.scale)
		return;
	if (x + side < d.width)
		memset(d.row + x + GAP, (int)i, side - GAP);
	legend_text(&p->shades[i], text, sizeof(text));
	font_row(d.row, d.width, x + side, text, y, d.scale, INK);
}

static unsigned
legend_lines(const struct picture *p)
{
	unsigned columns = legend_columns();

	return (p->count - SHADES + columns - 1) / columns;
}

static void
put_legend(const struct picture *p)
{
	unsigned columns = legend_columns(), lines = legend_lines(p);
	unsigned line, y, k, i;

	for (line = 0; line < lines; line++)
		for (y = 0; y < line_height(); y++) {
			clear_row();
			for (k = 0; y >= GAP && k < columns; k++) {
				i = SHADES + line * columns + k;
				if (i < p->count)
					legend_entry(p, i, k * LEGEND_COLUMN *
						FONT_WIDTH * d.scale, y - GAP);
			}
			put_row();
		}
}

int
draw_png(const struct picture *p)
{
	const struct canvas *c = &p->canvas;
	static struct arena arena;
	u8 palette[PALETTE_MAX][3];
	unsigned i;
	u32 height;

	d.width = c->width < WIDTH_LEAST ? WIDTH_LEAST : c->width;
	d.scale = d.width < 1400 ? 1 : 2;
	height = c->height + line_height() * (1 + c->rows + legend_lines(p));
	if (arena_open(&arena, d.width) < 0)
		return -1;
	d.row = arena.base;
	for (i = 0; i < p->count; i++)
		memcpy(palette[i], p->shades[i].rgb, 3);
	if (png_open(&d.png, &report, d.width, height,
	    (const void *)palette, p->count) < 0)
		return -1;
	png_text(&d.png, "Title", p->title);
	png_text(&d.png, "Software", "membox");
	put_title(p);
	put_pixels(p);
	put_legend(p);
	arena_close(&arena);
	return d.failed ? -1 : png_close(&d.png);
}

/* ---- terminal ---- */

static void
set_color(const char *what, const u8 *rgb)
{
	out_fmt(&report, "\033[%s;2;%u;%u;%um", what, rgb[0], rgb[1], rgb[2]);
}

static u8
shade_at(const struct picture *p, u32 x, u32 y)
{
	s64 at = y < p->canvas.height ? canvas_at(&p->canvas, x, y)
		: CANVAS_NONE;

	return at == CANVAS_NONE ? BACKGROUND : p->pixels[at];
}

/* Two rows of pixels: the upper half is the character, the lower its ground.
 * Colours are sent when they change. */
static void
half_blocks(const struct picture *p, u32 y)
{
	int top = -1, bottom = -1;
	u32 x;

	for (x = 0; x < p->canvas.width; x++) {
		u8 a = shade_at(p, x, y), b = shade_at(p, x, y + 1);

		if (a != top)
			set_color("38", p->shades[a].rgb);
		if (b != bottom)
			set_color("48", p->shades[b].rgb);
		top = a;
		bottom = b;
		out_str(&report, "\xe2\x96\x80");	/* U+2580 */
	}
	out_str(&report, "\033[0m\n");
}

static void
letters(const struct picture *p, u32 y)
{
	u32 x;

	for (x = 0; x < p->canvas.width; x++)
		out_char(&report, p->shades[shade_at(p, x, y)].letter);
	out_char(&report, '\n');
}

int
draw_term(const struct picture *p)
{
	int color = term_color(1);
	char text[FMT_SIZE_MAX + NAME_MAX_];
	unsigned i;
	u32 y;

	out_escaped(&report, p->title, strlen(p->title));
	out_char(&report, '\n');
	for (y = 0; y < p->canvas.height; y += 1 + color)
		if (color)
			half_blocks(p, y);
		else
			letters(p, y);
	for (i = SHADES; i < p->count; i++) {
		legend_text(&p->shades[i], text, sizeof(text));
		if (color)
			set_color("38", p->shades[i].rgb);
		out_fmt(&report, "%s%s ", color ? "\xe2\x96\x88\xe2\x96\x88"
			: (char[2]){ p->shades[i].letter },
			color ? "\033[0m" : "");
		out_escaped(&report, text, strlen(text));
		out_char(&report, '\n');
	}
	return 0;
}

/* ---- scale ---- */

u32
picture_width(void)
{
	int columns, rows;

	term_size(1, &columns, &rows);
	return picture_ask.term ? (u32)columns : 0;
}

static int
fits_term(u64 pixels)
{
	struct canvas c;
	int columns, rows;

	term_size(1, &columns, &rows);
	canvas_fit(&c, pixels, (u32)columns);
	rows = (rows > 16 ? rows - 8 : 8) * (1 + term_color(1));
	return c.width <= (u32)columns && c.height <= (u32)rows;
}

u64
picture_scale(u64 pages)
{
	u64 scale = picture_ask.scale ? picture_ask.scale : 1;

	if (picture_ask.scale)
		return scale;
	while (picture_ask.term ? !fits_term(pages / scale)
	       : pages / scale > PICTURE_PIXELS)
		scale += scale < 8 || !picture_ask.term ? scale : scale / 8;
	return scale;
}
