/* memidle - which memory is really used: the working set
 *
 * config MEMIDLE
 *	bool "memidle (51 kb)"
 *	default y
 *	help
 *	  usage: memidle [OPTIONS] PID[,PID...] [SECONDS]
 *	         memidle [OPTIONS] --tree PID | --cgroup PATH | --system [SECONDS]
 *	         memidle [OPTIONS] -- COMMAND [ARGUMENTS]
 *	         memidle --probe
 *
 *	  Says which pages were touched in an interval (SECONDS, 1) and which were
 *	  not. One sample, or with -s one after the other until the end (or for
 *	  SECONDS).
 *
 *	  what to measure
 *	      --tree PID      a process and all its descendants
 *	      --cgroup PATH   a cgroup and those below it (/sys/fs/cgroup/...)
 *	      --system        the whole machine
 *	      -- COMMAND      start it, measure it and its children; its status is
 *	                      ours, and its output stands between ours: with
 *	                      --json, let it write elsewhere, or use -o and --read
 *	      --filter EXPR   only such VMAs: heap stack anon file readable writable
 *	                      executable shared longer(SIZE) name(GLOB), with and,
 *	                      or, not and ( )
 *	  when
 *	    -s TIME           snapshots: every TIME mark anew and read
 *	    -C                cumulative: mark once, read every interval
 *	    -P STEPS          the curve: read after 1, 2, 4, .. intervals
 *	    -n N              so many samples
 *	    -d TIME           no longer than this
 *	  how
 *	      --probe         what this kernel can do, and why not. Exit 0 when
 *	                      page_idle works
 *	    -b BACKEND        page_idle clear_refs lru_gen damon soft_dirty, or auto
 *	    -f, --flush       flush the TLB when marking (4 to clear_refs): else a
 *	                      page whose translation is cached looks idle. Where the
 *	                      kernel has soft-dirty, it costs a minor fault for each
 *	                      page written then, disturbs CRIU, and gives the column
 *	                      written. Done unasked where it costs nothing
 *	      --no-flush      never
 *	      --enable-lru-gen   turn MGLRU on for the run
 *	      --pause HOW     hold the target while marking and reading: freeze (its
 *	                      cgroup) or stop (SIGSTOP)
 *	      --max-cpu PCT   spread the work: at most so much of one CPU
 *	  what to show
 *	    -v, --vmas        a table of VMAs below each sample
 *	    -m, --measure LIST   timestamp uptime statm smaps swap processio diskio
 *	                      faults wss psi: more columns
 *	    -a, --advice      percentiles at the end: a limit to set
 *	      --json          a JSON document a line for each sample
 *	      --csv           a CSV row a sample (with -v: a VMA)
 *	      --bytes         sizes as plain numbers
 *	    -q, --quiet       no remarks on stderr
 *
 *	  Columns: active (touched), idle (not), untracked (hugetlb, zero page, not
 *	  on an LRU list: the kernel cannot tell), unknown (frames that the bitmap
 *	  cannot read back): together they are present. tainted: somebody else
 *	  cleared accessed bits (MGLRU, a kdamond, NUMA balancing; clear_refs? is a
 *	  guess), or a process stopped, ended or called exec: active pages may look
 *	  idle in that sample; or idle ones active (thp_collapse). A page shared by several of the processes is one in
 *	  the totals. est_seconds is from the middle of marking to the reading.
 *
 *	  Examples:
 *	    memidle 1234 10          one process, ten seconds
 *	    memidle -s 1 -n 60 -m faults,psi --tree 1234
 *	    memidle -P 8 -f 1234     its working set over 1, 2, .. 128 s
 *	    memidle --filter 'heap or anon and longer(1M)' -v 1234
 *
 * config MEMIDLE_LRU_GEN
 *	bool "backend lru_gen: MGLRU's generations (2 kb)"
 *	default y
 *	depends on MEMIDLE
 *
 * config MEMIDLE_DAMON
 *	bool "backend damon (3 kb)"
 *	default y
 *	depends on MEMIDLE
 *
 * config MEMIDLE_HISTORY
 *	bool "ages and reuse distances (3 kb)"
 *	default y
 *	depends on MEMIDLE
 *	help
 *	      --ages LIST     at the end: pages by how long they were idle, as in
 *	                      0,5s,30s,2m,10m
 *	      --reuse         at the end: how many other pages are touched between
 *	                      two uses of a page, bounds from below and above
 *
 * config MEMIDLE_HEAT
 *	bool "heat maps (4 kb)"
 *	default y
 *	depends on MEMIDLE
 *	help
 *	      --heat          at the end: a map of time and address
 *	      --png FILE      the same as a picture
 *
 * config MEMIDLE_TRACE
 *	bool "trace files (4 kb)"
 *	default y
 *	depends on MEMIDLE
 *	help
 *	    -o FILE.mit       keep the pages of every sample
 *	      --force         -o and --png may replace a file
 *	      --read FILE.mit make the reports from it, without root
 */
#include "memidle.h"

struct options idle = { .flush = -1, .interval = 1000000000 };

enum option_id {
	OPT_TREE = 300, OPT_CGROUP, OPT_SYSTEM, OPT_FILTER, OPT_PROBE,
	OPT_NO_FLUSH, OPT_ENABLE_LRU_GEN, OPT_PAUSE, OPT_MAX_CPU, OPT_JSON,
	OPT_CSV, OPT_BYTES, OPT_AGES, OPT_REUSE, OPT_HEAT, OPT_PNG,
	OPT_FORCE, OPT_READ
};
static const struct opt table[] = {
	{ "tree", OPT_TREE, OPT_ARG }, { "cgroup", OPT_CGROUP, OPT_ARG },
	{ "system", OPT_SYSTEM }, { "filter", OPT_FILTER, OPT_ARG },
	{ "snapshots", 's', OPT_ARG }, { "cumulative", 'C' },
	{ "interval", 's', OPT_ARG }, { "steps", 'P', OPT_ARG },
	{ "samples", 'n', OPT_ARG }, { "duration", 'd', OPT_ARG },
	{ "probe", OPT_PROBE }, { "backend", 'b', OPT_ARG },
	{ "flush", 'f' }, { "no-flush", OPT_NO_FLUSH },
	{ "enable-lru-gen", OPT_ENABLE_LRU_GEN,
		.lacks = !CFG_MEMIDLE_LRU_GEN },
	{ "pause", OPT_PAUSE, OPT_ARG }, { "max-cpu", OPT_MAX_CPU, OPT_ARG },
	{ "vmas", 'v' }, { "measure", 'm', OPT_ARG }, { "advice", 'a' },
	{ "json", OPT_JSON }, { "csv", OPT_CSV }, { "bytes", OPT_BYTES },
	{ "quiet", 'q' },
	{ "ages", OPT_AGES, OPT_ARG, .lacks = !CFG_MEMIDLE_HISTORY },
	{ "reuse", OPT_REUSE, .lacks = !CFG_MEMIDLE_HISTORY },
	{ "heat", OPT_HEAT, .lacks = !CFG_MEMIDLE_HEAT },
	{ "png", OPT_PNG, OPT_ARG, .lacks = !CFG_MEMIDLE_HEAT },
	{ "output", 'o', OPT_ARG, .lacks = !CFG_MEMIDLE_TRACE },
	{ "force", OPT_FORCE,
		.lacks = !CFG_MEMIDLE_TRACE && !CFG_MEMIDLE_HEAT },
	{ "read", OPT_READ, OPT_ARG, .lacks = !CFG_MEMIDLE_TRACE },
	{ 0 }
};

static int probe_only, kinds;

static void
set_backend(const char *name)
{
	int b;

	for (b = 0; b < BACKEND_COUNT; b++)
		if (!strcmp(name, backend_names[b])) {
			idle.backend = b;
			return;
		}
	usage_die("-b: '%s' is none of auto page_idle clear_refs lru_gen damon "
		"soft_dirty", name);
}

static void
set_pause(const char *how)
{
	if (!strcmp(how, "freeze"))
		idle.pause = PAUSE_FREEZE;
	else if (!strcmp(how, "stop"))
		idle.pause = PAUSE_STOP;
	else
		usage_die("--pause: '%s' is neither freeze nor stop", how);
}

static u64
number_in(const char *name, const char *s, u64 low, u64 high)
{
	u64 v = xparse_u64(name, s);

	if (v < low || v > high)
		usage_die("%s: '%s' is not in %lu..%lu", name, s, low, high);
	return v;
}

static void
set_interval(const char *name, const char *s)
{
	idle.interval = xparse_time(name, s, 1000000000);
	if (idle.interval < 1000000 || idle.interval > 1000000000000000)
		usage_die("%s: '%s' is not in 1ms..11 days", name, s);
}

static void
set_kind(enum target_kind kind)
{
	idle.kind = kind;
	kinds++;
}

/* What to measure, and when. 0: not one of these. */
static int
option_target(int id, char *arg)
{
	switch (id) {
	case OPT_TREE: idle.pids = arg; set_kind(TARGET_TREE); break;
	case OPT_CGROUP: idle.cgroup = arg; set_kind(TARGET_CGROUP); break;
	case OPT_SYSTEM: set_kind(TARGET_SYSTEM); break;
	case OPT_FILTER: idle.filter = arg; vma_filter_parse(arg); break;
	case 's': set_interval("-s", arg); idle.snapshots = 1; break;
	case 'C': idle.cumulative = 1; break;
	case 'P': idle.steps = (unsigned)number_in("-P", arg, 1, 30); break;
	case 'n': idle.samples = number_in("-n", arg, 1, 1ull << 40); break;
	case 'd': idle.duration = xparse_time("-d", arg, 1000000000); break;
	default: return 0;
	}
	return 1;
}

static int
option_report(int id, char *arg)
{
	switch (id) {
	case 'v': idle.vmas = 1; break;
	case 'm': idle.measure = arg; measure_parse(arg); break;
	case 'a': idle.advice = 1; break;
	case OPT_JSON: idle.json = 1; break;
	case OPT_CSV: idle.csv = 1; break;
	case OPT_BYTES: idle.bytes = 1; break;
	case 'q': idle.quiet = 1; break;
	case OPT_AGES:
		idle.ages = arg;
		if (CFG_MEMIDLE_HISTORY)
			history_ages(arg);
		break;
	case OPT_REUSE: idle.reuse = 1; break;
	case OPT_HEAT: idle.heat = 1; break;
	case OPT_PNG: idle.png = arg; break;
	case 'o': idle.trace = arg; break;
	case OPT_FORCE: idle.force = 1; break;
	case OPT_READ: idle.read = arg; break;
	default: return 0;
	}
	return 1;
}

static void
option_method(int id, char *arg)
{
	switch (id) {
	case OPT_PROBE: probe_only = 1; break;
	case 'b': set_backend(arg); break;
	case 'f': idle.flush = 1; break;
	case OPT_NO_FLUSH: idle.flush = 0; break;
	case OPT_ENABLE_LRU_GEN: idle.enable_lru_gen = 1; break;
	case OPT_PAUSE: set_pause(arg); break;
	case OPT_MAX_CPU:
		idle.max_cpu = (int)number_in("--max-cpu", arg, 1, 100);
		break;
	}
}

/* So many seconds, and there is such a process: perhaps that was meant. */
static void
hint_pid(const char *s)
{
	struct procstat st;
	u64 v;

	if (!idle.quiet && scan_u64(&s, &v) == 0 && !*s && v >= 300 &&
	    v <= INT_MAX && !procstat_read((int)v, &st))
		note("%s: %lu is taken for SECONDS; several processes are "
			"PID,PID", applet_name, v);
}

/* The operands: PIDs unless an option says what to measure, then SECONDS. */
static void
operands(struct opts *o)
{
	char **arg = o->operands;

	if (!kinds && !o->command && !idle.read && !probe_only) {
		if (!*arg)
			usage_die("which process? PID, --tree, --cgroup, "
				"--system or -- COMMAND");
		idle.pids = *arg++;
	}
	if (*arg && !idle.read && !probe_only) {
		hint_pid(*arg);
		/* with -s it is how long, else how far apart */
		if (idle.snapshots)
			idle.duration = xparse_time("SECONDS", *arg++,
				1000000000);
		else
			set_interval("SECONDS", *arg++);
	}
	if (*arg)
		usage_die("unexpected argument '%s' (several processes are "
			"PID,PID)", *arg);
	if (kinds + !!o->command + !!idle.read + probe_only > 1)
		usage_die("one of --tree, --cgroup, --system, --read, --probe "
			"or -- COMMAND");
	idle.command = o->command;
}

static void
check_together(void)
{
	if (idle.steps && (idle.snapshots || idle.cumulative || idle.samples))
		usage_die("-P goes with neither -s, -C nor -n");
	if (idle.json && idle.csv)
		usage_die("--json or --csv");
	if (idle.read && idle.trace)
		usage_die("--read or -o");
	if (idle.trace && !strcmp(idle.trace, "-"))
		usage_die("-o -: the reports go there");
	if (idle.read && idle.measure)
		usage_die("--read: the measurements are those of the trace");
	if (idle.enable_lru_gen && idle.kind != TARGET_CGROUP &&
	    idle.kind != TARGET_SYSTEM && !probe_only)
		usage_die("--enable-lru-gen is for --cgroup and --system");
}

static void
parse(char **argv)
{
	struct opts o;
	int id;

	opt_open(&o, argv, table);
	o.split = 1;
	while ((id = opt_next(&o)) != OPT_END)
		if (!option_target(id, o.arg) && !option_report(id, o.arg))
			option_method(id, o.arg);
	operands(&o);
	check_together();
}

int
memidle_main(char **argv)
{
	parse(argv);
	/* Not after ten minutes of measuring. */
	if (idle.png && outfile_check(idle.png, OUTFILE_ANYFS |
			(idle.force ? OUTFILE_FORCE : 0)) < 0)
		return EXIT_FAILED;
	if (idle.read)
		return CFG_MEMIDLE_TRACE ? mit_read(idle.read) : EXIT_FAILED;
	backend_probe_all();
	if (probe_only)
		return backend_probe_print();
	root_refuse("measuring");
	return measure_run();
}
