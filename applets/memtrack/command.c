/* command.c - the command that is traced, and the tracer's place before it in
 * the scheduler's queue.
 */
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "memtrack.h"
#include "run.h"

static volatile int child_signal;
static int child_pid, child_status, priority;

void
note_child(int sig)
{
	(void)sig;
	child_signal = 1;
}

void
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

int
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

void
signal_command(void)
{
	if (child_pid && stop_signal)
		kill(child_pid, stop_signal);
}

void
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

/* By syscall: musl's own call is a stub. */
void
run_first(void)
{
	struct sched_param least = { .sched_priority = 1 };

	priority = getpriority(PRIO_PROCESS, 0);
	if (syscall(SYS_sched_setscheduler, 0,
			SCHED_RR | SCHED_RESET_ON_FORK, &least) < 0)
		setpriority(PRIO_PROCESS, 0, -20);
}

int
command_status(void)
{
	return child_status;
}
