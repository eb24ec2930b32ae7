/* heat_term.c - the heat map on the terminal. */
#include "heat.h"

enum { LINES = 40, LABEL = 30 };

static const struct heat_map *map;

/* The mean of some cells of some rows. */
static unsigned
mean(unsigned row, unsigned nrows, unsigned col, unsigned ncols)
{
	unsigned sum = 0, n = 0, i, c;

	for (i = row; i < row + nrows; i++)
		for (c = col; c < col + ncols && c < map->col_count; c++)
			if (map->rows[i].cells[c]) {
				sum += map->rows[i].cells[c];
				n++;
			}
	return n ? (sum + n / 2) / n : 0;
}

static void
print_line(struct out *o, unsigned row, unsigned n, int border, unsigned wide)
{
	static const char ramp[] = ".:-=o*#%@";
	const struct row *r = &map->rows[row];
	char label[48];
	unsigned c, v;
	int len;

	len = fmt_str(label, sizeof(label), "%012zx",
		(size_t)(KEY_AT(r->key) * map->unit << page_shift));
	out_put(o, label, len);
	out_char(o, ' ');
	len = border ? (int)strnlen(r->name, LABEL - 14) : 0;
	out_escaped(o, r->name + strlen(r->name) - len, len);
	out_pad(o, LABEL - 14 - len);
	out_char(o, border ? '+' : '|');
	for (c = 0; c < map->col_count; c += wide) {
		v = mean(row, n, c, wide);
		out_char(o, v ? ramp[(v - 1) * 8 / 254] : ' ');
	}
	out_str(o, border ? "+\n" : "|\n");
}

/* A VMA gets lines of its own when it is as high as a line; small ones that
 * follow each other share one. */
static void
print_rows(struct out *o, unsigned high, unsigned wide)
{
	unsigned i, n, end = 0;

	for (i = 0; i < map->row_count; i += n) {
		int border = i >= end;

		if (border)
			end = group_end(i);
		n = high;
		if (end - i >= high || end - i > 1) {
			if (n > end - i)
				n = end - i;
		} else {
			while (end - i < high && end < map->row_count &&
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

	map = heat_finish();
	if (!map->row_count)
		return;
	term_size(1, &cols, &lines);
	cols -= LABEL + 2;
	if (cols < 16)
		cols = 16;
	wide = (map->col_count + (unsigned)cols - 1) / (unsigned)cols;
	high = (map->row_count + LINES - 1) / LINES;
	out_char(o, '\n');
	print_rows(o, high, wide);
	out_fmt(o, "one line: %s; one column: %lu sample%s; ",
		fmt_size(size, high * map->unit << page_shift),
		wide * map->stride, wide * map->stride == 1 ? "" : "s");
	out_fmt(o, "from 0 to %s s; . idle, @ touched throughout\n",
		fmt_fixed(time, map->last_time / 10000000, 2));
}
