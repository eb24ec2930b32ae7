/* heat.c - time from left to right, addresses from top to bottom: how much of
 * each stretch of pages was touched. Its size is fixed; when a run has more
 * samples or addresses than it has places, neighbours become one.
 */
#include "memidle.h"

enum { ROWS = 1024, COLS = 512, HASH = 4096, NAME = 24, SPREAD = 256 };

struct row {
	u64 key;		/* pid << 40 | page number / unit */
	u64 vma;		/* first page of the first VMA in it */
	u32 active, present;	/* in the column that is being made */
	char name[NAME];	/* of that VMA: its end */
	u8 cells[COLS];		/* 0 nothing there, 1 idle .. 255 all active */
};

static struct arena arena;
static struct row *rows;
static u16 *table;		/* hash: index + 1 */
static unsigned row_count, col_count;
static u64 unit = 1;		/* pages of a row */
static u64 stride = 1;		/* samples of a column */
static u64 in_column;		/* samples in the one being made */
static u64 last_time, pages_at_first;
static int runs_seen, sorted;
static const struct mapping *current;

#define KEY(pid, at) ((u64)(unsigned)(pid) << 40 | (at))
#define KEY_AT(key) ((key) & ((1ull << 40) - 1))
#define KEY_PID(key) ((int)((key) >> 40))

void
heat_open(u64 pages)
{
	pages_at_first = pages;
	while (pages / unit > ROWS / 2)
		unit *= 2;
	if (arena_open(&arena, ROWS * sizeof(*rows) +
			HASH * sizeof(*table) + 64) < 0)
		die("memory for the heat map:");
	rows = arena_take(&arena, ROWS * sizeof(*rows));
	table = arena_take(&arena, HASH * sizeof(*table));
}

/* What is going to be used when the pages lie dense; arena.size at most. */
u64
heat_memory(void)
{
	return arena.size ? (pages_at_first / unit + 1) * sizeof(*rows) +
		HASH * sizeof(*table) : 0;
}

/* ---- rows ---- */

static int
row_order(const void *a, const void *b, const void *arg)
{
	const struct row *x = a, *y = b;

	(void)arg;
	return x->key < y->key ? -1 : x->key > y->key;
}

static u16 *
slot_of(u64 key)
{
	u64 at = key * 0x9e3779b97f4a7c15u >> 32;

	for (;; at++) {
		u16 *slot = &table[at & (HASH - 1)];

		if (!*slot || rows[*slot - 1].key == key)
			return slot;
	}
}

static void
hash_rows(void)
{
	unsigned i;

	memset(table, 0, HASH * sizeof(*table));
	for (i = 0; i < row_count; i++)
		*slot_of(rows[i].key) = (u16)(i + 1);
}

static u8
cell_merge(u8 a, u8 b)
{
	return !a ? b : !b ? a : (u8)((a + b + 1) / 2);
}

static void
row_merge(struct row *to, const struct row *from)
{
	unsigned i;

	to->active += from->active;
	to->present += from->present;
	for (i = 0; i < COLS; i++)
		to->cells[i] = cell_merge(to->cells[i], from->cells[i]);
}

/* Rows twice as high. */
static void
coarsen(void)
{
	unsigned i, n = 0;

	sort_items(rows, row_count, sizeof(*rows), row_order, NULL);
	unit *= 2;
	for (i = 0; i < row_count; i++) {
		u64 key = rows[i].key;

		key = KEY(KEY_PID(key), KEY_AT(key) / 2);
		if (n && rows[n - 1].key == key) {
			row_merge(&rows[n - 1], &rows[i]);
			continue;
		}
		if (n != i)
			memcpy(&rows[n], &rows[i], sizeof(*rows));
		rows[n++].key = key;
	}
	memset(&rows[n], 0, (row_count - n) * sizeof(*rows));
	row_count = n;
	hash_rows();
}

static void
row_name(struct row *row)
{
	size_t n = current->name_len;
	const char *s = current->name;

	row->vma = current->start;
	if (n >= NAME) {
		s += n - (NAME - 1);
		n = NAME - 1;
	}
	memcpy(row->name, s, n);
}

static struct row *
row_of(u64 vpn)
{
	u64 key = KEY(current->pid, vpn / unit);
	u16 *slot = slot_of(key);

	if (*slot)
		return &rows[*slot - 1];
	if (row_count == ROWS) {
		coarsen();
		/* many processes with a page each: their last ones are lost */
		if (row_count == ROWS)
			return NULL;
		return row_of(vpn);
	}
	*slot = (u16)++row_count;
	rows[row_count - 1].key = key;
	row_name(&rows[row_count - 1]);
	return &rows[row_count - 1];
}

/* ---- a sample ---- */

void
heat_begin(u64 time)
{
	last_time = time;
}

void
heat_region(const struct mapping *r)
{
	current = r;
	runs_seen = 0;
}

void
heat_run(u64 vpn, u64 count, enum page_state state)
{
	int active = state == PAGE_ACTIVE || state == PAGE_WRITTEN;
	u64 n;

	runs_seen = 1;
	if (state == PAGE_SWAP)
		return;
	for (; count; count -= n, vpn += n) {
		struct row *row = row_of(vpn);

		/* after row_of: it may change the unit */
		n = unit - vpn % unit;
		if (n > count)
			n = count;
		if (!row)
			continue;
		row->present += (u32)n;
		row->active += active ? (u32)n : 0;
	}
}

/* A backend that sees no pages: what is touched is spread over the VMA. */
void
heat_region_end(const struct mapping *r)
{
	u64 step, at;

	if (runs_seen || !r->n.present)
		return;
	step = unit;
	while (r->pages / step > SPREAD)
		step *= 2;
	for (at = 0; at < r->pages; at += step) {
		struct row *row = row_of(r->start + at);

		if (!row)
			continue;
		row->present += 1000;
		row->active += (u32)(r->n.active * 1000 / r->n.present);
	}
}

static void
close_column(void)
{
	unsigned i;

	for (i = 0; i < row_count; i++) {
		struct row *row = &rows[i];

		if (row->present)
			row->cells[col_count] = (u8)(1 +
				(u64)row->active * 254 / row->present);
		row->active = row->present = 0;
	}
	col_count++;
	in_column = 0;
}

/* Columns twice as wide. */
static void
halve_columns(void)
{
	unsigned i, c;

	for (i = 0; i < row_count; i++) {
		u8 *cells = rows[i].cells;

		for (c = 0; c < COLS / 2; c++)
			cells[c] = cell_merge(cells[2 * c], cells[2 * c + 1]);
		memset(cells + COLS / 2, 0, COLS / 2);
	}
	col_count = COLS / 2;
	stride *= 2;
}

void
heat_end(void)
{
	if (++in_column < stride)
		return;
	close_column();
	if (col_count == COLS)
		halve_columns();
}

/* What is shown is what came to its end; nothing is added after this. */
static void
finish(void)
{
	if (in_column)
		close_column();
	if (!sorted)
		sort_items(rows, row_count, sizeof(*rows), row_order, NULL);
	sorted = 1;
}

static int
same_vma(const struct row *a, const struct row *b)
{
	return a->vma == b->vma && KEY_PID(a->key) == KEY_PID(b->key);
}

/* ---- on the terminal ---- */

enum { LINES = 40, LABEL = 30 };

/* The mean of some cells of some rows. */
static unsigned
mean(unsigned row, unsigned nrows, unsigned col, unsigned ncols)
{
	unsigned sum = 0, n = 0, i, c;

	for (i = row; i < row + nrows; i++)
		for (c = col; c < col + ncols && c < col_count; c++)
			if (rows[i].cells[c]) {
				sum += rows[i].cells[c];
				n++;
			}
	return n ? (sum + n / 2) / n : 0;
}

static void
print_line(struct out *o, unsigned row, unsigned n, int border, unsigned wide)
{
	static const char ramp[] = ".:-=o*#%@";
	const struct row *r = &rows[row];
	char label[48];
	unsigned c, v;
	int len;

	len = fmt_str(label, sizeof(label), "%012zx",
		(size_t)(KEY_AT(r->key) * unit << page_shift));
	out_put(o, label, len);
	out_char(o, ' ');
	len = border ? (int)strnlen(r->name, LABEL - 14) : 0;
	out_escaped(o, r->name + strlen(r->name) - len, len);
	out_pad(o, LABEL - 14 - len);
	out_char(o, border ? '+' : '|');
	for (c = 0; c < col_count; c += wide) {
		v = mean(row, n, c, wide);
		out_char(o, v ? ramp[(v - 1) * 8 / 254] : ' ');
	}
	out_str(o, border ? "+\n" : "|\n");
}

static unsigned
group_end(unsigned row)
{
	unsigned i = row + 1;

	while (i < row_count && same_vma(&rows[row], &rows[i]))
		i++;
	return i;
}

/* A VMA gets lines of its own when it is as high as a line; small ones that
 * follow each other share one. */
static void
print_rows(struct out *o, unsigned high, unsigned wide)
{
	unsigned i, n, end = 0;

	for (i = 0; i < row_count; i += n) {
		int border = i >= end;

		if (border)
			end = group_end(i);
		n = high;
		if (end - i >= high || end - i > 1) {
			if (n > end - i)
				n = end - i;
		} else {
			while (end - i < high && end < row_count &&
			       group_end(end) - end < high)
				end = group_end(end);
			if (n > end - i)
				n = end - i;
		}
		print_line(o, i, n, border, wide);
	}
}

void
heat_print(struct out *o)
{
	int cols, lines;
	unsigned wide, high;
	char size[FMT_SIZE_MAX], time[FMT_FIXED_MAX];

	finish();
	if (!row_count)
		return;
	term_size(1, &cols, &lines);
	cols -= LABEL + 2;
	if (cols < 16)
		cols = 16;
	wide = (col_count + (unsigned)cols - 1) / (unsigned)cols;
	high = (row_count + LINES - 1) / LINES;
	out_char(o, '\n');
	print_rows(o, high, wide);
	out_fmt(o, "one line: %s; one column: %lu sample%s; ",
		fmt_size(size, high * unit << page_shift), wide * stride,
		wide * stride == 1 ? "" : "s");
	out_fmt(o, "from 0 to %s s; . idle, @ touched throughout\n",
		fmt_fixed(time, last_time / 10000000, 2));
}

/* ---- as a picture ---- */

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

static struct png png;
static u8 pixels[WIDTH_MAX];
static unsigned width, dx, dy;

static void
draw_cells(const struct row *r)
{
	unsigned c;

	for (c = 0; c < col_count; c++)
		memset(pixels + MARGIN + c * dx, cell_color(r->cells[c]), dx);
}

/* A line between VMAs; names stand where there is height for them. */
static int
draw_rows(void)
{
	unsigned i, y, line = 0;
	const struct row *named = NULL;
	int failed = 0;

	for (i = 0; i < row_count; i++)
		for (y = 0; y < dy; y++) {
			int border = !y && i &&
				!same_vma(&rows[i], &rows[i - 1]);

			memset(pixels, COLOR_BACK, width);
			if (border)
				memset(pixels, COLOR_BORDER, width);
			else
				draw_cells(&rows[i]);
			if ((border || (!i && !y)) && line == 0 &&
			    (group_end(i) - i) * dy >= FONT_HEIGHT) {
				named = &rows[i];
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
		fmt_fixed(time, last_time / 10000000, 2),
		fmt_size(size, unit << page_shift));
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
		"left %u unit %lu stride %lu", col_count, dx, row_count, dy,
		MARGIN, unit << page_shift, stride);
	png_text(&png, "membox-heat", text);
}

int
heat_png(const char *path)
{
	static struct outfile f;
	static u8 palette[COLORS][3];
	static struct out o;

	finish();
	if (!row_count)
		return warn("%s: not written: there was no sample", path);
	if (outfile_open(&f, path, OUTFILE_ANYFS |
			(idle.force ? OUTFILE_FORCE : 0)) < 0)
		return 1;
	out_open(&o, f.fd);
	dx = col_count > COLS / 2 ? 2 : 512 / col_count;
	if (dx > 16)
		dx = 16;
	dy = row_count > 256 ? 1 : 512 / row_count;
	if (dy > 12)
		dy = 12;
	width = MARGIN + col_count * dx;
	if (width < MARGIN + 160)
		width = MARGIN + 160;
	palette_fill(palette);
	if (png_open(&png, &o, width, row_count * dy + FOOT,
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
