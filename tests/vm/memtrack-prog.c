/* memtrack-prog - what the guests of t-memtrack.sh run:
 *
 * hold MIB SECONDS	touch MIB, say what it holds in pages as the kernel
 *			counts (anonymous + page tables), sleep
 * churn SECONDS	map, touch and unmap 4 MiB over and over
 * load KO PARAMETERS MIB SECONDS  finit_module, then touch MIB, sleep
 * name SECONDS		call oneself what no parser likes; touch 1 MiB
 * leak MIB SECONDS	touch MIB in a function called leak_here
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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
	} else if (!strcmp(mode, "leak")) {
		leak_caller(mib);
		sleep(atoi(argv[3]));
	}
	return 0;
}
