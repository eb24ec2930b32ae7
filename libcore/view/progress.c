/* progress.c - how far, how fast, how long still. */
#include "../view.h"

enum { PROGRESS_EVERY_NS = 200000000 };

void
progress_open(struct progress *p, const char *what, u64 total)
{
	*p = (struct progress){ .what = what, .total = total,
		.start = now_ns(), .on = term_is(2) };
}

static void
progress_amount(const struct progress *p, char *buf, u64 v)
{
	if (p->unit)
		fmt_str(buf, FMT_SIZE_MAX, "%lu", v);
	else
		fmt_size(buf, v);
}

static void
progress_show(const struct progress *p, u64 elapsed)
{
	char done[FMT_SIZE_MAX], total[FMT_SIZE_MAX], rate[FMT_SIZE_MAX];
	u64 per_second = (u64)((unsigned __int128)p->done * 1000000000 /
		(elapsed ? elapsed : 1));
	u64 left = per_second && p->total > p->done
		? (p->total - p->done) / per_second : 0;
	struct out o;

	progress_amount(p, done, p->done);
	progress_amount(p, total, p->total);
	progress_amount(p, rate, per_second);
	out_open(&o, 2);
	out_fmt(&o, "\r%s %s", p->what, done);
	if (p->total)
		out_fmt(&o, " of %s (%lu %%)", total, (u64)(
			(unsigned __int128)p->done * 100 / p->total));
	out_fmt(&o, ", %s%s/s", rate, p->unit ? p->unit : "");
	if (p->total)
		out_fmt(&o, ", %lu:%02lu left", left / 60, left % 60);
	out_str(&o, "\033[K");
	out_flush(&o);
}

void
progress_set(struct progress *p, u64 done)
{
	u64 now;

	p->done = done;
	if (!p->on)
		return;
	now = now_ns();
	if (now - p->shown < PROGRESS_EVERY_NS)
		return;
	p->shown = now;
	progress_show(p, now - p->start);
}

void
progress_close(struct progress *p)
{
	if (p->on && p->shown)
		(void)!write(2, "\r\033[K", 4);
	p->on = 0;
}
