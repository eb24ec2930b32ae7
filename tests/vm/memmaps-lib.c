/* memmaps-lib - libmembox reads physical memory: pages of its own, found by
 * pagemap, must come out of the stream as they are, and nothing else, when the
 * callback leaves all others out. Prints PASS or FAIL lines. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <membox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 64, PAGE = 4096 };

static unsigned char *own;
static uint64_t address[PAGES];		/* physical */
static unsigned headers, asked, wrong;
static uint64_t covered, last_end;

static int
failed;

static void
ok(int is, const char *what)
{
	failed |= !is;
	printf("%s lib-%s: %s\n", is ? "PASS" : "FAIL", what,
		is ? "" : strerror(errno));
}

static size_t
header(void *arg, uint64_t start, uint64_t end, unsigned char *out)
{
	(void)arg;
	headers++;
	covered += end - start;
	wrong += start < last_end || start % PAGE || end % PAGE;
	last_end = end;
	memcpy(out, "HEAD", 4);
	return 4;
}

static int
page(void *arg, uint64_t at, unsigned char *bytes, size_t size, int hole)
{
	int i;

	(void)arg;
	asked++;
	for (i = 0; i < PAGES; i++)
		if (address[i] == at) {
			wrong += hole || size != PAGE || memcmp(bytes,
				own + i * PAGE, PAGE);
			bytes[0] = 0xee;	/* may be changed */
			return 1;
		}
	return 0;
}

static void
find_pages(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY), i;
	uint64_t e;

	for (i = 0; i < PAGES; i++) {
		pread(fd, &e, 8, ((uintptr_t)own / PAGE + i) * 8);
		address[i] = (e & ((1ull << 55) - 1)) * PAGE;
	}
	close(fd);
}

int
main(void)
{
	struct membox_memory_options options = { .header = header,
		.page = page };
	struct membox_memory *m;
	static unsigned char buf[10000];
	uint64_t total = 0, changed = 0;
	ssize_t n, i;

	own = mmap(NULL, PAGES * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mlock(own, PAGES * PAGE);
	srand(getpid());
	for (i = 0; i < PAGES * PAGE; i++)
		own[i] = (unsigned char)(rand() >> 8 & 0x7f);
	find_pages();
	m = membox_memory_open(&options);
	ok(m != NULL, "open");
	if (!m)
		return 1;
	while ((n = membox_memory_read(m, buf, sizeof(buf))) > 0) {
		total += n;
		for (i = 0; i < n; i++)
			changed += buf[i] == 0xee;
	}
	ok(n == 0, "end");
	ok(!wrong, "pages");
	ok(total == headers * 4ul + PAGES * PAGE, "length");
	ok(changed == PAGES, "changed");
	ok(covered == membox_memory_size(m), "size");
	ok(asked == covered / PAGE, "every-page");
	ok(membox_memory_read(m, buf, 1) == 0, "stays-at-end");
	printf("# %u ranges, %u pages, %llu bytes of holes\n", headers, asked,
		(unsigned long long)membox_memory_holes(m));
	membox_memory_close(m);
	options.source = "/proc/version";
	ok(!membox_memory_open(&options) && errno, "no-memory");
	return failed;
}
