/* memidle-floor - what the kernel itself takes to mark and read a process
 *
 * usage: memidle-floor PID MEMIDLE
 *
 * For the pages of the process's biggest mapping, in one run: pagemap in big
 * pieces; the idle bitmap by exact sorted words, one call a word; the per-page
 * way (an entry of pagemap, a whole word written, a word read, for each page);
 * and a sample of MEMIDLE in a series (six less one, over five), and its first
 * one with all that the program does. Prints nanoseconds a page.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGES = 1 << 20, FRAMES = 1 << 22 };
static uint64_t entries[PAGES], words[FRAMES / 64];

static double
cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double
child_cpu(char **argv, double *user)
{
	struct rusage u;
	int pid = fork(), status;

	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		execv(argv[0], argv);
		_exit(127);
	}
	wait4(pid, &status, 0, &u);
	if (status)
		exit(1);
	*user = u.ru_utime.tv_sec * 1e9 + u.ru_utime.tv_usec * 1e3;
	return *user + u.ru_stime.tv_sec * 1e9 + u.ru_stime.tv_usec * 1e3;
}

int
main(int argc, char **argv)
{
	char path[64], line[4096];
	unsigned long a, b, start = 0, end = 0, n, i, frames = 0, nwords = 0;
	uint64_t word;
	double t, map_ns, set_ns, read_ns, page_ns, idle_ns, base_ns, user, base_user;
	FILE *maps;
	int pm, bm;

	if (argc != 3)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &a, &b) == 2 && b - a > end - start) {
			start = a;
			end = b;
		}
	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[1]);
	pm = open(path, O_RDONLY);
	bm = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	n = (end - start) / 4096;
	if (pm < 0 || bm < 0 || n > PAGES)
		return 1;
	memset(entries, 1, n * 8);
	memset(words, 0, sizeof(words));

	t = cpu();
	for (i = 0; i < n; i += 4096)
		pread(pm, entries + i, 4096 * 8, (start / 4096 + i) * 8);
	map_ns = cpu() - t;
	for (i = 0; i < n; i++) {
		uint64_t pfn = entries[i] & ((1ull << 55) - 1);

		if (entries[i] >> 63 && pfn < FRAMES) {
			words[pfn / 64] |= 1ull << pfn % 64;
			frames++;
		}
	}
	t = cpu();
	for (i = 0; i < FRAMES / 64; i++)
		if (words[i]) {
			pwrite(bm, &words[i], 8, i * 8);
			nwords++;
		}
	set_ns = cpu() - t;
	usleep(300000);
	t = cpu();
	for (i = 0; i < FRAMES / 64; i++)
		if (words[i])
			pread(bm, &word, 8, i * 8);
	read_ns = cpu() - t;

	/* the per-page way, on a part: it takes its time */
	unsigned long part = n < 2048 ? n : 2048, k;

	t = cpu();
	for (k = 0; k < part; k++) {
		i = k * (n / part);
		pread(pm, &word, 8, (start / 4096 + i) * 8);
		word = word & ((1ull << 55) - 1);
		uint64_t ones = ~0ull;

		pwrite(bm, &ones, 8, word / 64 * 8);
	}
	for (k = 0; k < part; k++) {
		i = k * (n / part);
		pread(pm, &word, 8, (start / 4096 + i) * 8);
		pread(bm, &word, 8, (word & ((1ull << 55) - 1)) / 64 * 8);
	}
	page_ns = (cpu() - t) / part;

	/* what six samples take more than one */
	char *many[] = { argv[2], "memidle", "-q", "--no-flush", "-s", "100ms",
		"-n", "6", argv[1], NULL };
	char *one[] = { argv[2], "memidle", "-q", "--no-flush", "-s", "100ms",
		"-n", "1", argv[1], NULL };
	idle_ns = child_cpu(many, &user);
	base_ns = child_cpu(one, &base_user);
	idle_ns = (idle_ns - base_ns) / 5;
	user = (user - base_user) / 5;
	printf("pages %lu words %lu pagemap %.0f set %.0f read %.0f perpage %.0f "
		"memidle %.0f user %.0f first %.0f\n", frames, nwords,
		map_ns / n, set_ns / frames, read_ns / frames, page_ns,
		idle_ns / frames, user / frames, base_ns / frames);
	return 0;
}
