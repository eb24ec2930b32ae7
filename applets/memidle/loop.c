/* loop.c - mark, wait, read, and again: ticks on the monotonic clock that do
 * not drift, and an end that is always the same. */
#include <sys/prctl.h>

#include "memidle.h"

static const struct backend_ops *const backends[BACKEND_COUNT] = {
	[BACKEND_PAGE_IDLE] = &page_idle_ops,
	[BACKEND_CLEAR_REFS] = &clear_refs_ops,
	[BACKEND_LRU_GEN] = CFG_MEMIDLE_LRU_GEN ? &lru_gen_ops : NULL,
	[BACKEND_DAMON] = CFG_MEMIDLE_DAMON ? &damon_ops : NULL,
	[BACKEND_SOFT_DIRTY] = &soft_dirty_ops,
};
static const struct backend_ops *ops;
static struct sample sample;
static u64 start, set_middle, samples, cpu_start;

enum {
	LOOK = 50000000,	/* ns between looks whether all have ended */
	BUFFERS = 40 * 1024,	/* for pagemap, the flags, output */
};

/* ---- phases ---- */

static void
mark(void)
{
	u64 begin;

	watched_update();
	if (idle.pause)
		pause_targets();
	taint_before();
	begin = now_ns();
	throttle_begin();
	ops->set();
	set_middle = begin + (now_ns() - begin) / 2;
	if (idle.pause)
		resume_targets();
}

static void
count_processes(struct sample *s)
{
	unsigned i;

	s->gone = watched_gone;
	for (i = 0; i < watched_count; i++) {
		s->gone += watched[i].gone;
		s->denied += watched[i].denied && !watched[i].gone;
		s->processes += !watched[i].gone;
	}
}

/* Of who ended while he was read something is missing, and the sample says
 * so. */
static void
read_one(void)
{
	struct sample *s = &sample;
	u64 begin, end;

	if (idle.pause)
		pause_targets();
	begin = now_ns();
	*s = (struct sample){
		.number = samples++, .time = begin - start, .wall = wall_ns(),
	};
	throttle_begin();
	emit_begin(s);
	ops->read(s);
	end = s->read_at ? s->read_at : now_ns();
	if (idle.pause)
		resume_targets();
	s->est = begin + (end - begin) / 2 - set_middle;
	s->taint |= taint_after(s);
	if (watched_lost())
		s->taint |= TAINT_ENDED;
	count_processes(s);
	measure_take(s);
	emit_end(s);
}

/* ---- when ---- */

static int
all_ended(void)
{
	if (idle.kind == TARGET_CGROUP || idle.kind == TARGET_SYSTEM)
		return 0;
	command_wait(0);
	return watched_ended();
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
	return start + (idle.steps ? idle.interval << n
		: idle.interval * (n + 1));
}

/* Ticks that have passed already are left out, not made up for. */
static u64
next_tick(u64 n)
{
	u64 now = now_ns();

	if (!idle.steps && tick(n) <= now)
		n = (now - start) / idle.interval;
	return n;
}

static u64
wanted_samples(void)
{
	if (idle.steps)
		return idle.steps;
	if (idle.samples)
		return idle.samples;
	return idle.snapshots || idle.cumulative || idle.duration ? ~0ull : 1;
}

static int
is_over(u64 n)
{
	return samples >= wanted_samples() || stop_signal ||
		(idle.duration && tick(n) > start + idle.duration);
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
		watched_update();
		if (idle.kind <= TARGET_TREE && !watched_alive())
			break;
		read_one();
		n = next_tick(n + 1);
		if (!is_over(n) && !idle.cumulative && !idle.steps)
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

	if (idle.kind == TARGET_CGROUP || idle.kind == TARGET_SYSTEM)
		return bitmap_frames() ? bitmap_frames()
			: (u64)sysconf(_SC_PHYS_PAGES);
	for (i = 0; i < watched_count; i++)
		if (!procstat_read(watched[i].pid, &st))
			pages += st.rss;
	return pages;
}

/* Nanoseconds a page for set and read together, measured on hardware; two
 * digits are not meant. */
static const u16 page_cost[BACKEND_COUNT] = {
	[BACKEND_PAGE_IDLE] = 800, [BACKEND_CLEAR_REFS] = 130,
	[BACKEND_SOFT_DIRTY] = 60, [BACKEND_DAMON] = 60,
};

/* The program itself: what of it is resident now (statm counts by hundreds of
 * KiB), and what is touched from here on. */
static u64
own_memory(void)
{
	static char buf[1024];
	const char *s;
	u64 kib = 0;

	s = root_slurp("/proc/self/smaps_rollup", buf, sizeof(buf)) > 0
		? strstr(buf, "\nRss:") : NULL;
	if (s) {
		s += 5 + strspn(s + 5, " ");
		scan_u64(&s, &kib);
	}
	return kib * KIB + BUFFERS;
}

static u64
memory_used(void)
{
	u64 n = own_memory() + ops->memory();

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

	if (idle.quiet)
		return;
	note("%s: backend %s: %s", applet_name, ops->name,
		backend_found[idle.backend].why);
	if (idle.backend != BACKEND_DAMON &&
	    idle.backend != BACKEND_SOFT_DIRTY)
		note("%s: TLB: %s", applet_name, !flush_wanted()
			? "not flushed: pages whose translation is cached may "
			"look idle (-f flushes)"
			: soft_dirty_works() ? "flushed; each page written "
			"since costs a minor fault, CRIU's tracking is lost"
			: "flushed");
	note("%s: %lu pages: up to %s of memory, about %s ms of CPU a sample",
		applet_name, pages, fmt_size(size, memory_used()),
		fmt_fixed(ms, pages * page_cost[idle.backend] / 10000, 2));
}

static void
remark_after(void)
{
	char s[FMT_FIXED_MAX];
	u64 used = cpu_ns() - cpu_start;

	if (idle.quiet)
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
	if (CFG_MEMIDLE_HISTORY && (idle.ages || idle.reuse))
		history_open(pages);
	if (CFG_MEMIDLE_HEAT && (idle.heat || idle.png))
		heat_open(pages);
	if (CFG_MEMIDLE_TRACE && idle.trace)
		mit_create(idle.trace);
	idle_report_open();
}

static int
reports_close(void)
{
	int status = idle_report_close();

	if (CFG_MEMIDLE_HEAT && idle.png && heat_png(idle.png))
		status = EXIT_FAILED;
	if (CFG_MEMIDLE_TRACE && idle.trace && mit_close(1))
		status = EXIT_FAILED;
	return status;
}

static int
denied_all(void)
{
	unsigned i, denied = 0;

	for (i = 0; i < watched_count; i++)
		denied += watched[i].denied;
	return denied && denied == watched_count;
}

int
measure_run(void)
{
	u64 pages;
	int status;

	stop_on_signals();
	watched_open();
	backend_probe_choose();
	ops = backends[idle.backend];
	/* not before: the command would have none either */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
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
	if (!idle.command)
		return status;
	return status ? status : command_wait(1);
}
