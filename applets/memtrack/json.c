/* json.c - the reports as data: memstrack's own JSON, and one clean document. */
#include "memtrack.h"

enum { ITEMS_MAX = 4096, STACKS_TOP = 100, SLABS_MAX = 512 };

/* ---- task_top_json: nests deeper than view's writer, so by hand ---- */

static void
quoted(struct out *o, const char *s, size_t n)
{
	struct json j;

	json_open(&j, o, 0);
	json_strn(&j, s, n);
}

static void
put_node(struct out *o, const struct report *r, u32 id, int depth);

/* How many of a node's children are shown: throttle goes by the peak. */
static u32
shown(const struct report *r, const struct node *parent)
{
	u64 left = (parent->peak * r->throttle + 99) / 100;
	u32 n = 0, id = parent->child;

	for (; id && (!r->top || n < r->top); n++) {
		const struct node *c = tree_node(id);
		if (r->throttle && r->throttle < 100) {
			if (!left)
				break;
			left -= c->peak < left ? c->peak : left;
		}
		id = c->sibling;
	}
	return n;
}

static void
put_children(struct out *o, const struct report *r, u32 parent, int depth)
{
	u32 n = shown(r, tree_node(parent));
	u32 id = tree_node(parent)->child;

	for (; n--; id = tree_node(id)->sibling) {
		put_node(o, r, id, depth);
		out_str(o, n ? ",\n" : "\n");
	}
}

static void
put_numbers(struct out *o, u64 live, u64 peak, int depth, int more)
{
	out_pad(o, depth);
	out_fmt(o, "\"pages_alloc\": %lu,\n", (unsigned long)live);
	out_pad(o, depth);
	out_fmt(o, "\"pages_alloc_peak\": %lu%s\n", (unsigned long)peak,
		more ? "," : "");
	if (!more)
		return;
	out_pad(o, depth);
	out_str(o, "\"tracenodes\": {\n");
}

static void
put_node(struct out *o, const struct report *r, u32 id, int depth)
{
	const struct node *c = tree_node(id);
	char buf[256];
	const char *name = sym_name(c->frame, buf, sizeof(buf));

	out_pad(o, depth);
	quoted(o, name, strlen(name));
	out_str(o, ": {\n");
	put_numbers(o, c->live, c->peak, depth + 1, c->child != 0);
	if (c->child) {
		put_children(o, r, id, depth + 2);
		out_pad(o, depth + 1);
		out_str(o, "}\n");
	}
	out_pad(o, depth);
	out_char(o, '}');
}

static void
put_task(struct out *o, const struct report *r, u32 index)
{
	const struct use *u = report_use(TREE_TASK, index);
	size_t n;
	const char *name = report_name(TREE_TASK, index, &n);

	out_str(o, " {\n  \"task_name\": ");
	quoted(o, name, n);
	out_fmt(o, ",\n  \"pid\" :\"%d\",\n", task_at(index)->pid);
	tree_build(TREE_TASK, index, r->key);
	put_numbers(o, u->live, u->peak, 2, tree_node(1)->child != 0);
	if (tree_node(1)->child) {
		put_children(o, r, 1, 3);
		out_str(o, "  }\n");
	}
	out_str(o, " }");
}

void
json_tasks(struct out *o, const struct report *r)
{
	static u32 items[ITEMS_MAX];
	u32 n = report_choose(r, TREE_TASK, items, ITEMS_MAX), i;

	out_str(o, "[\n");
	for (i = 0; i < n; i++) {
		put_task(o, r, items[i]);
		out_str(o, i + 1 < n ? ",\n" : "\n");
	}
	out_str(o, "]\n");
}

/* ---- the document ---- */

static void
put_time(struct json *j, const char *key, u64 ms)
{
	json_key(j, key);
	json_fixed(j, ms, 3);
}

static void
put_use(struct json *j, const struct use *u)
{
	json_ku64(j, "live_bytes", u->live * page_size);
	json_ku64(j, "peak_bytes", u->peak * page_size);
	put_time(j, "peak_time", ts_ms(u->peak_ts));
}

static void
put_counts(struct json *j)
{
	u64 all = counts.records + counts.lost;

	json_ku64(j, "allocations", counts.allocs);
	json_ku64(j, "frees", counts.frees);
	json_ku64(j, "records", counts.records);
	json_ku64(j, "lost_records", counts.lost);
	json_key(j, "lost_percent");
	json_fixed(j, all ? counts.lost * 10000 / all : 0, 2);
	json_key(j, "not_exact");
	json_object(j);
	json_ku64(j, "unseen_vmalloc_bytes", report_unseen() * page_size);
	json_ku64(j, "freed_before_tracing_bytes",
		counts.unknown_frees * page_size);
	json_ku64(j, "implied_free_bytes", counts.implied_frees * page_size);
	json_ku64(j, "without_stack", counts.no_stack);
	json_ku64(j, "cut_stacks", counts.cut_stacks);
	json_ku64(j, "cut_user_frames", counts.cut_user);
	json_ku64(j, "beyond_table_bytes", counts.beyond * page_size);
	json_ku64(j, "bad_records", counts.torn + counts.bad_records);
	json_ku64(j, "dropped_paths", counts.dropped_paths);
	json_ku64(j, "overflow", counts.overflow);
	json_close(j);
}

static void
put_cost(struct json *j)
{
	json_key(j, "tracer");
	json_object(j);
	json_ku64(j, "resident_bytes", report_resident());
	json_ku64(j, "page_table_bytes", acct_page_bytes());
	put_time(j, "cpu_seconds", cpu_ns() / 1000000);
	put_time(j, "reader_cpu_seconds", trace_cpu_ns() / 1000000);
	json_ku64(j, "ring_bytes", trace_ring_bytes());
	json_ku64(j, "kernel_bytes", trace_kernel_bytes());
	json_close(j);
}

static void
put_modules(struct json *j, const struct report *r)
{
	static u32 items[ITEMS_MAX];
	u32 n = report_choose(r, TREE_MODULE, items, ITEMS_MAX), i;
	size_t len;

	json_key(j, "modules");
	json_array(j);
	for (i = 0; i < n; i++) {
		const char *name = report_name(TREE_MODULE, items[i], &len);
		json_object(j);
		json_kstrn(j, "module", name, len);
		put_use(j, report_use(TREE_MODULE, items[i]));
		json_ku64(j, "own_bytes",
			module_at(items[i])->own * page_size);
		json_close(j);
	}
	json_close(j);
}

static void
put_tasks(struct json *j, const struct report *r)
{
	static u32 items[ITEMS_MAX];
	u32 n = report_choose(r, TREE_TASK, items, ITEMS_MAX), i;
	size_t len;

	json_key(j, "tasks");
	json_array(j);
	for (i = 0; i < n; i++) {
		const char *name = report_name(TREE_TASK, items[i], &len);
		json_object(j);
		json_ku64(j, "pid", (u64)task_at(items[i])->pid);
		json_kstrn(j, "task", name, len);
		put_use(j, report_use(TREE_TASK, items[i]));
		json_kbool(j, "exited", task_at(items[i])->exited);
		json_close(j);
	}
	json_close(j);
}

static void
put_stack(struct json *j, const struct leaf *l)
{
	const struct stack *s = stack_at(l->stack);
	const u64 *f = stack_frames(s);
	char buf[256];
	size_t len;
	const char *name;
	u32 i;

	json_object(j);
	json_ku64(j, "live_bytes", l->live * page_size);
	json_ku64(j, "peak_bytes", l->peak * page_size);
	put_time(j, "peak_time", l->peak_ms);
	json_ku64(j, "stack_live_bytes", s->live * page_size);
	json_ku64(j, "stack_peak_bytes", s->peak * page_size);
	json_ku64(j, "pid", (u64)task_at(l->task)->pid);
	name = report_name(TREE_TASK, l->task, &len);
	json_kstrn(j, "task", name, len);
	name = report_name(TREE_MODULE, l->module, &len);
	json_kstrn(j, "module", name, len);
	json_key(j, "frames");
	json_array(j);
	for (i = 0; i < s->frames; i++)
		json_str(j, sym_name(f[i], buf, sizeof(buf)));
	json_close(j);
	json_close(j);
}

/* The biggest leaves, kept sorted while all are gone through. */
static void
put_stacks(struct json *j, const struct report *r)
{
	static u32 best[STACKS_TOP];
	u32 max = r->top && r->top < STACKS_TOP ? r->top : STACKS_TOP;
	u32 n = 0, i, at;

	for (i = 1; i < leaf_count(); i++) {
		const struct leaf *l = leaf_at(i), *b;
		if (!l || !l->peak)
			continue;
		for (at = n; at > 0; at--) {
			b = leaf_at(best[at - 1]);
			if (r->key == SORT_PEAK ? b->peak >= l->peak
					: b->live >= l->live)
				break;
		}
		if (at == max)
			continue;
		if (n < max)
			n++;
		memmove(best + at + 1, best + at, (n - at - 1) * sizeof(*best));
		best[at] = i;
	}
	json_key(j, "stacks");
	json_array(j);
	for (i = 0; i < n; i++)
		put_stack(j, leaf_at(best[i]));
	json_close(j);
}

static void
put_slab(struct json *j)
{
	static struct slab_cache caches[SLABS_MAX];
	u32 n = slab_read(caches, SLABS_MAX), i;

	json_key(j, "slab");
	json_array(j);
	for (i = 0; i < n; i++) {
		json_object(j);
		json_kstr(j, "cache", caches[i].name);
		json_ku64(j, "bytes", caches[i].bytes);
		json_close(j);
	}
	json_close(j);
}

static void
put_vmalloc(struct json *j)
{
	const struct vmap_caller *c;
	u32 i;

	json_key(j, "vmalloc");
	json_array(j);
	for (i = 0; (c = vmap_caller(i)); i++) {
		json_object(j);
		json_kstr(j, "caller", c->name);
		json_ku64(j, "before_bytes", c->before * page_size);
		json_ku64(j, "now_bytes", c->now * page_size);
		json_close(j);
	}
	json_close(j);
}

/* A section is written once, by the first report that asks for it. */
static void
put_section(struct json *j, const struct report *r, u32 *done)
{
	static const u8 sections[REPORT_TYPES][2] = {
		[REPORT_MODULE_SUMMARY] = { 1, 0 },
		[REPORT_MODULE_TOP] = { 1, 3 },
		[REPORT_TASK_SUMMARY] = { 2, 0 },
		[REPORT_TASK_TOP] = { 2, 3 },
		[REPORT_TASK_TOP_JSON] = { 2, 3 },
		[REPORT_SLAB] = { 4, 0 },
		[REPORT_VMALLOC] = { 5, 0 },
	};
	static void (*const put[])(struct json *, const struct report *) = {
		NULL, put_modules, put_tasks, put_stacks,
	};
	unsigned i;

	for (i = 0; i < 2; i++) {
		unsigned section = sections[r->type][i];
		if (!section || *done & 1u << section)
			continue;
		*done |= 1u << section;
		if (section < ARRAY_LEN(put))
			put[section](j, r);
		else if (section == 4)
			put_slab(j);
		else
			put_vmalloc(j);
	}
}

void
json_report(struct out *o, int lines)
{
	struct json j;
	u32 done = 0;
	unsigned i;

	json_open(&j, o, lines ? 0 : 1);
	json_object(&j);
	json_ku64(&j, "page_size", page_size);
	put_time(&j, "duration", ts_ms(last_ts));
	put_use(&j, &total);
	put_counts(&j);
	put_cost(&j);
	for (i = 0; i < report_count; i++)
		put_section(&j, &reports[i], &done);
	json_close(&j);
}
