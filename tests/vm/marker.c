/* marker - plant a page in RAM and tell where it is
 *
 * usage: marker MIB FILE
 *
 * Takes MIB of memory, chooses its page with the highest physical address,
 * writes a pattern into it and the same into FILE, prints the address in hex
 * and stays, holding the page, until it is killed. With no MIB of free memory
 * at the end of RAM that is a page in any place.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

int
main(int argc, char **argv)
{
	size_t pages = argc == 3 ? strtoul(argv[1], NULL, 10) * 256 : 0, i;
	uint64_t entry, best = 0, at = 0, word = 0x6d61726b6d656d62;
	int fd = open("/proc/self/pagemap", O_RDONLY), out, pass;
	uint64_t *p;
	char *m;

	if (!pages)
		return fputs("usage: marker MIB FILE\n", stderr), 2;
	m = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m == MAP_FAILED || fd < 0)
		fail("memory");
	/* no huge pages: mlock of one page is then enough */
	madvise(m, pages * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < pages; i++)
		m[i * PAGE] = 1;
	/* twice: the address is of the page that was locked */
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < pages; i++) {
			if (pass && i != at)
				continue;
			if (pread(fd, &entry, 8, ((uintptr_t)m / PAGE + i) * 8)
				!= 8)
				fail("pagemap");
			entry &= ((uint64_t)1 << 55) - 1;
			if (entry >= best || pass) {
				best = entry;
				at = i;
			}
		}
		if (!pass && mlock(m + at * PAGE, PAGE))
			fail("mlock");
	}
	p = (uint64_t *)(m + at * PAGE);
	for (i = 0; i < PAGE / 8; i++) {
		word ^= word << 13;
		word ^= word >> 7;
		word ^= word << 17;
		p[i] = word;
	}
	out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (out < 0 || write(out, p, PAGE) != PAGE || close(out))
		fail(argv[2]);
	/* the rest goes back */
	if (at)
		munmap(m, at * PAGE);
	if (at + 1 < pages)
		munmap(m + (at + 1) * PAGE, (pages - at - 1) * PAGE);
	printf("0x%llx\n", (unsigned long long)best * PAGE);
	fclose(stdout);
	for (;;)
		pause();
}
