/* report.c - memstrack's reports, line for line, and two of our own. */
#include <sys/resource.h>

#include "memtrack.h"

enum {
	ITEMS_MAX = 4096, SLABS_MAX = 512, NAME_MAX_ = 512,
	OLD_PEAK = 256,	/* pages: empty nodes with less are not shown */
};

struct report reports[REPORTS_MAX];
unsigned report_count;

static const char *const type_names[REPORT_TYPES] = {
	[REPORT_SUMMARY] = "summary",
	[REPORT_MODULE_SUMMARY] = "module_summary",
	[REPORT_MODULE_TOP] = "module_top",
	[REPORT_TASK_SUMMARY] = "task_summary",
	[REPORT_TASK_TOP] = "task_top",
	[REPORT_TASK_TOP_JSON] = "task_top_json",
	[REPORT_SLAB] = "proc_slab_static",
	[REPORT_VMALLOC] = "vmalloc",
};

/* ---- what is wanted ---- */

static int
is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && !memcmp(s, word, n);
}

static u32
parse_number(const char *s, size_t n, size_t key, u32 max)
{
	const char *p = s + key;
	u64 v;

	if (n == key || *p == ' ' || scan_u64(&p, &v) < 0 || p != s + n ||
	    v > max)
		usage_die("--report: bad parameter '%.*s'", (int)n, s);
	return (u32)v;
}

static void
parse_parameter(struct report *r, const char *s, size_t n)
{
	if (is_word(s, n, "sort_by_alloc")) {
		r->key = SORT_ALLOC;
	} else if (is_word(s, n, "sort_by_peak")) {
		r->key = SORT_PEAK;
	} else if (n >= 9 && !memcmp(s, "throttle=", 9)) {
		r->throttle = parse_number(s, n, 9, 100);
		r->own_throttle = 1;
	} else if (n >= 4 && !memcmp(s, "top=", 4)) {
		r->top = parse_number(s, n, 4, INT_MAX);
		r->own_top = 1;
	} else {
		usage_die("--report: unknown parameter '%.*s' (sort_by_alloc, "
			"sort_by_peak, throttle=N, top=N)", (int)n, s);
	}
}

static void
parse_one(const char *s, size_t n)
{
	struct report r = { 0 };
	size_t len = strcspn(s, ":,");

	for (; r.type < REPORT_TYPES; r.type++)
		if (is_word(s, len, type_names[r.type]))
			break;
	if (r.type == REPORT_TYPES)
		usage_die("--report: unknown type '%.*s' (summary, "
			"module_summary, module_top, task_summary, task_top, "
			"task_top_json, proc_slab_static, vmalloc)",
			(int)len, s);
	if (report_count == REPORTS_MAX)
		usage_die("--report: more than %d", REPORTS_MAX);
	while (len < n) {
		const char *parameter = s + len + 1;
		size_t plen = strcspn(parameter, ":,");
		parse_parameter(&r, parameter, plen);
		len += 1 + plen;
	}
	reports[report_count++] = r;
}

void
report_parse(const char *list)
{
	for (;;) {
		size_t n = strcspn(list, ",");
		parse_one(list, n);
		if (!list[n])
			return;
		list += n + 1;
	}
}

/* As memstrack: the common throttle is for the reports of tasks, and
 * module_top shows two children a level. */
void
report_defaults(int throttle)
{
	unsigned i;

	if (!report_count)
		report_parse("summary,module_summary,task_summary:top=20");
	for (i = 0; i < report_count; i++) {
		struct report *r = &reports[i];
		if (!r->own_throttle && throttle >= 0 &&
		    r->type >= REPORT_TASK_SUMMARY &&
		    r->type <= REPORT_TASK_TOP_JSON)
			r->throttle = (u32)throttle;
		if (!r->own_top && r->type == REPORT_MODULE_TOP)
			r->top = 2;
	}
}

int
report_wants(enum report_type type)
{
	unsigned i;

	for (i = 0; i < report_count; i++)
		if (reports[i].type == type)
			return 1;
	return 0;
}

void
report_prepare(void)
{
	if (trace_is_on()) {
		trace_count_lost();
		module_refresh();
	}
	vmap_refresh();
	if (report_wants(REPORT_MODULE_TOP) || report_wants(REPORT_TASK_TOP) ||
	    report_wants(REPORT_TASK_TOP_JSON))
		syms_resolve();
}

/* ---- tasks and modules alike ---- */

const struct use *
report_use(enum tree_of of, u32 index)
{
	return of == TREE_TASK ? &task_at(index)->use : &module_at(index)->use;
}

const char *
report_name(enum tree_of of, u32 index, size_t *n)
{
	static char text[32];

	if (of == TREE_TASK) {
		const struct task *t = task_at(index);
		*n = t->name_len;
		if (t->name_len)
			return t->name;
		*n = (size_t)fmt_str(text, sizeof(text), "(%d)", t->pid);
		return text;
	}
	if (index == MODULE_KERNEL || module_at(index)->name[0]) {
		const char *s = index ? module_at(index)->name : "(kernel)";
		*n = strlen(s);
		return s;
	}
	*n = (size_t)fmt_str(text, sizeof(text), "(loading by %d)",
		module_at(index)->tid);
	return text;
}

struct order {
	enum tree_of of;
	enum sort_key key;
};

static int
by_use(const void *a, const void *b, const void *arg)
{
	const struct order *order = arg;
	u32 x = *(const u32 *)a, y = *(const u32 *)b;
	const struct use *u = report_use(order->of, x);
	const struct use *v = report_use(order->of, y);
	int by_peak = order->key == SORT_PEAK;

	if (by_peak && u->peak != v->peak)
		return u->peak > v->peak ? -1 : 1;
	if (u->live != v->live)
		return u->live > v->live ? -1 : 1;
	if (u->peak != v->peak)
		return u->peak > v->peak ? -1 : 1;
	return x < y ? -1 : x > y;
}

u32
report_sorted(enum tree_of of, enum sort_key key, u32 *index, u32 max)
{
	u32 count = of == TREE_TASK ? task_count() : module_count();
	u32 i, n = 0;
	struct order order = { of, key };

	for (i = of == TREE_MODULE; i < count && n < max; i++)
		if ((of == TREE_MODULE || task_at(i)) &&
		    (report_use(of, i)->live || report_use(of, i)->peak))
			index[n++] = i;
	sort_items(index, n, sizeof(*index), by_use, &order);
	return n;
}

static u64
value_of(const struct report *r, u64 live, u64 peak)
{
	return r->key == SORT_PEAK ? peak : live;
}

/* What is left of the throttle and of top, while a list is gone through. */
struct quota {
	u64 pages;
	u32 items;
	int throttled;
};

static struct quota
quota_of(const struct report *r, u64 all)
{
	return (struct quota){
		.pages = (all * r->throttle + 99) / 100,
		.items = r->top ? r->top : ~0u,
		.throttled = r->throttle && r->throttle < 100,
	};
}

/* May one more be shown, that holds so many pages? */
static int
quota_take(struct quota *q, u64 pages)
{
	if (!q->items || (q->throttled && !q->pages))
		return 0;
	q->items--;
	q->pages -= pages < q->pages ? pages : q->pages;
	return 1;
}

static u32 items[ITEMS_MAX];

u32
report_choose(const struct report *r, enum tree_of of, u32 *index, u32 max)
{
	u32 n = report_sorted(of, r->key, index, max), i;
	struct quota q;
	u64 all = 0;

	for (i = 0; i < n; i++)
		all += value_of(r, report_use(of, index[i])->live,
			report_use(of, index[i])->peak);
	q = quota_of(r, all);
	for (i = 0; i < n; i++) {
		const struct use *u = report_use(of, index[i]);
		if (of == TREE_TASK && r->key == SORT_ALLOC && !u->live &&
		    u->peak < OLD_PEAK)
			break;
		if (!quota_take(&q, value_of(r, u->live, u->peak)))
			break;
	}
	return i;
}

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

/* "48.2MB": pages in MiB, one decimal, rounded. */
static void
put_mb(struct out *o, u64 count)
{
	char text[FMT_FIXED_MAX];
	u64 bytes = count * page_size;

	out_fmt(o, "%sMB", fmt_fixed(text,
		(bytes * 10 + MIB / 2) / MIB, 1));
}

/* ---- the reports ---- */

static void
module_summary(struct out *o, const struct report *r)
{
	u32 n = choose(r, TREE_MODULE), i;

	for (i = 0; i < n; i++) {
		const struct use *u = report_use(TREE_MODULE, items[i]);
		out_str(o, "Module ");
		put_name(o, TREE_MODULE, items[i]);
		out_str(o, " using ");
		put_mb(o, u->live);
		out_fmt(o, " (%lu pages), peak allocation ",
			(unsigned long)u->live);
		put_mb(o, u->peak);
		out_fmt(o, " (%lu pages)\n", (unsigned long)u->peak);
	}
}

static void
task_summary(struct out *o, const struct report *r)
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
	struct quota q = quota_of(r, value_of(r, p->live, p->peak));
	char buf[256];
	u32 id;

	for (id = p->child; id; id = c->sibling) {
		c = tree_node(id);
		if (!c->live && r->key == SORT_ALLOC && c->peak < OLD_PEAK)
			continue;
		if (!quota_take(&q, value_of(r, c->live, c->peak)))
			return;
		out_pad(o, 2 + 2 * depth);
		out_str(o, sym_name(c->frame, buf, sizeof(buf)));
		put_pages(o, c->live, c->peak);
		put_children(o, r, id, depth + 1);
	}
}

static void
module_top(struct out *o, const struct report *r)
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

static void
task_top(struct out *o, const struct report *r)
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

static void
slab_static(struct out *o, const struct report *r)
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

static void
vmalloc_growth(struct out *o, const struct report *r)
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

/* ---- summary ---- */

u64
report_unseen(void)
{
	s64 seen = 0, grown = vmap_grown();
	u32 i;

	for (i = 1; i < leaf_count(); i++) {
		const struct leaf *l = leaf_at(i);
		if (l && (stack_at(l->stack)->flags & STACK_VMALLOC ||
			  l->stack == STACK_OWN))
			seen += l->live;
	}
	return grown > seen ? (u64)(grown - seen) : 0;
}

u64
report_resident(void)
{
	char text[64];
	const char *p = text;
	u64 all, resident;

	if (proc_slurp((int)getpid(), "statm", text, sizeof(text)) <= 0 ||
	    scan_u64(&p, &all) < 0 || scan_u64(&p, &resident) < 0)
		return 0;
	return resident * page_size;
}

static void
put_seconds(struct out *o, const char *before, u64 ns, const char *after)
{
	char text[FMT_FIXED_MAX];

	out_fmt(o, "%s%s s%s", before, fmt_fixed(text, ns / 1000000, 3),
		after);
}

static void
put_lost(struct out *o)
{
	char text[FMT_FIXED_MAX];
	u64 all = counts.records + counts.lost;

	out_fmt(o, "%lu of %lu trace records (%s %%)",
		(unsigned long)counts.lost, (unsigned long)all,
		fmt_fixed(text, all ? counts.lost * 10000 / all : 0, 2));
}

static void
put_if(struct out *o, u64 n, const char *what)
{
	if (n)
		out_fmt(o, "Not exact: %lu %s\n", (unsigned long)n, what);
}

/* What the numbers do not hold, and why. */
static void
put_doubts(struct out *o)
{
	put_if(o, report_unseen(), "vmalloc pages without an event, not in the "
		"total (see the report vmalloc)");
	put_if(o, counts.unknown_frees, "pages freed that were allocated "
		"before tracing, not in the total");
	put_if(o, counts.implied_frees, "pages allocated again without a free "
		"seen, charged to the later owner");
	put_if(o, counts.no_stack, "allocations without a stack");
	put_if(o, counts.cut_stacks, "stacks deeper than can be kept");
	put_if(o, counts.cut_user, "user frames outside of executable maps");
	put_if(o, counts.beyond, "pages beyond the table of pages (memory "
		"plugged in later)");
	put_if(o, counts.torn + counts.bad_records, "records or ring pages "
		"that make no sense");
	put_if(o, counts.dropped_paths, "empty call paths forgotten to make "
		"room (raise --stacks)");
	put_if(o, counts.overflow, "allocations charged to (others), no room "
		"(raise --stacks)");
}

static void
put_cost(struct out *o)
{
	char size[FMT_SIZE_MAX];
	out_fmt(o, "Tracer: %s resident", fmt_size(size, report_resident()));
	out_fmt(o, " (the table of pages %s), ",
		fmt_size(size, acct_page_bytes()));
	put_seconds(o, "", cpu_ns(), " of CPU");
	if (counts.records)
		out_fmt(o, " (%lu ns a record)",
			(unsigned long)(trace_cpu_ns() / counts.records));
	out_fmt(o, ", %s of rings",
		fmt_size(size, trace_ring_bytes()));
	out_fmt(o, ", about %s of kernel slab\n",
		fmt_size(size, trace_kernel_bytes()));
}

static void
summary(struct out *o)
{
	out_str(o, "Total using ");
	put_mb(o, total.live);
	out_fmt(o, " (%lu pages), peak ", (unsigned long)total.live);
	put_mb(o, total.peak);
	out_fmt(o, " (%lu pages)", (unsigned long)total.peak);
	if (!trace_is_on()) {
		out_char(o, '\n');
		put_doubts(o);
		return;
	}
	put_seconds(o, " at ", total.peak_ts > first_ts ?
		total.peak_ts - first_ts : 0, "");
	put_seconds(o, " of ", last_ts - first_ts, "\n");
	out_fmt(o, "Events: %lu allocations, %lu frees\n",
		(unsigned long)counts.allocs, (unsigned long)counts.frees);
	out_str(o, "Lost: ");
	put_lost(o);
	out_char(o, '\n');
	put_doubts(o);
	put_cost(o);
}

static void
print_one(struct out *o, const struct report *r)
{
	switch (r->type) {
	case REPORT_SUMMARY:
		summary(o);
		break;
	case REPORT_MODULE_SUMMARY:
		module_summary(o, r);
		break;
	case REPORT_MODULE_TOP:
		module_top(o, r);
		break;
	case REPORT_TASK_SUMMARY:
		task_summary(o, r);
		break;
	case REPORT_TASK_TOP:
		task_top(o, r);
		break;
	case REPORT_TASK_TOP_JSON:
		json_tasks(o, r);
		break;
	case REPORT_SLAB:
		slab_static(o, r);
		break;
	case REPORT_VMALLOC:
		vmalloc_growth(o, r);
		break;
	}
}

void
report_print(struct out *o)
{
	unsigned i;

	for (i = 0; i < report_count; i++) {
		const char *type = type_names[reports[i].type];
		out_fmt(o, "\n======== Report format %s: ========\n", type);
		print_one(o, &reports[i]);
		out_fmt(o, "======== Report format %s END ========\n", type);
		if (trace_is_on()) {
			out_str(o, "Lost ");
			put_lost(o);
			out_char(o, '\n');
		}
	}
}

/* The log takes ten lines in five seconds from a process, unless told
 * otherwise. */
static void
kmsg_limit(const char *value, char *old, size_t size)
{
	static const char path[] = "/proc/sys/kernel/printk_devkmsg";

	if (old && root_slurp(path, old, size) < 0)
		*old = 0;
	if (*value)
		at_write(AT_FDCWD, path, value);
}

/* A line of the kernel's log is one write. */
void
report_kmsg(void)
{
	static const struct report modules = {
		.type = REPORT_MODULE_SUMMARY, .top = 40,
	};
	static char text[8192], record[512];
	struct out o;
	char *line = text, *end, limit[32];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		warn("open /dev/kmsg:");
		return;
	}
	out_open(&o, -1);
	out_buffer(&o, text, sizeof(text) - 1);
	summary(&o);
	module_summary(&o, &modules);
	text[o.used] = 0;
	kmsg_limit("on", limit, sizeof(limit));
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		fmt_str(record, sizeof(record), "<6>%s: %s\n", applet_name,
			line);
		(void)!write(fd, record, strlen(record));
	}
	kmsg_limit(limit, NULL, 0);
	close(fd);
}
