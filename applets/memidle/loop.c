/* loop.c - mark, wait, read, and again: ticks on the monotonic clock that do
 * not drift, and an end that is always the same. */
#include "memidle.h"

static const struct backend_ops *const backends[BACKEND_COUNT] = {
	[BACKEND_PAGE_IDLE] = &page_idle_ops,
	[BACKEND_CLEAR_REFS] = &clear_refs_ops,
	[BACKEND_LRU_GEN] = &lru_gen_ops,
	[BACKEND_DAMON] = &damon_ops,
	[BACKEND_SOFT_DIRTY] = &soft_dirty_ops,
};
static const struct backend_ops *ops;
static struct sample sample;
static u64 start, set_middle, samples, cpu_start;

enum { LOOK = 50000000 };	/* ns between looks whether all have ended */

/* ---- phases ---- */

static void
mark(void)
{
	u64 begin;

	targets_update();
	if (opt.pause)
		pause_targets();
	taint_before();
	begin = now_ns();
	throttle_begin();
	ops->set();
	set_middle = begin + (now_ns() - begin) / 2;
	if (opt.pause)
		resume_targets();
}

static void
count_processes(struct sample *s)
{
	unsigned i;

	for (i = 0; i < target_count; i++) {
		s->gone += targets[i].gone;
		s->denied += targets[i].denied && !targets[i].gone;
		s->processes += !targets[i].gone;
	}
}

/* Who ended since is found out by who reads nothing of it; that he did is
 * looked up afterwards, so the sample can say so. */
static void
read_one(void)
{
	struct sample *s = &sample;
	u64 begin, end;

	if (opt.pause)
		pause_targets();
	begin = now_ns();
	*s = (struct sample){
		.number = samples++, .time = begin - start, .wall = wall_ns(),
	};
	throttle_begin();
	emit_begin(s);
	ops->read(s);
	end = s->read_at ? s->read_at : now_ns();
	if (opt.pause)
		resume_targets();
	s->est = begin + (end - begin) / 2 - set_middle;
	s->taint |= taint_after(s);
	count_processes(s);
	measure_take(s);
	emit_end(s);
}

/* ---- when ---- */

static int
all_ended(void)
{
	if (opt.kind == TARGET_CGROUP || opt.kind == TARGET_SYSTEM)
		return 0;
	command_wait(0);
	return targets_ended();
}

/* 0 at the time, 1 when there is nothing left to measure or a signal came. */
static int
wait_until(u64 when)
{
	while (now_ns() < when) {
		u64 look = now_ns() + LOOK;

		if (stop_signal || all_ended())
			return 1;
		sleep_until(look < when ? look : when);
	}
	return 0;
}

/* The time of sample n, from 0. */
static u64
tick(u64 n)
{
	return start + (opt.steps ? opt.interval << n
		: opt.interval * (n + 1));
}

/* Ticks that have passed already are left out, not made up for. */
static u64
next_tick(u64 n)
{
	u64 now = now_ns();

	if (!opt.steps && tick(n) <= now)
		n = (now - start) / opt.interval;
	return n;
}

static u64
wanted_samples(void)
{
	if (opt.steps)
		return opt.steps;
	if (opt.samples)
		return opt.samples;
	return opt.snapshots || opt.cumulative || opt.duration ? ~0ull : 1;
}

static int
is_over(u64 n)
{
	return samples >= wanted_samples() || stop_signal ||
		(opt.duration && tick(n) > start + opt.duration);
}

static void
run(void)
{
	u64 n = 0;
	int over;

	do {
		over = wait_until(tick(n));
		if (over && !stop_signal)
			break;
		targets_update();
		if (opt.kind <= TARGET_TREE && !targets_alive())
			break;
		read_one();
		n = next_tick(n + 1);
		if (!is_over(n) && !opt.cumulative && !opt.steps)
			mark();
	} while (!is_over(n));
}

/* ---- remarks ---- */

/* Resident pages, as the kernel counts them. */
static u64
resident(void)
{
	struct procstat st;
	u64 pages = 0;
	unsigned i;

	if (opt.kind == TARGET_CGROUP || opt.kind == TARGET_SYSTEM)
		return bitmap_frames();
	for (i = 0; i < target_count; i++)
		if (!procstat_read(targets[i].pid, &st))
			pages += st.rss;
	return pages;
}

/* Nanoseconds a page for set and read together, measured on hardware; two
 * digits are not meant. */
static const u16 page_cost[BACKEND_COUNT] = {
	[BACKEND_PAGE_IDLE] = 800, [BACKEND_CLEAR_REFS] = 130,
	[BACKEND_SOFT_DIRTY] = 60, [BACKEND_DAMON] = 60,
};

static u64
memory_used(void)
{
	u64 n = ops->memory();

	if (CFG_MEMIDLE_HISTORY)
		n += history_memory();
	if (CFG_MEMIDLE_HEAT)
		n += heat_memory();
	return n;
}

static void
remark_before(u64 pages)
{
	char size[FMT_SIZE_MAX], ms[FMT_FIXED_MAX];

	if (opt.quiet)
		return;
	note("%s: backend %s: %s", applet_name, ops->name,
		found[opt.backend].why);
	if (opt.backend == BACKEND_PAGE_IDLE ||
	    opt.backend == BACKEND_CLEAR_REFS)
		note("%s: TLB: %s", applet_name, !flush_wanted()
			? "not flushed: pages whose translation is cached may "
			"look idle (-f flushes)"
			: soft_dirty_works() ? "flushed; each page written "
			"since costs a minor fault, CRIU's tracking is lost"
			: "flushed");
	note("%s: %lu pages: %s of memory, about %s ms of CPU a sample",
		applet_name, pages, fmt_size(size, memory_used()),
		fmt_fixed(ms, pages * page_cost[opt.backend] / 10000, 2));
}

static void
remark_after(void)
{
	char s[FMT_FIXED_MAX];
	u64 used = cpu_ns() - cpu_start;

	if (opt.quiet)
		return;
	note("%s: %lu sample%s, %s ms of CPU, %lu pages visited: %lu ns/page",
		applet_name, samples, samples == 1 ? "" : "s",
		fmt_fixed(s, used / 10000, 2), pages_walked,
		pages_walked ? used / pages_walked : 0);
	if (!samples)
		note("%s: all had ended before the first sample",
			applet_name);
}

/* ---- all ---- */

static void
reports_open(u64 pages)
{
	emit_open();
	if (CFG_MEMIDLE_HISTORY && (opt.ages || opt.reuse))
		history_open(pages);
	if (CFG_MEMIDLE_HEAT && (opt.heat || opt.png))
		heat_open(pages);
	if (CFG_MEMIDLE_TRACE && opt.trace)
		trace_create(opt.trace);
	report_open();
}

static int
reports_close(void)
{
	int status = report_close();

	if (CFG_MEMIDLE_HEAT && opt.png && heat_png(opt.png))
		status = EXIT_FAILED;
	if (CFG_MEMIDLE_TRACE && opt.trace && trace_close(1))
		status = EXIT_FAILED;
	return status;
}

static int
denied_all(void)
{
	unsigned i, denied = 0;

	for (i = 0; i < target_count; i++)
		denied += targets[i].denied;
	return denied && denied == target_count;
}

int
measure_run(void)
{
	u64 pages;
	int status;

	probe_choose();
	ops = backends[opt.backend];
	stop_on_signals();
	targets_open();
	ops->open();
	pages = resident();
	reports_open(pages);
	remark_before(pages);
	cpu_start = cpu_ns();
	mark();
	if (denied_all())
		die("not permitted: needs root, or a process of the same user");
	command_go();
	start = now_ns();
	run();
	keep_restore();
	status = reports_close();
	remark_after();
	if (!opt.command)
		return status;
	return status ? status : command_wait(1);
}
