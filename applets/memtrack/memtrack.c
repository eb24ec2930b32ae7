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
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "memtrack.h"

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
	STACKS_LEAST = 256, STACKS_MOST = 1 << 20, POLL_MS = 50,
	POLL_USERS_MS = 10,	/* their maps are read while they live */
};

static struct settings {
	struct trace_options trace;
	const char *output, *owner_file;
	u64 interval, duration;	/* ns, 0 = none */
	u32 stacks;
	int throttle, file_flags, json, kmsg, notui, threads, boot, owner;
	int debug, reports_asked;
} set = {
	.trace = { .buffer = BUFFER_DEFAULT }, .stacks = STACKS_DEFAULT,
	.throttle = -1, .file_flags = OUTFILE_ANYFS,
};
static struct outfile file;
static struct out out;
static char out_space[16384];
static volatile int report_signal, child_signal;
static int child_pid, child_status, priority;

/* ---- the command line ---- */

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

/* ---- boot parameters ---- */

static int
kernel_at_least(unsigned major, unsigned minor)
{
	struct utsname u;
	const char *p = u.release;
	u64 a = 0, b = 0;

	uname(&u);
	scan_u64(&p, &a);
	p += *p == '.';
	scan_u64(&p, &b);
	return a > major || (a == major && b >= minor);
}

/* Events that this kernel has, or all when it cannot be asked. */
static void
put_events(int dir, int stacks_only, const char *after)
{
	const struct event_type *t;
	const char *slash, *lead = "";
	char path[96];

	for (t = event_types; t->path; t++) {
		fmt_str(path, sizeof(path), "events/%s/format", t->path);
		if (t->kind == EVENT_STACK || t->kind == EVENT_USER ||
		    (stacks_only && !t->stacks) ||
		    (dir >= 0 && faccessat(dir, path, F_OK, 0)))
			continue;
		slash = strchr(t->path, '/');
		out_str(&out, lead);
		if (!stacks_only)
			out_fmt(&out, "%.*s:", (int)(slash - t->path),
				t->path);
		out_fmt(&out, "%s%s", slash + 1, after);
		lead = ",";
	}
}

static int
boot_params(void)
{
	int dir = tracefs_open();

	out_open(&out, 1);
	if (kernel_at_least(6, 3)) {
		out_str(&out, "trace_instance=memtrack,");
		put_events(dir, 0, "");
		out_str(&out, " trace_trigger=");
		put_events(dir, 1, ".stacktrace");
		out_str(&out, " trace_buf_size=16M\n");
		note("then: %s --adopt memtrack", applet_name);
	} else {
		out_str(&out, "trace_event=");
		put_events(dir, 0, "");
		/* A clock that is chosen later would empty the buffer. */
		out_str(&out, " trace_options=stacktrace trace_clock=global "
			"trace_buf_size=64M\n");
		note("then: %s --adopt global", applet_name);
	}
	return out_finish(&out, "standard output");
}

/* ---- reports ---- */

static void
open_output(void)
{
	if (outfile_open(&file, set.output ? set.output : "-",
			set.file_flags) < 0) {
		trace_close();
		_exit(EXIT_FAILED);
	}
	out_open(&out, file.fd);
	out_buffer(&out, out_space, sizeof(out_space));
}

static void
report(void)
{
	report_prepare();
	if (set.json)
		json_report(&out, set.interval != 0);
	else
		report_print(&out);
	out_flush(&out);
	if (set.kmsg)
		report_kmsg();
}

static int
close_output(void)
{
	int failed = out_finish(&out, set.output ? set.output
		: "standard output");

	if (failed)
		outfile_abort(&file);
	else if (outfile_commit(&file) < 0)
		failed = EXIT_FAILED;
	return failed;
}

/* ---- the command ---- */

static void
note_child(int sig)
{
	(void)sig;
	child_signal = 1;
}

static void
note_report(int sig)
{
	(void)sig;
	report_signal = 1;
}

static void
start_command(char **argv)
{
	child_pid = fork();
	if (child_pid < 0) {
		warn("fork:");
		trace_close();
		_exit(EXIT_FAILED);
	}
	if (child_pid)
		return;
	setpriority(PRIO_PROCESS, 0, priority);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	warn("%s:", argv[0]);
	_exit(errno == ENOENT ? 127 : 126);
}

static void
set_status(int status)
{
	child_pid = 0;
	child_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
		: WEXITSTATUS(status);
}

/* 1 when it has ended. */
static int
command_ended(void)
{
	int status;

	if (!child_pid || !child_signal)
		return 0;
	child_signal = 0;
	if (waitpid(child_pid, &status, WNOHANG) != child_pid)
		return 0;
	set_status(status);
	return 1;
}

/* A signal to us alone ends the command as well. */
static void
signal_command(void)
{
	if (child_pid && stop_signal)
		kill(child_pid, stop_signal);
}

static void
wait_command(void)
{
	int status;

	if (!child_pid)
		return;
	while (waitpid(child_pid, &status, 0) < 0)
		if (errno != EINTR)
			return;
	set_status(status);
}

/* ---- runs ---- */

static u64
table_pages(void)
{
	static char text[65536];
	u64 spanned = 0, start, most = 0;
	const char *p = text;

	if (root_slurp("/proc/zoneinfo", text, sizeof(text)) <= 0)
		die("read /proc/zoneinfo (is /proc mounted?):");
	while ((p = strstr(p, "spanned "))) {
		p += 8;
		if (scan_u64(&p, &spanned) < 0)
			continue;
		p = strstr(p, "start_pfn:");
		if (!p)
			break;
		p += 10;
		if (!scan_u64(&p, &start) && start + spanned > most)
			most = start + spanned;
	}
	if (!most)
		die("/proc/zoneinfo tells no page numbers");
	return most;
}

static void
open_tables(void)
{
	syms_open();
	acct_open(set.stacks, set.owner ? 1 : table_pages());
	task_open(set.threads);
	module_open();
}

/* A reader that waits behind those it watches loses what they do. The command
 * does not inherit it; musl's own call is a stub. */
static void
run_first(void)
{
	struct sched_param least = { .sched_priority = 1 };

	priority = getpriority(PRIO_PROCESS, 0);
	if (syscall(SYS_sched_setscheduler, 0,
			SCHED_RR | SCHED_RESET_ON_FORK, &least) < 0)
		setpriority(PRIO_PROCESS, 0, -20);
}

static void
start_tracing(void)
{
	struct sigaction on_report = { .sa_handler = note_report };
	struct sigaction on_child = { .sa_handler = note_child };

	sigaction(SIGUSR1, &on_report, NULL);
	sigaction(SIGCHLD, &on_child, NULL);
	stop_on_signals();
	run_first();
	open_tables();
	trace_open(&set.trace);
	/* Before the rings fill, which would not wait for it. */
	if (syms_classify() < 0)
		warn("no addresses in /proc/kallsyms (kptr_restrict, or no "
			"CONFIG_KALLSYMS): no names, and pages of a module's "
			"loading are not told apart");
	trace_start(&set.trace);
	if (set.debug)
		note("%s: %lu bytes of rings, %lu bytes of tables at most",
			applet_name, (unsigned long)trace_ring_bytes(),
			(unsigned long)acct_bytes());
	vmap_open();
}

static void
run(void)
{
	u64 start = now_ns(), due = start + set.interval;
	u64 end = set.duration ? start + set.duration : ~0ull, now, next;
	int ms, most = set.trace.user_stacks ? POLL_USERS_MS : POLL_MS;

	while (!stop_signal && !command_ended() && (now = now_ns()) < end) {
		next = set.interval && due < end ? due : end;
		ms = next - now < (u64)most * 1000000
			? (int)((next - now) / 1000000) + 1 : most;
		trace_poll(ms);
		if (report_signal || (set.interval && now_ns() >= due)) {
			if (!report_signal)
				due += set.interval;
			report_signal = 0;
			report();
		}
		if (out.err)	/* nobody reads the reports */
			break;
	}
}

static int
trace_run(char **command)
{
	int failed;

	start_tracing();
	open_output();
	if (command)
		start_command(command);
	else
		note("Tracing memory allocations, Press ^C to interrupt ...");
	run();
	signal_command();
	trace_stop();
	report();
	failed = close_output();
	trace_close();
	wait_command();
	return failed ? failed : child_status;
}

static int
owner_run(void)
{
	int failed;

	open_output();
	open_tables();
	failed = owner_read(set.owner_file, set.threads);
	if (failed) {
		outfile_abort(&file);
		return failed;
	}
	report();
	return close_output();
}

static int
tui_run_and_report(void)
{
	int failed = 0;

	start_tracing();
	tui_run(set.duration);
	trace_stop();
	if (set.reports_asked) {
		open_output();
		report();
		failed = close_output();
	}
	trace_close();
	return failed;
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
