/* measure - run a command, print its wall time, CPU time (ms) and peak RSS (KiB)
 *
 * usage: measure COMMAND [ARGUMENT]...
 *
 * The command's stdout goes to /dev/null, one line goes to ours. The exit
 * status is the command's. RSS is wait4's ru_maxrss, which counts the command
 * alone: what the parent had before exec is small here.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
ms(struct timeval t)
{
	return t.tv_sec * 1e3 + t.tv_usec / 1e3;
}

int
main(int argc, char **argv)
{
	struct timespec a, b;
	struct rusage u;
	int status, null;
	pid_t pid;

	if (argc < 2)
		return 125;
	clock_gettime(CLOCK_MONOTONIC, &a);
	pid = fork();
	if (!pid) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, 1);
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(125);
	}
	if (pid < 0 || wait4(pid, &status, 0, &u) < 0)
		return 125;
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.1f %.1f %ld\n", (b.tv_sec - a.tv_sec) * 1e3 +
		(b.tv_nsec - a.tv_nsec) / 1e6,
		ms(u.ru_utime) + ms(u.ru_stime), u.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
