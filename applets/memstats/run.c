/* run.c - a command for an instance: as its owner, with its environment, for no
 * longer than it may take. */
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "memstats.h"

enum { ENVIRON = 256 * 1024, VARIABLES = 4096 };

/* The NUL-ended strings of /proc/PID/environ as the vector that exec wants. */
static char **
environment(int pid)
{
	static char text[ENVIRON], *vector[VARIABLES + 1];
	ssize_t n = proc_slurp(pid, "environ", text, sizeof(text)), i = 0;
	u32 k = 0;

	while (n > 0 && i < n && k < VARIABLES) {
		vector[k++] = text + i;
		i += (ssize_t)strlen(text + i) + 1;
	}
	vector[k] = NULL;
	return vector;
}

static int
gid_of(int pid, u32 *gid)
{
	char buf[1536];
	u64 v;

	if (proc_slurp(pid, "status", buf, sizeof(buf)) < 0 ||
	    key_u64(buf, "Gid", &v) < 0)
		return -1;
	*gid = (u32)v;
	return 0;
}

/* Group and user are given up before the owner's environment can matter. */
static _Noreturn void
child(const struct instance *in, const char *command, int out)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };
	char **env = environment(in->pid);
	gid_t group;
	u32 gid = 0;
	int null = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	signal(SIGPIPE, SIG_DFL);
	if (gid_of(in->pid, &gid) < 0) {
		warn("pid %d: it is gone", in->pid);
		_exit(126);
	}
	group = gid;
	if (geteuid() != in->uid && (syscall(SYS_setgroups, 1, &group) < 0 ||
	    setgid(group) < 0 || setuid(in->uid) < 0)) {
		warn("become user %u (run as root):", in->uid);
		_exit(126);
	}
	if (chdir("/") == 0)
		execve("/bin/sh", argv, env);
	warn("/bin/sh:");
	_exit(127);
}

/* Keeps the last line that is not empty. */
static void
take_output(struct run_result *r, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (s[i] == '\n') {
			r->line_done = 1;
			continue;
		}
		if (r->line_done)
			r->last_n = 0;
		r->line_done = 0;
		if (r->last_n < sizeof(r->last))
			r->last[r->last_n++] = s[i];
	}
}

/* Until the output's end or the time's. */
static void
listen_to(int fd, u64 deadline, struct run_result *r)
{
	char buf[1024];
	struct pollfd p = { fd, POLLIN, 0 };
	ssize_t n = 1;

	while (n > 0) {
		u64 now = now_ns();
		int ready;

		if (now >= deadline || stop_signal)
			return;
		ready = poll(&p, 1, (int)((deadline - now) / 1000000) + 1);
		if (ready > 0 && (n = read(fd, buf, sizeof(buf))) > 0)
			take_output(r, buf, (size_t)n);
	}
}

/* It may have closed its output and go on: the time holds for that too. */
static int
reap(pid_t pid, u64 deadline, int *timed_out)
{
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ns() >= deadline || stop_signal) {
			*timed_out = 1;
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			break;
		}
		sleep_until(now_ns() + 5000000);
	}
	kill(-pid, SIGKILL);	/* what it left behind */
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
		: WEXITSTATUS(status);
}

int
run_as(const struct instance *in, const char *command, u64 timeout,
	struct run_result *r)
{
	u64 start = now_ns(), deadline = start + timeout;
	int pipes[2], timed_out = 0;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return warn("run %s:", command);
	if (!pid)
		child(in, command, pipes[1]);
	setpgid(pid, pid);
	close(pipes[1]);
	listen_to(pipes[0], deadline, r);
	r->status = reap(pid, deadline, &timed_out);
	close(pipes[0]);
	r->ns = now_ns() - start;
	if (timed_out)
		warn("%s %s: ended after %lu s", in->kind, in->name,
			timeout / 1000000000);
	return r->status != 0;
}
