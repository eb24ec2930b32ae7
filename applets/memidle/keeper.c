/* keeper.c - a child that outlives us for one purpose: to put back what was
 * changed in the system. It knows what to do before the change is made, and
 * does it when our end of the pipe closes, be it by exit, die or SIGKILL. So
 * there is one way back, and it is always the same. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "memidle.h"

enum kept_kind { KEPT_FILE, KEPT_STOPPED, KEPT_FORGET };
enum { KEPT_MAX = 4096, KEPT_PATH = 480, KEPT_OLD = 64 };
struct kept {
	int kind, pid;
	u64 start;
	char path[KEPT_PATH];
	char old[KEPT_OLD];
};

static int keeper_pid, keeper_fd = -1;

int
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r, error;

	if (fd < 0)
		return -1;
	r = full_write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return r;
}

static void
put_back(const struct kept *k)
{
	struct procstat st;

	if (k->kind == KEPT_FILE)
		write_text(k->path, k->old);
	else if (!procstat_read(k->pid, &st) && st.starttime == k->start)
		kill(k->pid, SIGCONT);
}

/* The records lie in the child's own memory: a mapping, touched as used. */
static _Noreturn void
keeper_run(int fd, int answer)
{
	struct arena a;
	struct kept *all;
	unsigned n = 0;

	setsid();
	prctl(PR_SET_NAME, "memidle-keeper");
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (arena_open(&a, KEPT_MAX * sizeof(*all)) < 0)
		_exit(1);
	all = (void *)a.base;
	while (n < KEPT_MAX &&
	       full_read(fd, &all[n], sizeof(*all)) == sizeof(*all)) {
		if (all[n].kind != KEPT_FORGET)
			n++;
		else if (n)
			n--;
		full_write(answer, "", 1);
	}
	while (n)
		put_back(&all[--n]);
	_exit(0);
}

static int keeper_answer = -1;

/* What the child inherits it must not hold open: an output pipe whose reader
 * waits for its end, a lock. */
static void
close_others(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 0)
		syscall(SYS_close_range, 0, low - 1, 0);
	if (high > low + 1)
		syscall(SYS_close_range, low + 1, high - 1, 0);
	syscall(SYS_close_range, high + 1, ~0u, 0);
}

static void
keeper_start(void)
{
	int to[2], back[2];

	if (keeper_pid)
		return;
	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(back, O_CLOEXEC) < 0)
		die("pipe:");
	keeper_pid = fork();
	if (keeper_pid < 0)
		die("fork:");
	if (!keeper_pid) {
		close(to[1]);
		close_others(to[0], back[1]);
		keeper_run(to[0], back[1]);
	}
	close(to[0]);
	close(back[1]);
	keeper_fd = to[1];
	keeper_answer = back[0];
}

/* The change may be made only when the child has answered. */
static void
keep(const struct kept *k)
{
	char byte;

	keeper_start();
	if (full_write(keeper_fd, k, sizeof(*k)) < 0 ||
	    full_read(keeper_answer, &byte, 1) != 1)
		die("the process that would put settings back is gone, or "
			"holds %d of them already (KEPT_MAX)", KEPT_MAX);
}

void
keep_file(const char *path, const char *old)
{
	struct kept k = { .kind = KEPT_FILE };

	if (strlen(path) >= KEPT_PATH || strlen(old) >= KEPT_OLD)
		die("%s: too long to be put back later", path);
	strcpy(k.path, path);
	strcpy(k.old, old);
	keep(&k);
}

void
keep_stopped(int pid, u64 start)
{
	struct kept k = { .kind = KEPT_STOPPED, .pid = pid, .start = start };

	keep(&k);
}

void
keep_forget(void)
{
	struct kept k = { .kind = KEPT_FORGET };

	keep(&k);
}

void
keep_restore(void)
{
	if (!keeper_pid)
		return;
	close(keeper_fd);
	close(keeper_answer);
	while (waitpid(keeper_pid, NULL, 0) < 0 && errno == EINTR)
		;
	keeper_pid = 0;
}
