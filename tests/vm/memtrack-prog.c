/* memtrack-prog - what the guests of t-memtrack.sh run:
 *
 * hold MIB SECONDS	touch MIB, say what it holds in pages as the kernel
 *			counts (anonymous + page tables), sleep
 * churn SECONDS	map, touch and unmap 4 MiB over and over
 * load KO PARAMETERS MIB SECONDS  finit_module, then touch MIB, sleep
 * name SECONDS		call oneself what no parser likes; touch 1 MiB
 * pty KEYS COMMAND...	run COMMAND on a terminal of 80 x 24; type KEYS, each when
 *			it has drawn ('~' is an interrupt, '^' up, 'v' down, '=' a
 *			resize to 100 x 30); what it writes goes to stdout; exit
 *			with its status, or 99 when the terminal is not as it was
 * leak MIB SECONDS	touch MIB in a function called leak_here
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static volatile char *
map(size_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(9);
	madvise(p, bytes, MADV_NOHUGEPAGE);
	return p;
}

static inline __attribute__((always_inline)) void
touch(volatile char *p, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i += 4096)
		p[i] = 1;
}

/* A leaf function, which has a frame of its own only when it asks for it. */
__attribute__((noinline)) void
leak_here(volatile char *p, size_t bytes)
{
	void *volatile frame = __builtin_frame_address(0);

	(void)frame;
	touch(p, bytes);
}

__attribute__((noinline)) void
leak_caller(size_t bytes)
{
	leak_here(map(bytes), bytes);
	__asm__ volatile("" ::: "memory");
}

static long
file_kb(const char *path, const char *key)
{
	char line[256];
	long v = -1;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			v = atol(line + strlen(key) + 1);
	return v;
}

static long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Passes on what is written for so long; 1 when it drew from the top. */
static int
show(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	long end = now_ms() + ms, left;
	char buf[4096];
	ssize_t n;
	int drawn = 0;

	while ((left = end - now_ms()) > 0 && poll(&p, 1, (int)left) > 0 &&
	       (n = read(fd, buf, sizeof(buf))) > 0) {
		drawn |= !!memmem(buf, (size_t)n, "\33[H", 3);
		fwrite(buf, 1, (size_t)n, stdout);
	}
	fflush(stdout);
	return drawn;
}

/* Until it has drawn, as slow as the machine may be, or has ended. */
static void
show_frame(int fd, pid_t pid)
{
	long end = now_ms() + 15000;
	siginfo_t ended = { 0 };

	while (!show(fd, 400) && now_ms() < end && !ended.si_pid)
		waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT);
}

static void
type(int fd, char key)
{
	struct winsize big = { 30, 100, 0, 0 };

	if (key == '=')
		ioctl(fd, TIOCSWINSZ, &big);
	else if (key == '~')
		write(fd, "\3", 1);
	else if (key == '^')
		write(fd, "\33[A", 3);
	else if (key == 'v')
		write(fd, "\33[B", 3);
	else
		write(fd, &key, 1);
}

static int
on_terminal(const char *keys, char **command)
{
	struct winsize size = { 24, 80, 0, 0 };
	struct termios before = { 0 }, after = { 0 };
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, status;
	pid_t pid;

	grantpt(master);
	unlockpt(master);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	ioctl(slave, TIOCSWINSZ, &size);
	tcgetattr(slave, &before);
	pid = fork();
	if (!pid) {
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		dup2(slave, 0);
		dup2(slave, 1);
		dup2(slave, 2);
		execv(command[0], command);
		_exit(127);
	}
	show_frame(master, pid);
	for (; *keys; keys++) {
		type(master, *keys);
		show_frame(master, pid);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		show(master, 100);
	show(master, 100);
	tcgetattr(slave, &after);
	if (memcmp(&before, &after, sizeof(before)))
		return 99;
	return WEXITSTATUS(status);
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";
	size_t mib = (size_t)atol(argv[2]) << 20;
	time_t end = time(NULL) + atol(argv[2]);

	if (!strcmp(mode, "hold")) {
		touch(map(mib), mib);
		printf("%d %ld\n", (int)getpid(),
			(file_kb("/proc/self/smaps_rollup", "Anonymous:") +
			file_kb("/proc/self/status", "VmPTE:")) / 4);
		fflush(stdout);
		sleep(atoi(argv[3]));
	} else if (!strcmp(mode, "churn")) {
		long pages = 0;
		for (; time(NULL) < end; pages += 1024) {
			volatile char *p = map(4 << 20);
			touch(p, 4 << 20);
			munmap((void *)p, 4 << 20);
		}
		printf("%ld\n", pages);
	} else if (!strcmp(mode, "load")) {
		int fd = open(argv[2], O_RDONLY);
		if (fd < 0 || syscall(SYS_finit_module, fd, argv[3], 0)) {
			perror(argv[2]);
			return 1;
		}
		mib = (size_t)atol(argv[4]) << 20;
		touch(map(mib), mib);
		sleep(atoi(argv[5]));
	} else if (!strcmp(mode, "name")) {
		static const char bad[] = "q\"\\\n\t\x1b[2J\xff{";
		prctl(PR_SET_NAME, bad);
		memcpy(argv[0], bad, sizeof(bad));
		touch(map(1 << 20), 1 << 20);
		sleep(atoi(argv[2]));
	} else if (!strcmp(mode, "pty")) {
		return on_terminal(argv[2], argv + 3);
	} else if (!strcmp(mode, "leak")) {
		leak_caller(mib);
		sleep(atoi(argv[3]));
	}
	return 0;
}
