/* print_procs.c - a row a process, and their total. */
#include "memstats.h"
#include "print.h"

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

/* On a terminal a row is a line: what is left for the command, and at least a
 * word of it. */
static int
command_room(const struct out *o)
{
	int room, lines;
	enum process_field f;

	if (!term_is(o->fd))
		return INT_MAX;
	term_size(o->fd, &room, &lines);
	for (f = P_PID; f < P_COMMAND; f++)
		if (!process_cols[f].hidden)
			room -= 1 + (process_cols[f].width < 0
				? -process_cols[f].width
				: process_cols[f].width);
	return room < 8 ? 8 : room;
}

static int room;

/* Bytes of the command that fit, escaped or not; sequences stay whole. */
static size_t
command_part(const char *s)
{
	size_t at = 0, len;
	int used = 0;

	while (s[at]) {
		len = s[at] == '\\' ? 0 : utf8_printable(s + at,
			strnlen(s + at, 4));
		used += len ? 1 : 4;
		if (used > room)
			break;
		at += len ? len : 1;
	}
	return at;
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
		if (r->format == ROWS_TABLE && room < INT_MAX)
			rows_textn(r, p->command, command_part(p->command));
		else
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

static int
process_order(const void *a, const void *b, const void *arg)
{
	int field = *(const int *)arg;
	const struct process *p = &procs.list[*(const u32 *)a];
	const struct process *q = &procs.list[*(const u32 *)b];
	char user[USER_MAX], other[USER_MAX];
	int c;

	switch (field) {
	case P_COMMAND:
		c = strcmp(p->command, q->command);
		break;
	case P_USER:
		c = strcmp(user_name(user, p->uid), user_name(other, q->uid));
		break;
	case P_PID: case P_UID: case P_PPID:
		c = compare(process_value(p, field),
			process_value(q, field));
		break;
	case P_OOM_ADJ:
		c = compare(q->oom_adj, p->oom_adj);
		break;
	case P_DELTA:
		c = compare((s64)(q->u.pss >> PSS_SHIFT) - q->before,
			(s64)(p->u.pss >> PSS_SHIFT) - p->before);
		break;
	default:
		c = compare(process_value(q, field),
			process_value(p, field));
	}
	return c ? c : compare(p->pid, q->pid);
}

void
check_sort_processes(const char *sort)
{
	check_sort(process_cols, ARRAY_LEN(process_cols), sort);
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
	int by = P_PSS;
	struct rows r;
	u32 *rows = order_take(procs.count), i, n = 0;
	enum process_field f;

	if (scan.two_bits)
		by = P_RSS;
	if (p->sort)
		by = field_of(process_cols, ARRAY_LEN(process_cols),
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
	room = command_room(o);
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

