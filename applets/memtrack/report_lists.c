/* report_lists.c - the lines of the reports that are lists and trees: modules,
 * tasks, slab caches, callers of vmalloc.
 */
#include "memtrack.h"
#include "report.h"

enum { ITEMS_MAX = 4096, SLABS_MAX = 512 };

static u32 items[ITEMS_MAX];

static u32
choose(const struct report *r, enum tree_of of)
{
	return report_choose(r, of, items, ITEMS_MAX);
}

static void
put_name(struct out *o, enum tree_of of, u32 index)
{
	size_t n;
	const char *s = report_name(of, index, &n);

	out_escaped(o, s, n);
}

void
report_module_summary(struct out *o, const struct report *r)
{
	u32 n = choose(r, TREE_MODULE), i;

	for (i = 0; i < n; i++) {
		const struct use *u = report_use(TREE_MODULE, items[i]);
		out_str(o, "Module ");
		put_name(o, TREE_MODULE, items[i]);
		out_str(o, " using ");
		report_put_mb(o, u->live);
		out_fmt(o, " (%lu pages), peak allocation ",
			(unsigned long)u->live);
		report_put_mb(o, u->peak);
		out_fmt(o, " (%lu pages)\n", (unsigned long)u->peak);
	}
}

void
report_task_summary(struct out *o, const struct report *r)
{
	u32 n = choose(r, TREE_TASK), i;

	for (i = 0; i < n; i++) {
		const struct use *u = report_use(TREE_TASK, items[i]);
		out_str(o, "Task ");
		put_name(o, TREE_TASK, items[i]);
		out_fmt(o, " (%d) using %lu pages, peak usage %lu pages\n",
			task_at(items[i])->pid, (unsigned long)u->live,
			(unsigned long)u->peak);
	}
}

static void
put_pages(struct out *o, u64 live, u64 peak)
{
	out_fmt(o, " Pages: %lu (peak: %lu)\n", (unsigned long)live,
		(unsigned long)peak);
}

static void
put_children(struct out *o, const struct report *r, u32 parent, int depth)
{
	const struct node *p = tree_node(parent), *c;
	struct quota q = quota_of(r, report_value(r, p->live, p->peak));
	char buf[256];
	u32 id;

	for (id = p->child; id; id = c->sibling) {
		c = tree_node(id);
		if (!c->live && r->key == SORT_ALLOC && c->peak < OLD_PEAK)
			continue;
		if (!quota_take(&q, report_value(r, c->live, c->peak)))
			return;
		out_pad(o, 2 + 2 * depth);
		out_str(o, sym_name(c->frame, buf, sizeof(buf)));
		put_pages(o, c->live, c->peak);
		put_children(o, r, id, depth + 1);
	}
}

void
report_module_top(struct out *o, const struct report *r)
{
	struct report whole = *r;
	u32 n, i;

	/* top is for the levels of the trees, not for the modules. */
	whole.top = 0;
	n = choose(&whole, TREE_MODULE);
	for (i = 0; i < n; i++) {
		const struct use *u = report_use(TREE_MODULE, items[i]);
		out_str(o, "Top stack usage of module ");
		put_name(o, TREE_MODULE, items[i]);
		out_str(o, ":\n  ");
		put_name(o, TREE_MODULE, items[i]);
		put_pages(o, u->live, u->peak);
		tree_build(TREE_MODULE, items[i], r->key);
		put_children(o, r, 1, 1);
	}
}

void
report_task_top(struct out *o, const struct report *r)
{
	u32 n = choose(r, TREE_TASK), i;

	for (i = 0; i < n; i++) {
		const struct use *u = report_use(TREE_TASK, items[i]);
		put_name(o, TREE_TASK, items[i]);
		put_pages(o, u->live, u->peak);
		tree_build(TREE_TASK, items[i], r->key);
		put_children(o, r, 1, 0);
	}
}

void
report_slab(struct out *o, const struct report *r)
{
	static struct slab_cache caches[SLABS_MAX];
	u32 n = slab_read(caches, SLABS_MAX), i;
	char text[FMT_FIXED_MAX];
	struct quota q;
	u64 all = 0;

	for (i = 0; i < n; i++)
		all += caches[i].bytes;
	q = quota_of(r, all);
	out_str(o, "Top Slab Usage:\n");
	if (!n)
		out_str(o, "(/proc/slabinfo cannot be read)\n");
	for (i = 0; i < n && quota_take(&q, caches[i].bytes); i++)
		out_fmt(o, "%17s: %s MB\n", caches[i].name, fmt_fixed(text,
			(caches[i].bytes * 10 + MIB / 2) / MIB, 1));
}

static s64
growth(u32 i)
{
	const struct vmap_caller *c = vmap_caller(i);

	return (s64)(c->now - c->before);
}

static int
by_growth(const void *a, const void *b, const void *arg)
{
	s64 x = growth(*(const u32 *)a), y = growth(*(const u32 *)b);

	(void)arg;
	return x > y ? -1 : x < y;
}

void
report_vmalloc(struct out *o, const struct report *r)
{
	u32 n = 0, i;
	struct quota q;
	u64 all = 0;

	for (i = 0; vmap_caller(i) && n < ITEMS_MAX; i++)
		if (growth(i)) {
			items[n++] = i;
			all += growth(i) > 0 ? (u64)growth(i) : 0;
		}
	sort_items(items, n, sizeof(*items), by_growth, NULL);
	q = quota_of(r, all);
	for (i = 0; i < n; i++) {
		const struct vmap_caller *c = vmap_caller(items[i]);
		s64 grown = growth(items[i]);
		if (!quota_take(&q, grown > 0 ? (u64)grown : 0))
			break;
		out_fmt(o, "Caller %s using %lu pages, grown by %ld pages\n",
			c->name, (unsigned long)c->now, (long)grown);
	}
}
