/* check.c - what was asked for, taken together: what does not go with what, and
 * what follows from what. */
#include "picture.h"
#include "watch.h"

void
check_diff(char **files)
{
	if (!files[0] || !files[1] || files[2] || ask.all)
		usage_die("--diff takes two files or directories");
	ask.pids = files;
	ask.pid_count = 2;
	ask.count = 1;
	ask.sampling = 0;
}

static void
check_picture(void)
{
	if (!picture_ask.asked)
		usage_die("--virtual goes with --png FILE or --term");
	if (picture_ask.term && ask.output)
		usage_die("either --png or --term");
	if (ask.all || ask.pid_count)
		usage_die("a picture is of all processes; --pid PID shows one");
	if (picture_ask.pid && picture_ask.color != COLOR_MAPPED)
		usage_die("--color or one process");
	ask.all = 1;
	ask.count = 1;
}

/* Growth needs samples. */
static void
check_watch(void)
{
	if (!ask.counted)
		ask.count = ask.action == watch_sample ? 0 : 10;
	if (ask.counted && ask.count == 1)
		usage_die("--count: 2 samples at the least");
	ask.sampling = ask.smaps = 1;
}

/* What is of use to one action alone. */
static void
check_strays(void)
{
	if (CFG_MEMMAPS_PICTURE && ask.action != picture_sample &&
	    ask.action != virtual_sample && (picture_ask.color ||
	    picture_ask.pid || picture_ask.scale))
		usage_die("--color, --pid and --scale go with --png or --term");
	if (CFG_MEMMAPS_SNAPSHOT && ask.action != snapshot_sample &&
	    ask.skip_environ)
		usage_die("--skip-environ goes with --snapshot");
}

void
check_ask(void)
{
	check_strays();
	if (CFG_MEMMAPS_PICTURE && (ask.action == picture_sample ||
	    ask.action == virtual_sample)) {
		check_picture();
		return;
	}
	if (CFG_MEMMAPS_WATCH && ask.action == diff_files)
		return;
	if (CFG_MEMMAPS_SNAPSHOT && ask.action == snapshot_sample) {
		ask.all |= !ask.pid_count;
		ask.count = 1;
	}
	if (ask.all && ask.pid_count)
		usage_die("either --all or process ids");
	if (!ask.all && !ask.pid_count)
		usage_die("which process? Name process ids, or --all");
	if ((ask.as_memc ||
	     (CFG_MEMMAPS_PAGES && ask.action == pages_sample)) &&
	    (ask.all || ask.pid_count > 1) && !(ask.all && ask.as_memc))
		usage_die("one process id at a time");
	if (!ask.json && (ask.compact || ask.full))
		usage_die("--compact and --full are for --json; the table has "
			"--extended");
	if (ask.json && ask.order != BY_ADDRESS && !ask.min)
		usage_die("--sort is for the table");
	if (CFG_MEMMAPS_WATCH && (ask.action == watch_sample ||
	    ask.action == leak_sample))
		check_watch();
	if (ask.sampling)
		root_refuse("sampling");
	if (!ask.action && (!ask.json || ask.order > BY_SIZE))
		ask.smaps = 1;
}
