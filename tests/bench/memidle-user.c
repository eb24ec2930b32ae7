/* memidle-user - what memidle itself takes for a page, without a kernel
 *
 * usage: memidle-user DIR MIB LAYOUT
 *
 * Linked with membox's own objects, but for the calls that read pagemap, the
 * page flags and the idle bitmap, and write the bitmap: those come from arrays
 * here, and the time they take is taken off. So a process of MIB can be marked
 * and read on any machine. LAYOUT is how its frames lie: packed (in order, as
 * on a machine just started) or mixed (7.4 pages in a word of the bitmap, in
 * runs of 2.8, as in a long used one). DIR is empty, for files that play /proc.
 * Half the pages are touched between marking and reading. Prints nanoseconds a
 * page: of the first marking and reading, and of the mean of five samples more.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "applets/memidle/memidle.h"

enum { BITMAP, FLAGS, PAGEMAP, FILES };
static const char *const names[FILES] = {
	"sys/kernel/mm/page_idle/bitmap", "proc/kpageflags", "proc/7/pagemap",
};
static int fds[FILES] = { -1, -1, -1 };
static u64 *entries, *bits, *touched;
static u64 pages, ram, first = 0x10000, kernel_ticks, calls;

/* ---- the kernel ---- */

int __real_openat(int at, const char *path, int flags, ...);
int
__wrap_openat(int at, const char *path, int flags, ...)
{
	int fd = __real_openat(at, path, flags, 0600), i;

	for (i = 0; i < FILES; i++)
		if (strstr(path, strrchr(names[i], '/')))
			fds[i] = fd;
	return fd;
}

static ssize_t
give_flags(u64 *to, u64 pfn, u64 n)
{
	u64 i;

	if (pfn >= ram)
		return 0;
	if (n > ram - pfn)
		n = ram - pfn;
	for (i = 0; i < n; i++)
		to[i] = KPF(LRU) | KPF(ANON) | KPF(MMAP) | KPF(UPTODATE);
	return (ssize_t)n * 8;
}

ssize_t __real_pread(int fd, void *buf, size_t n, off_t at);
ssize_t
__wrap_pread(int fd, void *buf, size_t n, off_t at)
{
	u64 began = __rdtsc(), w = (u64)at / 8, i, *to = buf;
	ssize_t got = (ssize_t)n;

	calls++;
	if (fd == fds[BITMAP]) {
		for (i = 0; i < n / 8; i++)
			to[i] = bits[w + i] &= ~touched[w + i];
	} else if (fd == fds[FLAGS]) {
		got = give_flags(to, w, n / 8);
	} else if (fd == fds[PAGEMAP]) {
		memcpy(to, entries + (w - first), n);
	} else {
		return __real_pread(fd, buf, n, at);
	}
	kernel_ticks += __rdtsc() - began;
	return got;
}

ssize_t __real_pwrite(int fd, const void *buf, size_t n, off_t at);
ssize_t
__wrap_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	u64 began = __rdtsc(), i;
	const u64 *from = buf;

	calls++;
	if (fd != fds[BITMAP])
		return __real_pwrite(fd, buf, n, at);
	for (i = 0; i < n / 8; i++)
		bits[(u64)at / 8 + i] |= from[i];
	kernel_ticks += __rdtsc() - began;
	return (ssize_t)n;
}

/* PAGEMAP_SCAN: all is there, in small pages. */
struct scan {
	u64 size, flags, start, end, walk_end, vec;
};
int
__wrap_ioctl(int fd, unsigned long request, ...)
{
	struct scan *s;
	va_list args;

	(void)fd;
	(void)request;
	va_start(args, request);
	s = va_arg(args, struct scan *);
	va_end(args);
	*(struct pagemap_region *)(uintptr_t)s->vec = (struct pagemap_region){
		s->start, s->end, PAGE_IS_PRESENT_
	};
	s->walk_end = s->end;
	return 1;
}

/* ---- the process ---- */

static u64 seed = 88172645463325252;
static u64
next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void *
room(u64 bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("memory:");
	return p;
}

/* Runs of frames in an order that is no order: 1 to 5 frames long, in places
 * of 8, of which 7 in 8 are other's. */
static void
place(int mixed)
{
	u64 i = 0, places, *order, k, j, t, len;

	if (!mixed) {
		for (; i < pages; i++)
			entries[i] = 4096 + i;
		return;
	}
	places = ram / 24;
	order = room(places * 8);
	for (k = 0; k < places; k++)
		order[k] = k;
	for (k = places - 1; k; k--) {
		j = next() % (k + 1);
		t = order[k];
		order[k] = order[j];
		order[j] = t;
	}
	for (k = 0; i < pages; k++)
		for (len = 1 + next() % 5 - (next() % 8 == 0); len && i < pages;
		     len--)
			entries[i++] = order[k % places] * 24 + 8 * (k / places) + len;
}

static void
put_maps(const char *dir)
{
	char path[512];
	FILE *f;
	int i;

	snprintf(path, sizeof(path), "cd %s && mkdir -p proc/7 "
		"sys/kernel/mm/page_idle && >%s && >%s && >%s", dir, names[0],
		names[1], names[2]);
	if (system(path))
		exit(1);
	snprintf(path, sizeof(path), "%s/proc/7/maps", dir);
	f = fopen(path, "w");
	fprintf(f, "%lx-%lx rw-p 00000000 00:00 0 \n", first * 4096,
		(first + pages) * 4096);
	fclose(f);
	for (i = 0; i < FILES; i++)
		fds[i] = -1;
}

/* ---- all ---- */

static double ns_a_tick, ns_a_call;

/* Of a call, one reading of the clock is in neither's time. */
static void
calibrate(void)
{
	u64 t = now_ns(), c = __rdtsc(), i;

	while (now_ns() - t < 50000000)
		;
	ns_a_tick = (double)(now_ns() - t) / (double)(__rdtsc() - c);
	t = cpu_ns();
	for (i = 0; i < 1000000; i++)
		(void)*(volatile u64 *)&(u64){ __rdtsc() };
	ns_a_call = (double)(cpu_ns() - t) / 1e6;
}

/* Nanoseconds a page of ours. */
static double
ours(void (*work)(struct sample *s), struct sample *s)
{
	u64 before = cpu_ns(), ticks = kernel_ticks, n = calls;

	work(s);
	return ((double)(cpu_ns() - before) -
		(double)(kernel_ticks - ticks) * ns_a_tick -
		(double)(calls - n) * ns_a_call) / (double)pages;
}

static void
do_set(struct sample *s)
{
	(void)s;
	page_idle_ops.set();
}

static void
do_read(struct sample *s)
{
	emit_begin(s);
	page_idle_ops.read(s);
}

int
main(int argc, char **argv)
{
	static struct target self = { .pid = 7, .pidfd = -1 };
	struct sample s = { 0 };
	double set, read, more = 0;
	u64 i;
	int mixed;

	if (argc != 4)
		return 2;
	applet_name = "memidle-user";
	page_init();
	mixed = !strcmp(argv[3], "mixed");
	pages = strtoull(argv[2], NULL, 10) * 256;
	ram = mixed ? pages * 64 / 74 * 10 : pages + 65536;
	entries = room(pages * 8);
	bits = room(ram / 8 + 4096);
	touched = room(ram / 8 + 4096);
	place(mixed);
	for (i = 0; i < pages; i++) {
		if (i < pages / 2)
			touched[entries[i] / 64] |= 1ull << entries[i] % 64;
		entries[i] |= PM_PRESENT;
	}
	put_maps(argv[1]);
	root_set(argv[1]);
	watched = &self;
	watched_count = 1;
	idle.flush = 0;
	idle.backend = BACKEND_PAGE_IDLE;
	emit_open();
	page_idle_ops.open();
	calibrate();
	set = ours(do_set, &s);
	read = ours(do_read, &s);
	for (i = 0; i < 5; i++) {
		more += ours(do_set, &s);
		s = (struct sample){ 0 };
		more += ours(do_read, &s);
	}
	if (s.total.present != pages || s.total.active != pages / 2 ||
	    s.total.idle != pages - pages / 2)
		die("found %lu present, %lu active, %lu idle of %lu pages",
			s.total.present, s.total.active, s.total.idle, pages);
	printf("%-6s %lu pages: set %.1f + read %.1f = %.1f ns/page; a sample "
		"of a series %.1f; %lu calls\n", argv[3], pages, set, read,
		set + read, more / 5, calls);
	return 0;
}
