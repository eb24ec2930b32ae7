/* heat_png.c - the heat map as a PNG. */
#include "heat.h"

enum {
	COLOR_BACK, COLOR_TEXT, COLOR_BORDER, COLOR_HEAT, HEATS = 60,
	COLORS = COLOR_HEAT + HEATS,
	MARGIN = NAME * FONT_WIDTH + 6, FOOT = 2 * FONT_HEIGHT,
	WIDTH_MAX = MARGIN + 2 * COLS,
};

/* From dark blue over red to light yellow. */
static void
palette_fill(u8 (*p)[3])
{
	static const u8 stops[][3] = {
		{ 20, 20, 60 }, { 90, 20, 120 }, { 200, 50, 60 },
		{ 250, 150, 30 }, { 255, 250, 170 },
	};
	unsigned i, k;

	memcpy(p[COLOR_BACK], "\xff\xff\xff", 3);
	memcpy(p[COLOR_TEXT], "\0\0\0", 3);
	memcpy(p[COLOR_BORDER], "\xa0\xa0\xa0", 3);
	for (i = 0; i < HEATS; i++) {
		unsigned at = i * 4 * 256 / (HEATS - 1), s = at / 256;

		if (s == 4)
			s = 3;
		for (k = 0; k < 3; k++)
			p[COLOR_HEAT + i][k] = (u8)((stops[s][k] *
				(256 - (at - s * 256)) + stops[s + 1][k] *
				(at - s * 256)) / 256);
	}
}

static u8
cell_color(u8 cell)
{
	return cell ? (u8)(COLOR_HEAT + (cell - 1) * (HEATS - 1) / 254)
		: COLOR_BACK;
}

/* The VMA's name, or where it begins. */
static const char *
label_of(const struct row *r)
{
	static char text[NAME];

	if (*r->name)
		return r->name;
	fmt_str(text, sizeof(text), "%zx", (size_t)(r->vma << page_shift));
	return text;
}

static const struct heat_map *map;
static struct png png;
static u8 pixels[WIDTH_MAX];
static unsigned width, dx, dy;

static void
draw_cells(const struct row *r)
{
	unsigned c;

	for (c = 0; c < map->col_count; c++)
		memset(pixels + MARGIN + c * dx, cell_color(r->cells[c]), dx);
}

/* A line between VMAs; names stand where there is height for them. */
static int
draw_rows(void)
{
	unsigned i, y, line = 0;
	const struct row *named = NULL;
	int failed = 0;

	for (i = 0; i < map->row_count; i++)
		for (y = 0; y < dy; y++) {
			int border = !y && i &&
				!same_vma(&map->rows[i], &map->rows[i - 1]);

			memset(pixels, COLOR_BACK, width);
			if (border)
				memset(pixels, COLOR_BORDER, width);
			else
				draw_cells(&map->rows[i]);
			if ((border || (!i && !y)) && line == 0 &&
			    (group_end(i) - i) * dy >= FONT_HEIGHT) {
				named = &map->rows[i];
				line = FONT_HEIGHT + 1;
			}
			if (line && --line < FONT_HEIGHT)
				font_row(pixels, MARGIN, 2, label_of(named),
					FONT_HEIGHT - 1 - line, 1, COLOR_TEXT);
			failed |= png_row(&png, pixels);
		}
	return failed;
}

static int
draw_foot(void)
{
	char text[96], size[FMT_SIZE_MAX], time[FMT_FIXED_MAX];
	unsigned y;
	int failed = 0;

	fmt_str(text, sizeof(text), "0 .. %s s, %s a row",
		fmt_fixed(time, map->last_time / 10000000, 2),
		fmt_size(size, map->unit << page_shift));
	for (y = 0; y < FOOT; y++) {
		memset(pixels, COLOR_BACK, width);
		if (y >= FONT_HEIGHT / 2 && y < FONT_HEIGHT / 2 + FONT_HEIGHT)
			font_row(pixels, width, 2, text, y - FONT_HEIGHT / 2,
				1, COLOR_TEXT);
		failed |= png_row(&png, pixels);
	}
	return failed;
}

/* Where the cells are, for programs: "columns C width DX rows R height DY left
 * X unit BYTES stride SAMPLES". */
static void
describe(void)
{
	char text[160];

	fmt_str(text, sizeof(text), "columns %u width %u rows %u height %u "
		"left %u unit %lu stride %lu", map->col_count, dx,
		map->row_count, dy, MARGIN, map->unit << page_shift,
		map->stride);
	png_text(&png, "membox-heat", text);
}

int
heat_png(const char *path)
{
	static struct outfile f;
	static u8 palette[COLORS][3];
	static struct out o;

	map = heat_finish();
	if (!map->row_count)
		return warn("%s: not written: there was no sample", path);
	if (outfile_open(&f, path, OUTFILE_ANYFS |
			(idle.force ? OUTFILE_FORCE : 0)) < 0)
		return 1;
	out_open(&o, f.fd);
	dx = map->col_count > COLS / 2 ? 2 : 512 / map->col_count;
	if (dx > 16)
		dx = 16;
	dy = map->row_count > 256 ? 1 : 512 / map->row_count;
	if (dy > 12)
		dy = 12;
	width = MARGIN + map->col_count * dx;
	if (width < MARGIN + 160)
		width = MARGIN + 160;
	palette_fill(palette);
	if (png_open(&png, &o, width, map->row_count * dy + FOOT,
			(const u8 (*)[3])palette, COLORS) < 0)
		goto bad;
	describe();
	if (draw_rows() || draw_foot() || png_close(&png) < 0 ||
	    out_flush(&o) < 0)
		goto bad;
	return outfile_commit(&f) < 0;
bad:
	warn("write %s:", path);
	outfile_abort(&f);
	return 1;
}
