/* memtrack - tell who allocated the memory: modules, tasks, call paths
 *
 * alias: memstrack MEMTRACK
 *
 * config MEMTRACK
 *	bool "memtrack (40 kb)"
 *	default y
 *	help
 *	  usage: memtrack [OPTIONS] [-- COMMAND ARGUMENT...]
 *
 *	  Traces the kernel's page allocator and charges each page to the task,
 *	  the kernel module and the call path that took it, until it is freed:
 *	  how much is held now, and at the worst moment. It needs root and
 *	  tracefs (mounted or not), no perf, no debugfs. The tracing instance is
 *	  its own; other users of the tracer are not disturbed.
 *
 *	  Without COMMAND it runs until SIGINT or SIGTERM, then reports and exits
 *	  0; with COMMAND until that ends, and exits with its status. SIGUSR1
 *	  reports and goes on. Called as memstrack it takes that program's
 *	  command line.
 *
 *	  -r, --report LIST      what to report, in that order (below)
 *	  -t, --throttle PERCENT task reports stop at that share of the pages
 *	  -o, --output FILE      report to FILE (as FILE.part until complete)
 *	      --force            FILE may exist
 *	      --json             one JSON document instead; with --interval one
 *	                         a line
 *	      --kmsg             the summary also to the kernel's log
 *	      --interval TIME    report every TIME (5, 500ms, 2m) and at the end
 *	      --duration TIME    end by itself
 *	      --notui            no terminal view
 *	      --threads          count threads, not processes
 *	  -s, --buf-size SIZE    ring for each CPU (1408K; a bare number is MiB)
 *	      --stacks N         room for N call paths (16384)
 *	      --adopt NAME       take over the instance NAME that the kernel set
 *	                         up at boot, or "global": the whole boot counts
 *	      --boot-params      print the kernel parameters for that
 *	  -b, --backend NAME     ftrace; perf is taken for it
 *	      --debug            tell on stderr what is set up
 *
 *	  Reports, joined by commas; each may have :sort_by_alloc, :sort_by_peak,
 *	  :throttle=PERCENT, :top=N after it:
 *	    summary           total, peak, events, lost events, own cost
 *	    module_summary    kernel modules
 *	    module_top        their call paths (top: a level's branches, 2)
 *	    task_summary      processes
 *	    task_top          their call paths
 *	    task_top_json     the same as JSON
 *	    proc_slab_static  slab caches, from /proc/slabinfo
 *	    vmalloc           growth since the start, by caller
 *
 *	  A page is a module's when the innermost frame that lies in a module is
 *	  in that one, or when it was taken while that module was being loaded.
 *	  Peaks are simultaneous ones, but for inner lines of a call tree: those
 *	  add up their branches' peaks. Pages freed by nobody we saw allocate are
 *	  not counted. No event tells of pages allocated in bulk for vmalloc
 *	  before Linux 6.3, nor of a page's move by compaction: its new place is
 *	  not counted, its old one is freed. summary tells what is not exact.
 *
 *	  Examples:
 *	    memtrack -r module_summary,task_summary --duration 10
 *	    memtrack -r task_top:top=3 -- make -j4
 *	    memtrack --notui --kmsg -o /report &
 *	    memtrack --json --interval 1 >log
 *
 * config MEMTRACK_TUI
 *	bool "terminal view (5 kb)"
 *	default y
 *	depends on MEMTRACK
 *	help
 *	  On a terminal, without --notui and COMMAND, a live view: q ends, m goes
 *	  from processes to modules, s sorts, / filters, p pauses, r reads symbols
 *	  anew, arrows and page keys move, space opens a call tree.
 *
 * config MEMTRACK_USER_STACKS
 *	bool "user call chains (3 kb)"
 *	default y
 *	depends on MEMTRACK
 *	help
 *	      --user-stacks      user frames, too: the program's call site that made
 *	                         the kernel allocate. The kernel gives 8 frames at
 *	                         most and follows frame pointers (gcc:
 *	                         -fno-omit-frame-pointer; the caller of a function
 *	                         without a frame, as leaf functions may be, is
 *	                         missing); frames outside of executable maps are cut
 *	                         and counted, and so are those of a process that
 *	                         ended too soon. Names come from the program's
 *	                         symbol table
 *
 * config MEMTRACK_OWNER
 *	bool "page_owner (2 kb)"
 *	default y
 *	depends on MEMTRACK
 *	help
 *	  -b pageowner           report once what page_owner says (boot with
 *	                         page_owner=on; debugfs), of Linux 4.19 to 6.18
 *	      --pageowner-file FILE   of a saved copy
 */
#include "memtrack.h"
#include "run.h"

enum {
	O_NOTUI = 256, O_FORCE, O_JSON, O_KMSG, O_INTERVAL, O_DURATION,
	O_THREADS, O_STACKS, O_ADOPT, O_BOOT, O_DEBUG, O_USER, O_FILE,
};
static const struct opt options[] = {
	{ "report", 'r', OPT_ARG }, { "throttle", 't', OPT_ARG },
	{ "output", 'o', OPT_ARG }, { "force", O_FORCE }, { "json", O_JSON },
	{ "kmsg", O_KMSG }, { "interval", O_INTERVAL, OPT_ARG },
	{ "duration", O_DURATION, OPT_ARG }, { "notui", O_NOTUI },
	{ "threads", O_THREADS }, { "buf-size", 's', OPT_ARG },
	{ "stacks", O_STACKS, OPT_ARG }, { "adopt", O_ADOPT, OPT_ARG },
	{ "boot-params", O_BOOT }, { "backend", 'b', OPT_ARG },
	{ "debug", O_DEBUG },
	{ "user-stacks", O_USER, OPT_FLAG, !CFG_MEMTRACK_USER_STACKS },
	{ "pageowner-file", O_FILE, OPT_ARG, !CFG_MEMTRACK_OWNER },
	{ NULL, '?' }, { 0 },
};

enum {
	BUFFER_DEFAULT = 1408 << 10, STACKS_DEFAULT = 16384,
	STACKS_LEAST = 256, STACKS_MOST = 1 << 20,
};

struct settings set = {
	.trace = { .buffer = BUFFER_DEFAULT }, .stacks = STACKS_DEFAULT,
	.throttle = -1, .file_flags = OUTFILE_ANYFS,
};

static u64
ring_size(const char *s)
{
	u64 n;
	int bare = !parse_u64(s, &n);

	if (!bare)
		n = xparse_size("--buf-size", s);
	else if (n < 1 << 20)
		n *= MIB;
	if (n < 64 * KIB || n > 64 * GIB)
		usage_die("--buf-size %s: want 64K to 64G", s);
	return n;
}

static void
backend(const char *name)
{
	if (!strcmp(name, "pageowner") && CFG_MEMTRACK_OWNER)
		set.owner = 1;
	else if (!strcmp(name, "perf"))
		note("%s: note: perf is not used; ftrace gives the same",
			applet_name);
	else if (strcmp(name, "ftrace"))
		usage_die("--backend: unknown '%s' (ftrace%s)", name,
			CFG_MEMTRACK_OWNER ? ", pageowner" : "");
}

static u32
number(const char *opt, const char *s, u64 least, u64 most)
{
	u64 v = xparse_u64(opt, s);

	if (v < least || v > most)
		usage_die("%s: want %lu to %lu, not %s", opt,
			(unsigned long)least, (unsigned long)most, s);
	return (u32)v;
}

static u64
duration(const char *opt, const char *s)
{
	u64 ns = xparse_time(opt, s, 1000000000);

	if (ns < 10000000)
		usage_die("%s: want 10ms or more", opt);
	return ns;
}

static void
ask_help(void)
{
	static struct out out;

	out_open(&out, 1);
	out_str(&out, applet_usage);
	_exit(out_finish(&out, "standard output"));
}

static void
option(int id, char *arg)
{
	switch (id) {
	case 'r':
		report_parse(arg);
		set.reports_asked = 1;
		break;
	case 't':
		set.throttle = (int)number("--throttle", arg, 0, 100);
		break;
	case 'o':
		set.output = arg;
		break;
	case 's':
		set.trace.buffer = ring_size(arg);
		break;
	case 'b':
		backend(arg);
		break;
	case '?':
		ask_help();
		break;
	case O_FORCE:
		set.file_flags |= OUTFILE_FORCE;
		break;
	case O_INTERVAL:
		set.interval = duration("--interval", arg);
		break;
	case O_DURATION:
		set.duration = duration("--duration", arg);
		break;
	case O_STACKS:
		set.stacks = number("--stacks", arg, STACKS_LEAST,
			STACKS_MOST);
		break;
	case O_ADOPT:
		set.trace.adopt = arg;
		break;
	case O_FILE:
		set.owner_file = arg;
		break;
	case O_USER:
		set.trace.user_stacks = 1;
		break;
	case O_JSON: set.json = 1; break;
	case O_KMSG: set.kmsg = 1; break;
	case O_NOTUI: set.notui = 1; break;
	case O_THREADS: set.threads = 1; break;
	case O_BOOT: set.boot = 1; break;
	case O_DEBUG: set.debug = 1; break;
	}
}

static void
check_options(const struct opts *o)
{
	if (o->operands[0])
		usage_die("unexpected argument '%s' (a command goes after --)",
			o->operands[0]);
	if (set.owner_file && !set.owner)
		usage_die("--pageowner-file needs --backend pageowner");
	if (set.owner && (o->command || set.trace.adopt || set.interval ||
	    set.trace.user_stacks))
		usage_die("--backend pageowner reads once: no COMMAND, "
			"--interval, --adopt, --user-stacks");
	if (set.trace.adopt && o->command)
		usage_die("--adopt takes no COMMAND");
}

int
memtrack_main(char **argv)
{
	struct opts o;
	int id;

	opt_open(&o, argv, options);
	o.split = 1;
	if (!strcmp(applet_name, "memstrack"))
		set.file_flags |= OUTFILE_FORCE;
	while ((id = opt_next(&o)) != OPT_END)
		option(id, o.arg);
	check_options(&o);
	if (set.boot)
		return boot_params();
	report_defaults(set.throttle);
	if (CFG_MEMTRACK_OWNER && set.owner)
		return owner_run();
	root_refuse("tracing");
	if (CFG_MEMTRACK_TUI && !set.notui && !o.command && !set.output &&
	    !set.json && !set.interval && term_is(0) && term_is(1))
		return tui_run_and_report();
	return trace_run(o.command);
}
