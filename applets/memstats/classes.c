/* classes.c - the map from pages to classes, and the table of these. */
#include <sys/mman.h>

#include "memstats.h"
#include "scan.h"

#define MADV_POPULATE_WRITE_ 23	/* Linux 5.14 */

u16 *class_narrow;
u32 *class_wide;

enum { WIDE_MAX = 1 << 24 };

static void *
map_anonymous(u64 size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

u64
classes_cost(u64 limit)
{
	return limit * sizeof(*class_narrow) +
		CLASSES_NARROW * sizeof(struct class);
}

/* 0; -1: no page numbers. */
int
classes_open(void)
{
	if (!*root_dir && zeroes_open() < 0)
		return -1;
	if (CFG_MEMSTATS_TWO_BITS && scan.two_bits) {
		bits_open();
		return 0;
	}
	class_narrow = map_anonymous(scan.limit * sizeof(*class_narrow));
	scan.classes = map_anonymous(CLASSES_NARROW * sizeof(struct class));
	if (!class_narrow || !scan.classes)
		die("memory for 16 bits a page:");
	scan.class_max = CLASSES_NARROW;
	return 0;
}

/* More mappings of pages than pages: the map will be met all over, by pages in
 * no order, so huge pages of its own are worth having. All at once, before the
 * first process is read: the kernel may move pages to make room. */
static void
narrow_reset(void)
{
	u64 size = scan.limit * sizeof(*class_narrow), mapped = 0;
	u32 i;

	madvise(class_narrow, size, MADV_DONTNEED);
	for (i = 0; i < procs.count; i++)
		mapped += procs.list[i].rss_pages;
	if (mapped > scan.ram_end &&
	    !madvise(class_narrow, size, MADV_HUGEPAGE))
		madvise(class_narrow, scan.ram_end * sizeof(*class_narrow),
			MADV_POPULATE_WRITE_);
}

void
classes_reset(void)
{
	u32 i;

	zeroes_reset();
	if (scan.two_bits)
		return;
	if (class_narrow)
		narrow_reset();
	else
		madvise(class_wide, scan.limit * sizeof(*class_wide),
			MADV_DONTNEED);
	for (i = 0; i < CLASS_FIRST; i++)
		scan.classes[i] = (struct class){ .proc = PROC_NOBODY,
			.type = i - CLASS_ROOTS };
	scan.class_count = CLASS_FIRST;
}

/* More classes than 16 bits tell apart: only pages seen so far are copied. */
void
classes_widen(void)
{
	u64 i, size = scan.limit * sizeof(*class_wide);
	void *more = mremap(scan.classes, CLASSES_NARROW * sizeof(struct class),
		(u64)WIDE_MAX * sizeof(struct class), MREMAP_MAYMOVE);

	if (size + scan.limit * sizeof(*class_narrow) > scan.mem_limit)
		die("more than %u sharing classes: 32 bits a page are needed, "
			"%llu MiB; --mem-limit is %llu MiB: raise it, or use "
			"--two-bits", CLASSES_NARROW, size / MIB + 1,
			scan.mem_limit / MIB);
	class_wide = map_anonymous(size);
	if (!class_wide || more == MAP_FAILED)
		die("memory for 32 bits a page:");
	scan.classes = more;
	for (i = 0; i < scan.limit; i++)
		if (class_narrow[i])
			class_wide[i] = class_narrow[i];
	munmap(class_narrow, scan.limit * 2);
	class_narrow = NULL;
	scan.wide = 1;
	scan.class_max = WIDE_MAX;
}

u32
class_add(u32 from, u32 me)
{
	u32 class = scan.class_count++;

	if (class == scan.class_max)
		die("more than %u sharing classes: use --two-bits", WIDE_MAX);
	scan.classes[class] = (struct class){ .parent = from, .proc = me,
		.depth = scan.classes[from].depth + 1,
		.type = scan.classes[from].type };
	return scan.classes[from].next = class;
}
