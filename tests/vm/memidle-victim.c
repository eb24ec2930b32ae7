/* memidle-victim - a process whose working set is known
 *
 * usage: memidle-victim [OPTION]... READY
 *
 * Maps memory, touches all of it, creates the file READY, then touches the hot
 * part again and again until it is killed.
 *
 * -m MIB    size of the mapping (64)
 * -k KIB    size of the hot part, its beginning (half); 0 = none
 * -H        huge pages are asked for (else refused)
 * -e        hot is one byte in every second 2 MiB
 * -r        the hot part is read (else written)
 * -f FILE   a shared mapping of FILE
 * -i MS     pause between rounds (10); 0 = none
 * -z        the mapping is only read: zero pages
 * -g        hugetlb pages
 * -c N      so many children touch it too, each in its own copy
 * -l        the mapping is locked
 * -x PROG   after READY.exec is there: exec PROG 1000
 * -R        read(2) of FILE's hot part instead of touching it
 * -p MS     phases: the hot part moves on by its size after MS milliseconds,
 *           and begins anew at the end
 * -q        after touching all, the cold part is given back to the kernel
 *           (MADV_PAGEOUT)
 * -M        a page of each 2 MiB is made read-only: huge pages stay, but are
 *           mapped page by page
 * -K        the kernel is asked to merge equal pages (KSM): the hot part's are
 *           equal, and so are the others. Goes with -r
 * -W        write(2) to FILE's hot part instead of touching it
 * -G        when READY.go is there, all is hot
 * -C        when READY.go is there, huge pages are made of the small ones
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, HUGE = 2 << 20 };
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static volatile char sink;
static int writes = 1;

static void
touch(volatile char *p, size_t n, size_t step)
{
	size_t i;

	for (i = 0; i < n; i += step)
		if (writes)
			p[i] = 1;	/* no read before: a zero page */
		else
			sink = p[i];
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

static void
make(const char *path)
{
	close(open(path, O_CREAT | O_WRONLY, 0644));
}

int
main(int argc, char **argv)
{
	size_t size = 64 << 20, hot = (size_t)-1, step = PAGE, at = 0;
	int huge = 0, every = 0, pause_ms = 10, zero = 0, tlb = 0, children = 0;
	int reads = 0, lock = 0, do_read = 0, fd = -1, c, pageout = 0, flags;
	int split = 0, merge = 0, do_write = 0, grow = 0, collapse = 0;
	unsigned phase_ms = 0;
	const char *file = NULL, *exec = NULL;
	char path[256], go[256];
	uint64_t moved;
	char *p;

	while ((c = getopt(argc, argv, "m:k:Herf:i:zgc:lx:Rp:qMKWGC")) != -1)
		switch (c) {
		case 'm': size = (size_t)atoi(optarg) << 20; break;
		case 'k': hot = (size_t)atoi(optarg) << 10; break;
		case 'H': huge = 1; break;
		case 'e': every = 1; break;
		case 'r': reads = 1; break;
		case 'f': file = optarg; break;
		case 'i': pause_ms = atoi(optarg); break;
		case 'z': zero = 1; break;
		case 'g': tlb = 1; break;
		case 'c': children = atoi(optarg); break;
		case 'l': lock = 1; break;
		case 'x': exec = optarg; break;
		case 'R': do_read = 1; break;
		case 'p': phase_ms = (unsigned)atoi(optarg); break;
		case 'q': pageout = 1; break;
		case 'M': split = 1; break;
		case 'K': merge = 1; break;
		case 'W': do_read = do_write = 1; break;
		case 'G': grow = 1; break;
		case 'C': collapse = 1; break;
		default: return 2;
		}
	if (optind + 1 != argc)
		return 2;
	if (hot == (size_t)-1)
		hot = size / 2;
	flags = file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	if (tlb)
		flags |= MAP_HUGETLB;
	if (file) {
		fd = open(file, O_RDWR | O_CREAT, 0644);
		if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
			return 1;
	}
	/* aligned, so that it can be huge pages from its first byte */
	if (tlb || file) {
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	} else {
		p = mmap(NULL, size + HUGE, PROT_NONE, flags, -1, 0);
		p = (char *)(((uintptr_t)p + HUGE - 1) & -(uintptr_t)HUGE);
		p = mmap(p, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED,
			-1, 0);
	}
	if (p == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	if (!tlb)
		madvise(p, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (do_read) {
		static char block[65536];
		size_t i;

		for (i = 0; i < size; i += sizeof(block))
			if (pwrite(fd, block, sizeof(block), (off_t)i) < 0)
				return 1;
	} else {
		writes = !zero;
		touch(p, size, PAGE);
		writes = writes && !reads;
	}
	for (at = PAGE; split && at < size; at += HUGE)
		mprotect(p + at, PAGE, PROT_READ);
	at = 0;
	if (merge) {
		memset(p + hot, 2, size - hot);
		memset(p, 1, hot);
		madvise(p, size, MADV_MERGEABLE);
	}
	if (lock && mlock(p, size) < 0)
		perror("mlock");
	for (c = 0; c < children; c++)
		if (!fork())
			break;
	if (pageout)
		madvise(p + hot, size - hot, MADV_PAGEOUT);
	/* the processors' lists of pages on their way to the LRU are emptied */
	usleep(50000);
	if (c == children)
		make(argv[optind]);
	if (every) {
		step = 2 * HUGE;
		hot = size;
	}
	snprintf(path, sizeof(path), "%s.exec", argv[optind]);
	snprintf(go, sizeof(go), "%s.go", argv[optind]);
	moved = now_ms();
	for (;;) {
		static char block[65536];
		size_t i;

		if (do_read)
			for (i = 0; i < hot; i += sizeof(block))
				if (do_write)
					pwrite(fd, block, sizeof(block), (off_t)i);
				else
					pread(fd, block, sizeof(block), (off_t)i);
		else
			touch(p + at, hot, step);
		if (phase_ms && now_ms() - moved >= phase_ms) {
			moved += phase_ms;
			at = at + 2 * hot <= size ? at + hot : 0;
		}
		if (pause_ms)
			usleep(pause_ms * 1000);
		if ((grow || collapse) && !access(go, F_OK)) {
			if (grow)
				hot = size;
			else if (madvise(p, size, MADV_HUGEPAGE) ||
				 madvise(p, size, MADV_COLLAPSE))
				perror("collapse");
			grow = collapse = 0;
		}
		if (exec && !access(path, F_OK)) {
			execl(exec, exec, "1000", (char *)NULL);
			return 1;
		}
	}
}
