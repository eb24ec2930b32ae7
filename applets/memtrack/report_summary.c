/* report_summary.c - the summary: the total, what was lost on the way to it,
 * what it does not hold, and what the tracer itself costs.
 */
#include "memtrack.h"
#include "report.h"

void
report_put_mb(struct out *o, u64 count)
{
	char text[FMT_FIXED_MAX];
	u64 bytes = count * page_size;

	out_fmt(o, "%sMB", fmt_fixed(text,
		(bytes * 10 + MIB / 2) / MIB, 1));
}

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

void
report_put_lost(struct out *o)
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

void
report_summary(struct out *o)
{
	out_str(o, "Total using ");
	report_put_mb(o, total.live);
	out_fmt(o, " (%lu pages), peak ", (unsigned long)total.live);
	report_put_mb(o, total.peak);
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
	report_put_lost(o);
	out_char(o, '\n');
	put_doubts(o);
	put_cost(o);
}
