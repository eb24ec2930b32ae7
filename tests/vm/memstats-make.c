/* memstats-make - makes memory of a known kind and amount when it is told to.
 *
 * Reads commands, a line each, from the fifo named by its argument, and writes
 * "ok", or what went wrong, to that name with ".out" after each. It touches no
 * memory but what a command says (its own was touched at the start).
 *
 * anon N	touch N small pages of fresh anonymous memory
 * zero N	read N pages of fresh anonymous memory
 * cow N	write to the first N pages of the first "anon"
 * fork FIFO	a child that reads its commands from there
 * file PATH N	map PATH shared, touch N pages of it
 * memfd N	the same of a memfd that is closed then
 * shm ID N	attach a segment and touch N pages
 * thp N	touch N pages of aligned memory that may be huge
 * huge N	N huge pages of 2 MiB
 * shmhuge ID N	attach a segment of huge pages and touch N of them
 * sparse N M	N GiB of address space, M pages of it touched
 * maps N	N mappings that touch each other, every hundredth has a page
 * pageout	swap out the last region
 * guard N	N pages of guard region in the last region's begin
 * name TEXT	overwrite argv by NULs, and call itself TEXT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <unistd.h>

enum { PAGE = 4096, HUGE = 2 << 20 };
#define GUARD_INSTALL 102
static char *first, *last;
static size_t last_size;
static char **args;

static char *
map(size_t n, int flags, int fd)
{
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | flags,
		fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int
touch(char *p, size_t n, size_t step, int fill)
{
	size_t i;

	if (!p || p == (char *)-1)
		return -1;
	for (i = 0; i < n; i++)
		*(volatile char *)(p + i * step) = (char)(fill + (int)i % 100);
	last = p;
	last_size = n * step;
	return 0;
}

static int
mapped_file(int fd, size_t n)
{
	int r;

	if (fd < 0 || ftruncate(fd, (off_t)(n * PAGE)))
		return -1;
	r = touch(map(n * PAGE, 0, fd), n, PAGE, 1);
	close(fd);
	return r;
}

static int
anon(size_t n)
{
	char *p = map(n * PAGE, 0, -1);

	if (!p || madvise(p, n * PAGE, MADV_NOHUGEPAGE) < 0)
		return -1;
	if (!first)
		first = p;
	return touch(p, n, PAGE, 1);
}

static int
zero(size_t n)
{
	char *p = map(n * PAGE, 0, -1);
	volatile char c;
	size_t i;

	if (!p || madvise(p, n * PAGE, MADV_NOHUGEPAGE) < 0)
		return -1;
	for (i = 0; i < n; i++)
		c = p[i * PAGE];
	(void)c;
	return 0;
}

static int
thp(size_t n)
{
	char *p = map(n * PAGE + HUGE, 0, -1);

	if (!p)
		return -1;
	p = (char *)(((unsigned long)p + HUGE - 1) & ~(HUGE - 1ul));
	if (madvise(p, n * PAGE, MADV_HUGEPAGE) < 0)
		return -1;
	return touch(p, n, PAGE, 1);
}

static int
sparse(size_t gib, size_t n)
{
	size_t step = ((gib << 30) / n) & ~(size_t)(PAGE - 1);
	char *p = map(gib << 30, MAP_NORESERVE, -1);

	if (!p || madvise(p, gib << 30, MADV_NOHUGEPAGE) < 0)
		return -1;
	return touch(p, n, step, 1);
}

static int
maps(size_t n)
{
	char *p = map(n * PAGE, MAP_NORESERVE, -1);
	size_t i;

	if (!p || madvise(p, n * PAGE, MADV_NOHUGEPAGE) < 0 ||
	    touch(p, n / 100, 100 * PAGE, 1) < 0)
		return -1;
	for (i = 0; i < n; i += 2)
		if (mprotect(p + i * PAGE, PAGE, PROT_READ) < 0)
			return -1;
	return 0;
}

static void
hide_name(const char *text)
{
	char *p;

	for (p = args[0]; p <= args[1]; p += strlen(args[1]) + 1)
		memset(p, 0, strlen(p));
	prctl(PR_SET_NAME, text);
}

static void listen_to(const char *fifo);

static int
run(char *line)
{
	char *save, *word = strtok_r(line, " ", &save);
	char *a = strtok_r(NULL, " ", &save), *b = strtok_r(NULL, " ", &save);
	size_t n = a ? (size_t)atol(a) : 0, m = b ? (size_t)atol(b) : 0;

	if (!word)
		return 0;
	if (!strcmp(word, "anon"))
		return anon(n);
	if (!strcmp(word, "zero"))
		return zero(n);
	if (!strcmp(word, "cow"))
		return touch(first, n, PAGE, 50);
	if (!strcmp(word, "fork")) {
		int pid = fork();
		if (!pid) {
			listen_to(a);
			_exit(0);
		}
		return pid < 0 ? -1 : 0;
	}
	if (!strcmp(word, "file"))
		return mapped_file(open(a, O_RDWR | O_CREAT, 0600), m);
	if (!strcmp(word, "memfd"))
		return mapped_file(memfd_create("known", 0), n);
	if (!strcmp(word, "shm"))
		return touch(shmat((int)n, NULL, 0), m, PAGE, 1);
	if (!strcmp(word, "shmhuge"))
		return touch(shmat((int)n, NULL, 0), m, HUGE, 1);
	if (!strcmp(word, "thp"))
		return thp(n);
	if (!strcmp(word, "huge"))
		return touch(map(n * HUGE, MAP_HUGETLB, -1), n, HUGE, 1);
	if (!strcmp(word, "sparse"))
		return sparse(n, m);
	if (!strcmp(word, "maps"))
		return maps(n);
	if (!strcmp(word, "pageout"))
		return madvise(last, last_size, MADV_PAGEOUT);
	if (!strcmp(word, "guard"))
		return madvise(last, n * PAGE, GUARD_INSTALL);
	if (!strcmp(word, "name")) {
		hide_name(a);
		return 0;
	}
	errno = ENOSYS;
	return -1;
}

static void
answer(const char *fifo, int r)
{
	char name[256];
	const char *text = r ? strerror(errno) : "ok";
	int fd;

	strcpy(name, fifo);
	strcat(name, ".out");
	fd = open(name, O_WRONLY);
	if (fd < 0 || write(fd, text, strlen(text)) < 0 ||
	    write(fd, "\n", 1) < 0)
		_exit(1);
	close(fd);
}

static void
listen_to(const char *fifo)
{
	char line[512], name[128];
	int pid_file;

	/* argv may be overwritten. */
	strcpy(name, fifo);
	strcpy(line, fifo);
	strcat(line, ".pid");
	pid_file = open(line, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dprintf(pid_file, "%d\n", (int)getpid());
	close(pid_file);
	for (;;) {
		int fd = open(name, O_RDONLY);
		ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

		close(fd);
		if (n <= 0)
			_exit(1);
		line[n - 1] = 0;
		if (!strcmp(line, "exit"))
			_exit(0);
		answer(name, run(line));
	}
}

/* The stack that commands need is touched before anything is counted. */
static void
touch_stack(void)
{
	volatile char room[64 * 1024];
	size_t i;

	for (i = 0; i < sizeof(room); i += PAGE)
		room[i] = 1;
}

int
main(int argc, char **argv)
{
	char name[64] = "x";

	if (argc != 2)
		return 2;
	args = argv;
	touch_stack();
	strtok(name, " ");
	listen_to(argv[1]);
	return 0;
}
