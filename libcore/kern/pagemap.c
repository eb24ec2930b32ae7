/* pagemap.c - which page stands behind an address. */
#include <sys/ioctl.h>

#include "../kern.h"

u64 page_size = 4096;
unsigned page_shift = 12;

void
page_init(void)
{
	page_size = (u64)sysconf(_SC_PAGESIZE);
	page_shift = (unsigned)__builtin_ctzll(page_size);
}

ssize_t
pagemap_read(int fd, u64 vpn, u64 *entries, size_t count)
{
	ssize_t n = full_pread(fd, entries, count * 8, vpn * 8);

	return n < 0 ? -1 : n / 8;
}

ssize_t
kpage_read(int fd, u64 pfn, u64 *entries, size_t count)
{
	return pagemap_read(fd, pfn, entries, count);
}

/* struct pm_scan_arg of include/uapi/linux/fs.h, Linux 6.7; Debian 12's
 * headers are older. */
struct scan_arg {
	u64 size, flags, start, end, walk_end;
	u64 vec, vec_len, max_pages;
	u64 category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define PAGEMAP_SCAN_ _IOWR('f', 16, struct scan_arg)

ssize_t
pagemap_scan(int fd, u64 *start, u64 end, u64 any_of, u64 return_mask,
	struct pagemap_region *regions, size_t count)
{
	struct scan_arg arg = {
		.size = sizeof(arg), .start = *start, .end = end,
		.vec = (u64)(uintptr_t)regions, .vec_len = count,
		.category_anyof_mask = any_of, .return_mask = return_mask,
	};
	int n = ioctl(fd, PAGEMAP_SCAN_, &arg);

	if (n >= 0)
		*start = arg.walk_end;
	return n;
}
