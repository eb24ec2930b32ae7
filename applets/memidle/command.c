/* command.c - a command that is run to be measured. */
#include <signal.h>
#include <sys/wait.h>

#include "memidle.h"

static int command_pid, command_pipe[2] = { -1, -1 }, command_status = -1;

void
command_start(char **argv)
{
	char byte;

	if (pipe2(command_pipe, O_CLOEXEC) < 0)
		die("pipe:");
	command_pid = fork();
	if (command_pid < 0)
		die("fork:");
	if (!command_pid) {
		close(command_pipe[1]);
		signal(SIGPIPE, SIG_DFL);
		if (read(command_pipe[0], &byte, 1) != 1)
			_exit(EXIT_FAILED);
		execvp(argv[0], argv);
		warn("run %s:", argv[0]);
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(command_pipe[0]);
	idle.kind = TARGET_TREE;
	if (target_add(command_pid) < 0)
		die("the command's process:");
}

/* The exec is waited for: what was before it is not the command's. */
void
command_go(void)
{
	u64 until = now_ns() + 1000000000;
	u64 before = watched[0].image;

	if (!command_pid)
		return;
	full_write(command_pipe[1], "", 1);
	close(command_pipe[1]);
	while (image_of(command_pid) == before && now_ns() < until &&
	       command_wait(0) < 0)
		sleep_until(now_ns() + 1000000);
	watched[0].image = image_of(command_pid);
}

int
command_wait(int block)
{
	int status, r;

	if (!command_pid)
		return EXIT_DONE;
	if (command_status >= 0)
		return command_status;
	do {
		/* who asks us to end asks the command too */
		if (block && stop_signal > 0)
			kill(command_pid, stop_signal);
		r = waitpid(command_pid, &status, block ? 0 : WNOHANG);
	} while (r < 0 && errno == EINTR);
	if (r != command_pid)
		return -1;
	command_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
		: WEXITSTATUS(status);
	return command_status;
}
