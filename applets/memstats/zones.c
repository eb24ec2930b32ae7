/* zones.c - what the kernel says of its zones: open to all, also where page
 * numbers and addresses are hidden. */
#include "memstats.h"
#include "scan.h"

/* 52 bits of address: a captured file may say anything, and tables are sized by
 * what is said here. */
#define PFN_MAX_END (1ull << 40)

u64
zones_end(void)
{
	static char buf[4096];
	struct lines l;
	const char *s;
	char *line;
	size_t n;
	u64 spanned = 0, start, end = 0;
	int fd = root_open("/proc/zoneinfo", O_RDONLY);

	if (fd < 0)
		return 0;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n))) {
		if ((s = strstr(line, "spanned "))) {
			s += 8;
			scan_u64(&s, &spanned);
		} else if ((s = strstr(line, "start_pfn:"))) {
			s += 10;
			if (!scan_u64(&s, &start) && spanned &&
			    start < PFN_MAX_END &&
			    spanned <= PFN_MAX_END - start &&
			    start + spanned > end)
				end = start + spanned;
		}
	}
	close(fd);
	return end;
}

/* Free pages that the processors keep: "count:" lines of zoneinfo. */
u64
zones_pcp(void)
{
	static char buf[4096];
	struct lines l;
	const char *s;
	char *line;
	size_t n;
	u64 v, sum = 0;
	int fd = root_open("/proc/zoneinfo", O_RDONLY);

	if (fd < 0)
		return 0;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n)))
		if ((s = strstr(line, " count: "))) {
			s += 8;
			if (!scan_u64(&s, &v))
				sum += v;
		}
	close(fd);
	return sum;
}

/* Node 0, zone   Normal   12   3 .. */
unsigned
zones_blocks(u64 *blocks, unsigned max)
{
	static char buf[4096];
	struct lines l;
	char *line;
	size_t n;
	unsigned orders = 0;
	int fd = root_open("/proc/buddyinfo", O_RDONLY);

	memset(blocks, 0, max * sizeof(*blocks));
	if (fd < 0)
		return 0;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n))) {
		const char *s = strstr(line, "zone");
		unsigned order = 0;
		u64 v;

		if (!s || !scan_word(&s, &n) || !scan_word(&s, &n))
			continue;
		while (order < max && !scan_u64(&s, &v))
			blocks[order++] += v;
		if (order > orders)
			orders = order;
	}
	close(fd);
	return orders;
}
