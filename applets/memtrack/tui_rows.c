/* tui_rows.c - what the live view shows: tasks or modules and the trees that
 * are open below them, and how fast they grow.
 */
#include "memtrack.h"
#include "tui.h"

enum {
	OPEN_MAX = 512,
	PEAK_SHOWN = 256,	/* pages: of what holds none now */
	RESOLVE_EVERY = 5,	/* refreshes, while trees are open */
};

struct row rows[ROWS_MAX];
u32 row_count;
u64 history[HISTORY];
u32 history_count;

static u64 opened[OPEN_MAX];	/* paths of what is unfolded */
static u32 open_count;
static u64 before[2][ROWS_MAX];	/* live at the last refresh, by index */
static s64 rates[2][ROWS_MAX];

static u64
mix(u64 path, u64 part)
{
	return (path ^ part) * 0x9e3779b97f4a7c15 + 1;
}

static u32
open_find(u64 path)
{
	u32 i;

	for (i = 0; i < open_count && opened[i] != path; i++)
		;
	return i;
}

void
open_toggle(u64 path)
{
	u32 i = open_find(path);

	if (i < open_count)
		opened[i] = opened[--open_count];
	else if (open_count < OPEN_MAX)
		opened[open_count++] = path;
}

static void
add_row(const struct row *r)
{
	if (row_count < ROWS_MAX)
		rows[row_count++] = *r;
}

static void
add_children(u32 node, u64 path, u16 depth, u32 index)
{
	const struct node *n;
	u32 id;

	for (id = tree_node(node)->child; id; id = n->sibling) {
		u64 here;
		n = tree_node(id);
		if (!n->live && view.order != ORDER_PEAK)
			continue;
		here = mix(path, n->frame);
		struct row r = { here, n->frame, n->live, n->peak, 0, index,
			depth, n->child != 0,
			open_find(here) < open_count };
		add_row(&r);
		if (r.open)
			add_children(id, here, (u16)(depth + 1), index);
	}
}

static int
is_filtered(u32 index)
{
	size_t n;
	const char *name = report_name(view.of, index, &n);

	return *view.filter &&
		!memmem(name, n, view.filter, strlen(view.filter));
}

static int
by_rate(const void *a, const void *b, const void *arg)
{
	s64 x = rates[view.of][*(const u32 *)a];
	s64 y = rates[view.of][*(const u32 *)b];

	(void)arg;
	return x > y ? -1 : x < y;
}

void
build_rows(void)
{
	static u32 index[ROWS_MAX];
	u64 keep = view.selected && view.selected < row_count
		? rows[view.selected].path : 0;
	enum sort_key key = view.order == ORDER_PEAK ? SORT_PEAK : SORT_ALLOC;
	u32 n = report_sorted(view.of, key, index, ROWS_MAX), i;

	if (view.order == ORDER_RATE)
		sort_items(index, n, sizeof(*index), by_rate, NULL);
	row_count = 0;
	for (i = 0; i < n; i++) {
		const struct use *u = report_use(view.of, index[i]);
		u64 path = mix(view.of + 1, index[i]);
		struct row r = { path, 0, u->live, u->peak,
			rates[view.of][index[i]], index[i], 0, 1,
			open_find(path) < open_count };
		if (is_filtered(index[i]) || (!r.live && !r.rate &&
		    view.order != ORDER_PEAK && r.peak < PEAK_SHOWN))
			continue;
		add_row(&r);
		if (r.open) {
			tree_build(view.of, index[i], key);
			add_children(1, path, 1, index[i]);
		}
	}
	/* The cursor stays on what it is on, or on top. */
	for (i = 0; keep && i < row_count; i++)
		if (rows[i].path == keep)
			view.selected = i;
	if (view.selected >= row_count)
		view.selected = row_count ? row_count - 1 : 0;
}

static void
sample(enum tree_of of, u32 count, u64 ns)
{
	u32 i;

	for (i = 0; i < count && i < ROWS_MAX; i++) {
		u64 live = of == TREE_MODULE || task_at(i)
			? report_use(of, i)->live : 0;
		rates[of][i] = (s64)(live - before[of][i]) * 1000000000 /
			(s64)(ns ? ns : 1);
		before[of][i] = live;
	}
}

void
refresh(void)
{
	static u64 last;
	static unsigned turn;
	u64 now = now_ns();

	sample(TREE_TASK, task_count(), now - last);
	sample(TREE_MODULE, module_count(), now - last);
	last = now;
	memmove(history + 1, history, (HISTORY - 1) * sizeof(*history));
	history[0] = total.live;
	if (history_count < HISTORY)
		history_count++;
	if (open_count && turn++ % RESOLVE_EVERY == 0)
		syms_resolve();
	trace_count_lost();
	view.dirty = 1;
}
