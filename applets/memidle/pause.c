/* pause.c - the target held still while it is marked and read, only when asked
 * for. The keeper lets it go should we die. */
#include <signal.h>
#include <sys/syscall.h>

#include "memidle.h"

static char freezer[PATH_MAX / 2];
static unsigned stopped;

/* ---- freeze: cgroup v2 ---- */

/* The v2 line of /proc/PID/cgroup: "0::/path". */
static int
v2_cgroup_of(int pid, char *path, size_t size)
{
	static char buf[1024];
	char *line = buf;

	if (proc_slurp(pid, "cgroup", buf, sizeof(buf)) <= 0)
		return -1;
	while (line && strncmp(line, "0::", 3)) {
		line = strchr(line, '\n');
		line += !!line;
	}
	if (!line)
		return -1;
	line += 3;
	line[strcspn(line, "\n")] = 0;
	fmt_str(path, size, "/sys/fs/cgroup%s", strcmp(line, "/") ? line : "");
	return 0;
}

/* A frozen cgroup holds all that is in it, so it may hold only targets. */
static void
only_targets(const char *path)
{
	struct cgroup_pids p;
	unsigned i;
	int pid;

	if (cgroup_pids_open(&p, &any_cgroup, path) < 0)
		die("open %s/cgroup.procs:", path);
	while (cgroup_pids_next(&p, &pid) > 0) {
		for (i = 0; i < watched_count && watched[i].pid != pid; i++)
			;
		if (i == watched_count)
			die("--pause freeze: process %d is in %s too; use "
				"--pause stop", pid, path);
	}
	cgroup_pids_close(&p);
}

static void
find_freezer(void)
{
	static char ours[PATH_MAX / 2], path[PATH_MAX / 2];
	size_t n;

	if (idle.kind == TARGET_SYSTEM)
		usage_die("--pause: the whole system cannot be paused");
	if (idle.kind == TARGET_CGROUP)
		fmt_str(path, sizeof(path), "%s", idle.cgroup);
	else if (!watched_count || v2_cgroup_of(watched[0].pid, path,
			sizeof(path)) < 0)
		die("--pause freeze: no cgroup v2 of process %d; use --pause "
			"stop", watched_count ? watched[0].pid : 0);
	n = strlen(path);
	if (!v2_cgroup_of(getpid(), ours, sizeof(ours)) &&
	    !strncmp(ours, path, n) && (!ours[n] || ours[n] == '/'))
		die("--pause freeze: we are in %s ourselves; use --pause stop",
			path);
	if (idle.kind != TARGET_CGROUP)
		only_targets(path);
	fmt_str(freezer, sizeof(freezer), "%s/cgroup.freeze", path);
}

/* Frozen is when the last one has come to rest: cgroup.events says so. */
static void
wait_frozen(void)
{
	static char path[PATH_MAX / 2 + 8];
	char buf[128];
	u64 until = now_ns() + 2000000000;

	fmt_str(path, sizeof(path), "%.*s.events",
		(int)(strlen(freezer) - sizeof("freeze")), freezer);
	while (now_ns() < until && !stop_signal) {
		if (root_slurp(path, buf, sizeof(buf)) > 0 &&
		    strstr(buf, "frozen 1"))
			return;
		sleep_until(now_ns() + 1000000);
	}
}

static void
freeze(void)
{
	char old[8] = "";

	if (!*freezer)
		find_freezer();
	root_slurp(freezer, old, sizeof(old));
	keep_file(freezer, *old == '1' ? "1" : "0");
	if (write_text(freezer, "1") < 0)
		die("write %s:", freezer);
	wait_frozen();
	stopped = *old != '1';
}

/* ---- stop: SIGSTOP ---- */

static void
signal_target(const struct target *t, int number)
{
	if (t->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, t->pidfd, number, NULL, 0);
	else
		kill(t->pid, number);
}

static void
wait_stopped(int pid)
{
	struct procstat st;
	u64 until = now_ns() + 500000000;

	while (now_ns() < until && !procstat_read(pid, &st) &&
	       st.state != 'T' && st.state != 't')
		sleep_until(now_ns() + 200000);
}

/* Who was stopped by somebody else is left so. */
static void
stop(void)
{
	unsigned i;

	if (idle.kind == TARGET_SYSTEM)
		usage_die("--pause: the whole system cannot be paused");
	for (i = 0; i < watched_count; i++) {
		struct target *t = &watched[i];

		t->paused = !t->gone && !t->stopped && t->pid != getpid();
		if (!t->paused)
			continue;
		keep_stopped(t->pid, t->start);
		signal_target(t, SIGSTOP);
		wait_stopped(t->pid);
		stopped++;
	}
}

/* ---- both ---- */

void
pause_targets(void)
{
	stopped = 0;
	if (idle.pause == PAUSE_FREEZE)
		freeze();
	else
		stop();
}

void
resume_targets(void)
{
	unsigned i;

	if (idle.pause == PAUSE_FREEZE) {
		if (stopped)
			write_text(freezer, "0");
		keep_forget();
		return;
	}
	for (i = 0; i < watched_count; i++)
		if (watched[i].paused) {
			signal_target(&watched[i], SIGCONT);
			watched[i].paused = 0;
			keep_forget();
		}
}
