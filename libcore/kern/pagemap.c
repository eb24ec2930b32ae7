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

/* In a captured tree: where the file has data. */
static ssize_t
scan_holes(int fd, u64 *start, u64 end, struct pagemap_region *regions,
	size_t count)
{
	size_t n = 0;

	while (n < count && *start < end) {
		off_t data = lseek(fd, (off_t)(*start / page_size * 8),
			SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		struct stat st;

		if (hole < 0) {
			if (errno != ENXIO || fstat(fd, &st) < 0)
				return -1;
			if ((u64)st.st_size / 8 * page_size < end) {
				errno = ENODATA;
				return -1;
			}
			*start = end;
			break;
		}
		regions[n].start = (u64)data / 8 * page_size;
		if (regions[n].start < *start)
			regions[n].start = *start;
		*start = ((u64)hole + 7) / 8 * page_size;
		if (*start > end)
			*start = end;
		regions[n].end = *start;
		regions[n].categories = 0;
		n += regions[n].start < end;
	}
	return (ssize_t)n;
}

ssize_t
pagemap_scan(int fd, u64 *start, u64 end, u64 any_of, u64 return_mask,
	struct pagemap_region *regions, size_t count)
{
	struct scan_arg arg = {
		.size = sizeof(arg), .start = *start, .end = end,
		.vec = (u64)(uintptr_t)regions, .vec_len = count,
		.category_anyof_mask = any_of, .return_mask = return_mask,
	};
	int n;

	if (*root_dir)
		return scan_holes(fd, start, end, regions, count);
	n = ioctl(fd, PAGEMAP_SCAN_, &arg);
	if (n >= 0)
		*start = arg.walk_end;
	return n;
}
