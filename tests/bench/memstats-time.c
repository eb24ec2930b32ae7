/* memstats-time - runs a command, its output thrown away, and prints
 * "CPU_SECONDS WALL_SECONDS MAX_RSS_KIB". */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct timespec a, b;
	struct rusage u;
	int status;
	pid_t pid;

	(void)argc;
	clock_gettime(CLOCK_MONOTONIC, &a);
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	wait4(pid, &status, 0, &u);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.6f %.6f %ld\n", (double)(u.ru_utime.tv_sec +
		u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec +
		u.ru_stime.tv_usec) / 1e6, (double)(b.tv_sec - a.tv_sec) +
		(double)(b.tv_nsec - a.tv_nsec) / 1e9, u.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
