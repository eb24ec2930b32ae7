/* tree.c - the call tree of a task or module, built when it is shown. */
#include <sys/mman.h>

#include "memtrack.h"

enum { NODES_MAX = 1 << 18, ROOT = 1 };

static struct node *nodes;
static u32 used;
static enum sort_key sort;

const struct node *
tree_node(u32 id)
{
	return &nodes[id];
}

static u32
child_of(u32 parent, u64 frame)
{
	u32 id;

	for (id = nodes[parent].child; id; id = nodes[id].sibling)
		if (nodes[id].frame == frame)
			return id;
	if (used == NODES_MAX)
		return 0;
	id = used++;
	nodes[id] = (struct node){ .frame = frame,
		.sibling = nodes[parent].child };
	nodes[parent].child = id;
	return id;
}

static void
add_leaf(const struct leaf *l)
{
	const struct stack *s = stack_at(l->stack);
	const u64 *f = stack_frames(s);
	u32 at = ROOT, i = s->frames;

	for (;;) {
		nodes[at].live += l->live;
		nodes[at].peak += l->peak;
		if (!i)
			return;
		at = child_of(at, f[--i]);
		if (!at)
			return;
	}
}

static int
is_before(u32 a, u32 b)
{
	if (sort == SORT_PEAK && nodes[a].peak != nodes[b].peak)
		return nodes[a].peak > nodes[b].peak;
	if (nodes[a].live != nodes[b].live)
		return nodes[a].live > nodes[b].live;
	return nodes[a].frame < nodes[b].frame;
}

/* Merge sort of a list of siblings of n nodes; *rest is what follows them. */
static u32
sort_list(u32 list, u32 n, u32 *rest)
{
	u32 a, b, head = 0, *tail = &head;

	if (n == 1) {
		*rest = nodes[list].sibling;
		nodes[list].sibling = 0;
		return list;
	}
	a = sort_list(list, n / 2, &b);
	b = sort_list(b, n - n / 2, rest);
	while (a && b) {
		u32 *least = is_before(b, a) ? &b : &a;
		*tail = *least;
		tail = &nodes[*least].sibling;
		*least = nodes[*least].sibling;
	}
	*tail = a ? a : b;
	return head;
}

static void
sort_children(u32 id)
{
	u32 n = 0, c, rest;

	for (c = nodes[id].child; c; c = nodes[c].sibling)
		n++;
	if (n > 1)
		nodes[id].child = sort_list(nodes[id].child, n, &rest);
}

void
tree_build(enum tree_of of, u32 index, enum sort_key key)
{
	static struct arena memory;
	u64 most = report_use(of, index)->peak;
	u32 i;

	if (!nodes) {
		if (arena_open(&memory, NODES_MAX * sizeof(*nodes)) < 0)
			die("no memory for call trees:");
		madvise(memory.base, memory.size, MADV_NOHUGEPAGE);
		nodes = arena_take(&memory, NODES_MAX * sizeof(*nodes));
	}
	sort = key;
	used = ROOT + 1;
	memset(&nodes[ROOT], 0, sizeof(nodes[ROOT]));
	for (i = 1; i < leaf_count(); i++) {
		const struct leaf *l = leaf_at(i);
		if (l && (l->live || l->peak) &&
		    (of == TREE_TASK ? l->task : l->module) == index)
			add_leaf(l);
	}
	for (i = ROOT; i < used; i++) {
		if (nodes[i].peak > most)
			nodes[i].peak = most;
	}
	for (i = ROOT; i < used; i++)
		sort_children(i);
}
