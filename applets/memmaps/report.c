/* report.c - where the output goes, and samples at their times. */
#include "memmaps.h"

struct out report;
static struct outfile file = { .fd = -1 };

static void
drop_report(void)
{
	outfile_abort(&file);
}

void
report_open(void)
{
	static char buf[8 * 1024];
	int flags = OUTFILE_ANYFS | (ask.force || ask.as_memc ? OUTFILE_FORCE
		: 0);

	if (ask.output && outfile_open(&file, ask.output, flags) < 0)
		_exit(EXIT_FAILED);
	die_cleanup = drop_report;
	out_open(&report, ask.output ? file.fd : 1);
	out_buffer(&report, buf, sizeof(buf));
}

int
report_end(int code)
{
	int error = out_finish(&report, ask.output ? ask.output
		: "standard output");

	if (error || code == EXIT_FAILED) {
		outfile_abort(&file);
		return EXIT_FAILED;
	}
	if (ask.output && outfile_commit(&file) < 0)
		return EXIT_FAILED;
	return code;
}

int
sample_all(int (*sample)(void))
{
	u64 next = now_ns(), n;
	int worst = 0, code;

	for (n = 0; !ask.count || n < ask.count; n++) {
		if (n && sleep_until(next += ask.interval) < 0)
			break;
		code = sample();
		if (code < 0)
			break;
		worst = code > worst ? code : worst;
		/* Each sample is for a reader who may be waiting. */
		if (ask.sampling && out_flush(&report) < 0)
			break;
		if (stop_signal)
			break;
	}
	return worst;
}
