/* load - fill a machine's memory with what memory is full of
 *
 * usage: load MIB	a quarter each of zeros, one repeated record, text, and
 *			numbers that do not compress; prints "ready", stays
 *        load -r FILE	percent of FILE's pages that are in the page cache
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

static int
resident(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t pages, i, there = 0;
	unsigned char *v;
	struct stat st;
	void *m;

	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		return perror(path), 1;
	pages = ((size_t)st.st_size + PAGE - 1) / PAGE;
	m = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	v = malloc(pages);
	if (m == MAP_FAILED || !v || mincore(m, pages * PAGE, v))
		return perror("mincore"), 1;
	for (i = 0; i < pages; i++)
		there += v[i] & 1;
	printf("%zu\n", there * 100 / pages);
	return 0;
}

int
main(int argc, char **argv)
{
	size_t n, i;
	uint64_t x = 88172645463325252;
	uint64_t *p;

	if (argc == 3)
		return resident(argv[2]);
	n = strtoul(argc > 1 ? argv[1] : "", NULL, 10) << 20;
	p = n ? mmap(NULL, n, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
	if (p == MAP_FAILED)
		return 1;
	for (i = 0; i < n / 8; i++)
		switch (i / 512 % 4) {
		case 0:
			p[i] = 0;
			break;
		case 1:
			p[i] = i % 8 ? 0x100000001 * (i % 8) : (uintptr_t)&p[i];
			break;
		case 2:
			x = x * 6364136223846793005 + 1442695040888963407;
			memcpy(&p[i], "the quick brown fox jumps over lazy dogs. "
				+ (x >> 59) % 34, 8);
			break;
		case 3:
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			p[i] = x;
		}
	puts("ready");
	fclose(stdout);
	for (;;)
		pause();
}
