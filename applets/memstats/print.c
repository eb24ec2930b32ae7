/* print.c - what both tables share: order, what was skipped. */
#include "memstats.h"
#include "print.h"

void
put_value(struct rows *r, s64 v)
{
	if (v < 0)
		rows_null(r);
	else
		rows_u64(r, (u64)v);
}

void
put_delta(struct rows *r, s64 before, u64 now)
{
	if (before < 0)
		rows_null(r);
	else
		rows_s64(r, (s64)now - before);
}

static u32 *order;
static u32 order_max;

u32 *
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

int
compare(s64 a, s64 b)
{
	return a < b ? -1 : a > b;
}

int
field_of(const struct col *cols, unsigned n, const char *name)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (!strcmp(cols[i].name, name))
			return (int)i;
	return -1;
}

void
check_sort(const struct col *cols, unsigned n, const char *sort)
{
	char names[512];
	unsigned i;
	int used = 0;

	if (!sort || field_of(cols, n, sort) >= 0)
		return;
	for (i = 0; i < n; i++)
		used += fmt_str(names + used, sizeof(names) - (size_t)used,
			" %s", cols[i].name);
	usage_die("--sort %s: no such column; there are%s", sort, names);
}

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

