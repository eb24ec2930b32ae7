/* run.c - a run from the start of tracing to the last report. */
#include <signal.h>

#include "memtrack.h"
#include "run.h"

enum {
	POLL_MS = 50,
	POLL_USERS_MS = 10,	/* their maps are read while they live */
};

static struct outfile file;
static struct out out;
static char out_space[16384];
static volatile int report_signal;

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

static void
note_report(int sig)
{
	(void)sig;
	report_signal = 1;
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

int
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
	return failed ? failed : command_status();
}

int
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

int
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
