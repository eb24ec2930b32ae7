/* report.h - what only the files of the reports share. */
#ifndef MEMTRACK_REPORT_H
#define MEMTRACK_REPORT_H

enum { OLD_PEAK = 256 };	/* pages: empty nodes with less are not shown */

/* ---- report_choose.c ---- */

/* The pages that a report sorts by. */
u64 report_value(const struct report *r, u64 live, u64 peak);
/* What is left of the throttle and of top, while a list is gone through. */
struct quota {
	u64 pages;
	u32 items;
	int throttled;
};
struct quota quota_of(const struct report *r, u64 all);
/* May one more be shown, that holds so many pages? */
int quota_take(struct quota *q, u64 pages);

/* ---- report_lists.c ---- */

void report_module_summary(struct out *o, const struct report *r);
void report_module_top(struct out *o, const struct report *r);
void report_task_summary(struct out *o, const struct report *r);
void report_task_top(struct out *o, const struct report *r);
void report_slab(struct out *o, const struct report *r);
void report_vmalloc(struct out *o, const struct report *r);

/* ---- report_summary.c ---- */

void report_summary(struct out *o);
/* "48.2MB": pages in MiB, one decimal, rounded. */
void report_put_mb(struct out *o, u64 count);
void report_put_lost(struct out *o);	/* "N of N trace records (P %)" */

#endif
