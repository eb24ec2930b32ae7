/* print.c - the two tables, of processes and of groups, in every format. */
#include "memstats.h"

enum process_field { P_PID, P_USER, P_UID, P_PPID, P_PSS, P_USS, P_RSS, P_ANON,
	P_FILE, P_SHMEM, P_HUGETLB, P_SWAP, P_SWAPPSS, P_SWAP_USS, P_OOM,
	P_OOM_ADJ, P_DELTA, P_COMMAND };
static struct col process_cols[] = {
	[P_PID] = { "pid", 7, COL_COUNT, .label = 1 },
	[P_USER] = { "user", -8, COL_TEXT },
	[P_UID] = { "uid", 6, COL_COUNT, .hidden = 1, .label = 1 },
	[P_PPID] = { "ppid", 7, COL_COUNT, .hidden = 1, .label = 1 },
	[P_PSS] = { "pss", 10, COL_BYTES }, [P_USS] = { "uss", 10, COL_BYTES },
	[P_RSS] = { "rss", 10, COL_BYTES },
	[P_ANON] = { "anon", 10, COL_BYTES, .hidden = 1 },
	[P_FILE] = { "file", 10, COL_BYTES, .hidden = 1 },
	[P_SHMEM] = { "shmem", 10, COL_BYTES, .hidden = 1 },
	[P_HUGETLB] = { "hugetlb", 10, COL_BYTES, .hidden = 1 },
	[P_SWAP] = { "swap", 10, COL_BYTES },
	[P_SWAPPSS] = { "swappss", 10, COL_BYTES },
	[P_SWAP_USS] = { "swap_uss", 10, COL_BYTES, .hidden = 1 },
	[P_OOM] = { "oom", 5, COL_COUNT },
	[P_OOM_ADJ] = { "oom_adj", 7, COL_COUNT, .hidden = 1 },
	[P_DELTA] = { "delta", 10, COL_BYTES, .hidden = 1 },
	[P_COMMAND] = { "command", 0, COL_TEXT },
};

enum group_field { G_SPLIT, G_GROUP, G_PROCS, G_RSS, G_USS, G_PSS, G_ANON,
	G_FILE, G_SHMEM, G_SWAP, G_SWAP_USS, G_SHM, G_HUGETLB, G_SWAP_PSS,
	G_SHM_SWAP, G_CURRENT, G_MAX, G_OOM, G_OOM_KILL, G_DELTA };
static struct col group_cols[] = {
	[G_SPLIT] = { "split", -8, COL_TEXT, .hidden = 1 },
	[G_GROUP] = { "group", -16, COL_TEXT },
	[G_PROCS] = { "procs", 5, COL_COUNT },
	[G_RSS] = { "rss", 10, COL_BYTES }, [G_USS] = { "uss", 10, COL_BYTES },
	[G_PSS] = { "pss", 10, COL_BYTES },
	[G_ANON] = { "anon", 10, COL_BYTES },
	[G_FILE] = { "file", 10, COL_BYTES },
	[G_SHMEM] = { "shmem", 10, COL_BYTES },
	[G_SWAP] = { "swap", 10, COL_BYTES },
	[G_SWAP_USS] = { "swap_uss", 10, COL_BYTES },
	[G_SHM] = { "shm", 10, COL_BYTES },
	[G_HUGETLB] = { "hugetlb", 10, COL_BYTES, .hidden = 1 },
	[G_SWAP_PSS] = { "swap_pss", 10, COL_BYTES, .hidden = 1 },
	[G_SHM_SWAP] = { "shm_swap", 10, COL_BYTES, .hidden = 1 },
	[G_CURRENT] = { "memory_current", 14, COL_BYTES, .hidden = 1 },
	[G_MAX] = { "memory_max", 10, COL_BYTES, .hidden = 1 },
	[G_OOM] = { "oom", 5, COL_COUNT, .hidden = 1 },
	[G_OOM_KILL] = { "oom_kill", 8, COL_COUNT, .hidden = 1 },
	[G_DELTA] = { "delta", 10, COL_BYTES, .hidden = 1 },
};

/* linux-mem's headings in its order, megabytes of 10^6; ours follow. */
enum compat_field { C_GROUP, C_PROCS, C_RSS, C_ANON, C_USS, C_SWAP_ANON,
	C_SWAP_RSS, C_SWAP_USS, C_SHM, C_SHM_SWAP, C_PSS };
static struct col compat_cols[] = {
	[C_GROUP] = { "group_name", -16, COL_TEXT },
	[C_PROCS] = { "procs", 5, COL_COUNT },
	[C_RSS] = { "mem_rss", 10, COL_FIXED, 2 },
	[C_ANON] = { "mem_anon", 10, COL_FIXED, 2 },
	[C_USS] = { "mem_uss", 10, COL_FIXED, 2 },
	[C_SWAP_ANON] = { "swap_anon", 10, COL_FIXED, 2 },
	[C_SWAP_RSS] = { "swap_rss", 10, COL_FIXED, 2 },
	[C_SWAP_USS] = { "swap_uss", 10, COL_FIXED, 2 },
	[C_SHM] = { "shm_mem", 10, COL_FIXED, 2 },
	[C_SHM_SWAP] = { "shm_swap", 10, COL_FIXED, 2 },
	[C_PSS] = { "mem_pss", 10, COL_FIXED, 2 },
};

/* -1: this process has no such number. */
static s64
process_value(const struct process *p, enum process_field field)
{
	const struct usage *u = &p->u;
	int denied = p->state == PROC_DENIED;

	if (scan.two_bits && (field == P_PSS || field == P_SWAPPSS))
		return -1;
	if (denied && field >= P_PSS && field <= P_SWAP_USS)
		return field == P_RSS ? (s64)(p->rss_pages * page_size) : -1;
	if (p->state == PROC_NO_PAGES && (field == P_SWAP_USS ||
	    field == P_SHMEM))
		return -1;
	switch (field) {
	case P_PID: return p->pid;
	case P_UID: return p->uid;
	case P_PPID: return p->ppid;
	case P_PSS: return (s64)(u->pss >> PSS_SHIFT);
	case P_USS: return (s64)u->uss;
	case P_RSS: return (s64)usage_rss(u);
	case P_ANON: return (s64)u->by[TYPE_ANON];
	case P_FILE: return (s64)u->by[TYPE_FILE];
	case P_SHMEM: return (s64)(u->by[TYPE_SHMEM] + u->by[TYPE_SYSV]);
	case P_HUGETLB: return (s64)u->by[TYPE_HUGETLB];
	case P_SWAP: return (s64)u->by[TYPE_SWAP];
	case P_SWAPPSS: return (s64)(u->swap_pss >> PSS_SHIFT);
	case P_SWAP_USS: return (s64)u->swap_uss;
	case P_OOM: return p->oom_score;
	default: return -1;
	}
}

static void
put_value(struct rows *r, s64 v)
{
	if (v < 0)
		rows_null(r);
	else
		rows_u64(r, (u64)v);
}

static void
put_delta(struct rows *r, s64 before, u64 now)
{
	if (before < 0)
		rows_null(r);
	else
		rows_s64(r, (s64)now - before);
}

static void
process_cell(struct rows *r, const struct process *p, enum process_field field)
{
	char user[USER_MAX];

	switch (field) {
	case P_USER:
		rows_text(r, user_name(user, p->uid));
		break;
	case P_COMMAND:
		rows_text(r, p->command);
		break;
	case P_OOM_ADJ:
		rows_s64(r, p->oom_adj);
		break;
	case P_DELTA:
		put_delta(r, p->before, p->u.pss >> PSS_SHIFT);
		break;
	default:
		put_value(r, process_value(p, field));
	}
}

static s64
group_value(const struct group *g, enum group_field field)
{
	const struct usage *u = &g->u;

	if (scan.two_bits && (field == G_PSS || field == G_SWAP_PSS))
		return -1;
	if (g->partial && field != G_PROCS && field != G_PSS &&
	    field != G_USS && field != G_SHM && field != G_SHM_SWAP)
		return -1;
	switch (field) {
	case G_PROCS: return g->procs;
	case G_RSS: return (s64)usage_rss(u);
	case G_USS: return (s64)u->uss;
	case G_PSS: return (s64)(u->pss >> PSS_SHIFT);
	case G_ANON: return (s64)u->by[TYPE_ANON];
	case G_FILE: return (s64)u->by[TYPE_FILE];
	case G_SHMEM: return (s64)(u->by[TYPE_SHMEM] + u->by[TYPE_SYSV]);
	case G_SWAP: return (s64)u->by[TYPE_SWAP];
	case G_SWAP_USS: return (s64)u->swap_uss;
	case G_SHM: return (s64)g->shm;
	case G_HUGETLB: return (s64)u->by[TYPE_HUGETLB];
	case G_SWAP_PSS: return (s64)(u->swap_pss >> PSS_SHIFT);
	case G_SHM_SWAP: return (s64)g->shm_swap;
	default: return -1;
	}
}

static void
put_limit(struct rows *r, u64 v)
{
	if (v == CGROUP_NONE)
		rows_null(r);
	else
		rows_u64(r, v);
}

static void
group_row(struct rows *r, const struct split *s, const struct group *g)
{
	struct cgroup_memory m = { CGROUP_NONE, CGROUP_NONE, CGROUP_NONE,
		CGROUP_NONE };
	enum group_field f;

	if (g->cgroup)
		cgroup_memory(&cgroups, g->cgroup, &m);
	rows_text(r, s->label);
	if (g->name)
		rows_text(r, g->name);
	else
		rows_null(r);
	for (f = G_PROCS; f < G_CURRENT; f++)
		put_value(r, group_value(g, f));
	put_limit(r, m.current);
	put_limit(r, m.max);
	put_limit(r, m.oom);
	put_limit(r, m.oom_kill);
	put_delta(r, g->before, g->u.pss >> PSS_SHIFT);
	rows_end(r);
}

/* Hundredths of a megabyte. */
static void
put_mb(struct rows *r, u64 bytes)
{
	rows_u64(r, (bytes + 5000) / 10000);
}

/* The peer keeps System V pages out of rss and uss. */
static void
compat_row(struct rows *r, const struct group *g)
{
	const struct usage *u = &g->u;

	rows_text(r, g->name ? g->name : "None");
	rows_u64(r, g->procs);
	put_mb(r, usage_rss(u) - u->by[TYPE_SYSV]);
	put_mb(r, u->by[TYPE_ANON]);
	put_mb(r, u->uss - u->sysv_uss);
	put_mb(r, u->by[TYPE_SWAP]);
	put_mb(r, u->by[TYPE_SWAP]);
	put_mb(r, u->swap_uss);
	put_mb(r, g->shm);
	put_mb(r, g->shm_swap);
	put_mb(r, u->pss >> PSS_SHIFT);
	rows_end(r);
}

/* ---- order ---- */

static u32 *order;
static u32 order_max;

static u32 *
order_take(u32 n)
{
	static struct arena a;

	if (n > order_max) {
		arena_close(&a);
		if (arena_open(&a, (u64)n * sizeof(*order)) < 0)
			die("memory to sort %u rows:", n);
		order = (void *)a.base;
		order_max = n;
	}
	return order;
}

static int
compare(s64 a, s64 b)
{
	return a < b ? -1 : a > b;
}

struct by {
	int field;
	const struct split *split;
};

static int
process_order(const void *a, const void *b, const void *arg)
{
	const struct by *by = arg;
	const struct process *p = &procs.list[*(const u32 *)a];
	const struct process *q = &procs.list[*(const u32 *)b];
	char user[USER_MAX], other[USER_MAX];
	int c;

	switch (by->field) {
	case P_COMMAND:
		c = strcmp(p->command, q->command);
		break;
	case P_USER:
		c = strcmp(user_name(user, p->uid), user_name(other, q->uid));
		break;
	case P_PID: case P_UID: case P_PPID:
		c = compare(process_value(p, by->field),
			process_value(q, by->field));
		break;
	case P_OOM_ADJ:
		c = compare(q->oom_adj, p->oom_adj);
		break;
	case P_DELTA:
		c = compare((s64)(q->u.pss >> PSS_SHIFT) - q->before,
			(s64)(p->u.pss >> PSS_SHIFT) - p->before);
		break;
	default:
		c = compare(process_value(q, by->field),
			process_value(p, by->field));
	}
	return c ? c : compare(p->pid, q->pid);
}

static int
group_order(const void *a, const void *b, const void *arg)
{
	const struct by *by = arg;
	u32 i = *(const u32 *)a, j = *(const u32 *)b;
	const struct group *g = &by->split->groups[i];
	const struct group *h = &by->split->groups[j];
	int c;

	if (by->field == G_GROUP)
		c = strcmp(g->name ? g->name : "", h->name ? h->name : "");
	else if (by->field == G_DELTA)
		c = compare((s64)(h->u.pss >> PSS_SHIFT) - h->before,
			(s64)(g->u.pss >> PSS_SHIFT) - g->before);
	else
		c = compare(group_value(h, by->field),
			group_value(g, by->field));
	return c ? c : compare(i, j);
}

static int
field_of(const struct col *cols, unsigned n, const char *name)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (!strcmp(cols[i].name, name))
			return (int)i;
	return -1;
}

void
print_check_sort(const struct print_opts *p, int groups)
{
	const struct col *cols = groups ? group_cols : process_cols;
	unsigned n = groups ? ARRAY_LEN(group_cols) : ARRAY_LEN(process_cols);
	char names[512];
	unsigned i;
	int used = 0;

	if (!p->sort || field_of(cols, n, p->sort) >= 0)
		return;
	for (i = 0; i < n; i++)
		used += fmt_str(names + used, sizeof(names) - (size_t)used,
			" %s", cols[i].name);
	usage_die("--sort %s: no such column; there are%s", p->sort, names);
}

/* ---- documents ---- */

static const char *const states[] = {
	[PROC_VANISHED] = "vanished", [PROC_DENIED] = "denied",
	[PROC_CHANGED] = "changed", [PROC_TRUNCATED] = "truncated", [PROC_NO_PAGES] = "no_pages",
};

static u32
count_state(enum process_state state)
{
	u32 i, n = 0;

	for (i = 0; i < procs.count; i++)
		n += procs.list[i].state == state;
	return n;
}

int
scan_complete(void)
{
	return !stop_signal && !scan.cut && !count_state(PROC_DENIED) &&
		!count_state(PROC_NO_PAGES) &&
		!count_state(PROC_TRUNCATED);
}

void
print_json_head(struct json *j)
{
	u32 i;

	json_object(j);
	json_kbool(j, "complete", scan_complete());
	json_kstr(j, "mode", scan.no_pages ? "rollup" : scan.two_bits
		? "two_bits" : "classes");
	json_ku64(j, "vanished", scan.vanished + count_state(PROC_VANISHED));
	json_ku64(j, "changed", count_state(PROC_CHANGED));
	json_ku64(j, "denied", count_state(PROC_DENIED));
	json_ku64(j, "truncated", count_state(PROC_TRUNCATED));
	json_ku64(j, "no_pages", count_state(PROC_NO_PAGES));
	json_key(j, "skipped");
	json_array(j);
	for (i = 0; i < procs.count; i++) {
		const struct process *p = &procs.list[i];

		if (p->state == PROC_OK)
			continue;
		json_object(j);
		json_ku64(j, "pid", (u64)p->pid);
		json_kstr(j, "name", p->comm);
		json_kstr(j, "why", states[p->state]);
		json_close(j);
	}
	json_close(j);
}

/* PIDs and names of those in a state, as many as fit a line. */
static void
note_state(enum process_state state, u32 unnamed, const char *what)
{
	u32 n = count_state(state) + unnamed, i, named = 0;
	char names[256];
	int used = 0;

	if (!n)
		return;
	names[0] = 0;
	for (i = 0; i < procs.count && named < 6; i++)
		if (procs.list[i].state == state) {
			used += fmt_str(names + used, sizeof(names) - used,
				"%s %d %.20s", named++ ? "," : ":",
				procs.list[i].pid, procs.list[i].comm);
		}
	note("%s: %u %s %s%s%s", applet_name, n,
		n == 1 ? "process" : "processes", what, names,
		n > named ? " .." : "");
}

void
print_notes(void)
{
	note_state(PROC_VANISHED, scan.vanished, "vanished meanwhile");
	note_state(PROC_CHANGED, 0, "changed while read: counted in part");
	note_state(PROC_TRUNCATED, 0, "counted in part: the page map is cut");
	note_state(PROC_DENIED, 0, geteuid() ? "could not be read (run as "
		"root): only RSS" : "refused even to root (a security module "
		"or user namespace): only RSS");
	if (!scan.no_pages)
		note_state(PROC_NO_PAGES, 0, "without page numbers: the "
			"kernel's sums");
	if (scan.swap_lost)
		note("%s: %lu swap entries are of no device in /proc/swaps",
			applet_name, scan.swap_lost);
}

static int
listed(const struct process *p)
{
	return p->shown && p->state != PROC_VANISHED;
}

/* The set of all rows, as a group: RSS and USS by union. */
static void
total_row(struct rows *r, const struct group *g)
{
	enum process_field f;
	char text[48];

	fmt_str(text, sizeof(text), "TOTAL of %u processes", g->procs);
	for (f = P_PID; f <= P_DELTA; f++)
		switch (f) {
		case P_PSS: put_value(r, group_value(g, G_PSS)); break;
		case P_USS: put_value(r, group_value(g, G_USS)); break;
		case P_RSS: put_value(r, group_value(g, G_RSS)); break;
		case P_ANON: put_value(r, group_value(g, G_ANON)); break;
		case P_FILE: put_value(r, group_value(g, G_FILE)); break;
		case P_SHMEM: put_value(r, group_value(g, G_SHMEM)); break;
		case P_HUGETLB: put_value(r, group_value(g, G_HUGETLB)); break;
		case P_SWAP: put_value(r, group_value(g, G_SWAP)); break;
		case P_SWAPPSS: put_value(r, group_value(g, G_SWAP_PSS)); break;
		case P_SWAP_USS: put_value(r, group_value(g, G_SWAP_USS)); break;
		case P_DELTA:
			put_delta(r, g->before, g->u.pss >> PSS_SHIFT);
			break;
		default: rows_null(r);
		}
	rows_text(r, text);
	rows_end(r);
}

static void
process_rows(struct rows *r, const u32 *rows, u32 n)
{
	enum process_field f;
	u32 i;

	while (rows_pass(r))
		for (i = 0; i < n; i++) {
			for (f = P_PID; f <= P_COMMAND; f++)
				process_cell(r, &procs.list[rows[i]], f);
			rows_end(r);
		}
}

void
print_processes(struct out *o, const struct print_opts *p)
{
	const struct group *total = &splits[0].groups[0];
	struct by by = { P_PSS, NULL };
	struct rows r;
	u32 *rows = order_take(procs.count), i, n = 0;
	enum process_field f;

	if (scan.two_bits)
		by.field = P_RSS;
	if (p->sort)
		by.field = field_of(process_cols, ARRAY_LEN(process_cols),
			p->sort);
	for (f = P_PPID; f <= P_OOM_ADJ; f++)
		if (p->extra)
			process_cols[f].hidden = 0;
	process_cols[P_DELTA].hidden = !p->sampling;
	for (i = 0; i < procs.count; i++)
		if (listed(&procs.list[i]))
			rows[n++] = i;
	sort_items(rows, n, sizeof(*rows), process_order, &by);
	if (p->top && n > p->top)
		n = (u32)p->top;
	rows_open(&r, o, p->format, process_cols, ARRAY_LEN(process_cols));
	r.bytes = p->bytes;
	r.prefix = "memstats_process";
	if (p->format == ROWS_JSON) {
		print_json_head(&r.json);
		json_key(&r.json, "processes");
		json_array(&r.json);
	}
	process_rows(&r, rows, n);
	if (p->format == ROWS_JSON) {
		json_close(&r.json);
		json_key(&r.json, "total");
	}
	if (splits[0].count && (p->format == ROWS_JSON ||
	    p->format == ROWS_TABLE))
		total_row(&r, total);
	else if (p->format == ROWS_JSON)
		json_null(&r.json);
	if (p->format == ROWS_JSON)
		json_close(&r.json);
}

static int
widest(const struct split *s)
{
	int w = 5;
	u32 i;

	for (i = 0; i < s->count; i++) {
		size_t n = s->groups[i].name ? strlen(s->groups[i].name) : 1;

		if (n > (size_t)w)
			w = n > 64 ? 64 : (int)n;
	}
	return w;
}

static u32
group_rows(u32 *rows, const struct split *s, const struct print_opts *p)
{
	struct by by = { G_RSS, s };
	u32 i;

	if (p->sort)
		by.field = field_of(group_cols, ARRAY_LEN(group_cols), p->sort);
	for (i = 0; i < s->count; i++)
		rows[i] = i;
	sort_items(rows, s->count, sizeof(*rows), group_order, &by);
	return p->top && p->top < s->count ? (u32)p->top : s->count;
}

static void
print_split(struct rows *r, const struct split *s, const struct print_opts *p)
{
	u32 *rows = order_take(s->count + 1);
	u32 n = group_rows(rows, s, p), i;

	for (i = 0; i < n; i++)
		if (p->compat)
			compat_row(r, &s->groups[rows[i]]);
		else
			group_row(r, s, &s->groups[rows[i]]);
}

/* A table a split, each under its title. */
static void
print_tables(struct out *o, const struct print_opts *p)
{
	struct rows r;
	unsigned k;

	for (k = 0; k < split_count; k++) {
		const struct split *s = &splits[k];
		int cg = s->kind == SPLIT_CGROUP || s->kind == SPLIT_CONTAINER;
		enum group_field f;

		for (f = G_CURRENT; f <= G_OOM_KILL; f++)
			group_cols[f].hidden = !cg;
		group_cols[G_GROUP].width = compat_cols[C_GROUP].width =
			(signed char)-widest(s);
		out_fmt(o, "%s%s\n", k ? "\n" : "", s->title);
		if (p->compat)
			rows_open(&r, o, p->format, compat_cols,
				ARRAY_LEN(compat_cols));
		else
			rows_open(&r, o, p->format, group_cols,
				ARRAY_LEN(group_cols));
		r.bytes = p->bytes;
		rows_pass(&r);
		print_split(&r, s, p);
	}
}

void
print_groups(struct out *o, const struct print_opts *p)
{
	struct rows r;
	enum group_field f;
	unsigned k;

	for (f = G_HUGETLB; f <= G_SHM_SWAP; f++)
		group_cols[f].hidden = !p->extra;
	group_cols[G_DELTA].hidden = !p->sampling;
	if (p->format == ROWS_TABLE) {
		print_tables(o, p);
		return;
	}
	rows_open(&r, o, p->format, group_cols, ARRAY_LEN(group_cols));
	r.prefix = "memstats_group";
	if (p->format == ROWS_JSON) {
		print_json_head(&r.json);
		json_key(&r.json, "groups");
		json_array(&r.json);
	}
	while (rows_pass(&r))
		for (k = 0; k < split_count; k++)
			print_split(&r, &splits[k], p);
	if (p->format == ROWS_JSON) {
		json_close(&r.json);
		json_close(&r.json);
	}
}
