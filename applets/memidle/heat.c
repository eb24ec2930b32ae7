/* heat.c - time from left to right, addresses from top to bottom: how much of
 * each stretch of pages was touched. Its size is fixed; when a run has more
 * samples or addresses than it has places, neighbours become one.
 */
#include "heat.h"

enum { ROWS = 1024, HASH = 4096, SPREAD = 256 };

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

/* ---- for those who draw ---- */

const struct heat_map *
heat_finish(void)
{
	static struct heat_map map;

	if (in_column)
		close_column();
	if (!sorted)
		sort_items(rows, row_count, sizeof(*rows), row_order, NULL);
	sorted = 1;
	map = (struct heat_map){ rows, row_count, col_count, unit, stride,
		last_time };
	return &map;
}

int
same_vma(const struct row *a, const struct row *b)
{
	return a->vma == b->vma && KEY_PID(a->key) == KEY_PID(b->key);
}

unsigned
group_end(unsigned row)
{
	unsigned i = row + 1;

	while (i < row_count && same_vma(&rows[row], &rows[i]))
		i++;
	return i;
}
