/* walk.c - entries by the thousand; where a mapping is mostly empty, only what
 * pagemap_scan says is there. */
#include "walk.h"

enum {
	CHUNK = 8192,		/* entries in a read */
	SPARSE = 4096,		/* pages: less is simply read */
	SPARSER = 4,		/* times the resident pages */
	JOIN = 64,		/* pages: a smaller hole is read over */
	REGIONS = 256,
};

int
walk_open(struct walk *w, int pid, u64 resident)
{
	w->fd = proc_open(pid, "pagemap", O_RDONLY);
	w->no_scan = 0;
	w->resident = resident;
	return w->fd < 0 ? -1 : 0;
}

void
walk_close(struct walk *w)
{
	close(w->fd);
}

static int
read_range(struct walk *w, u64 vpn, u64 end)
{
	static u64 entries[CHUNK];

	while (vpn < end && !stop_signal) {
		u64 want = end - vpn < CHUNK ? end - vpn : CHUNK;
		ssize_t n = pagemap_read(w->fd, vpn, entries, want);

		if (n < 0)
			return -1;
		if (!n)		/* the process ended, or vsyscall */
			break;
		w->entries(w->arg, vpn, entries, (size_t)n);
		vpn += (u64)n;
	}
	return 0;
}

static int
walk_scanned(struct walk *w, u64 vpn, u64 end)
{
	static struct pagemap_region regions[REGIONS];
	const u64 there = PAGE_IS_PRESENT_ | PAGE_IS_SWAPPED_;
	u64 at = vpn * page_size, stop = end * page_size;
	ssize_t n, i, j;

	while (at < stop && !stop_signal) {
		n = pagemap_scan(w->fd, &at, stop, there, there, regions,
			REGIONS);
		if (n <= 0)
			return (int)n;
		for (i = 0; i < n; i = j) {
			u64 to = regions[i].end;

			for (j = i + 1; j < n && regions[j].start - to <
			     JOIN * page_size; j++)
				to = regions[j].end;
			if (read_range(w, regions[i].start / page_size,
			    to / page_size) < 0)
				return -1;
		}
	}
	return 0;
}

int
walk_pages(struct walk *w, u64 vpn, u64 end)
{
	if (end - vpn < SPARSE)
		return read_range(w, vpn, end);
	if (!w->no_scan && (end - vpn) * page_size > SPARSER * w->resident) {
		if (!walk_scanned(w, vpn, end))
			return 0;
		if (errno != ENOTTY && errno != EINVAL)
			return -1;
		w->no_scan = 1;
	}
	return read_range(w, vpn, end);
}
