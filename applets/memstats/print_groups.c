/* print_groups.c - a row a group, a table a split. */
#include "memstats.h"
#include "print.h"

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

s64
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
	if (!g->name)
		rows_null(r);
	else if (r->format == ROWS_PROM && !*g->name)
		rows_textn(r, "", 1);	/* "\x00": to Prometheus "" is no value */
	else
		rows_text(r, g->name);
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

struct by {
	int field;
	const struct split *split;
};

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

void
check_sort_groups(const char *sort)
{
	check_sort(group_cols, ARRAY_LEN(group_cols), sort);
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
