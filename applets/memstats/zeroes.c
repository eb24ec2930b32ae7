/* zeroes.c - the pages of zeroes that untouched memory reads: nobody's. */
#include <sys/mman.h>

#include "memstats.h"
#include "scan.h"

enum { HUGE_PAGES = 512 };
static u64 zero_pfn, huge_zero_pfn, huge_asked;
static int flags_fd = -1;

/* The page of zeroes that read-only touches of fresh memory all share. Also
 * tells whether page numbers are shown at all: 0 = they are not. */
static int
find_zero_page(void)
{
	volatile const char *p = mmap(NULL, page_size, PROT_READ,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	u64 e = 0;

	if (fd < 0 || p == MAP_FAILED)
		return 0;
	(void)*p;
	if (pagemap_read(fd, (uintptr_t)p >> page_shift, &e, 1) != 1)
		e = 0;
	close(fd);
	munmap((void *)p, page_size);
	zero_pfn = PM_PFN(e);
	return zero_pfn != 0;
}

int
zeroes_open(void)
{
	if (!find_zero_page())
		return -1;
	flags_fd = root_open("/proc/kpageflags", O_RDONLY);
	return 0;
}

void
zeroes_reset(void)
{
	huge_zero_pfn = huge_asked = 0;
}

/* A huge zero page is no memory of anybody's. It looks like a shared huge
 * page; the first page of such a one is looked up. */
static int
is_huge_zero(u64 pfn)
{
	u64 flags;

	if (pfn - huge_zero_pfn < HUGE_PAGES && huge_zero_pfn)
		return 1;
	if (pfn % HUGE_PAGES || huge_zero_pfn || huge_asked == pfn ||
	    flags_fd < 0)
		return 0;
	huge_asked = pfn;
	if (kpage_read(flags_fd, pfn, &flags, 1) != 1 ||
	    !(flags & KPF(ZERO_PAGE)) || !(flags & KPF(THP)))
		return 0;
	huge_zero_pfn = pfn;
	return 1;
}

int
is_zeroes(u64 pfn)
{
	return pfn == zero_pfn || is_huge_zero(pfn);
}
