/* frames.c - what the kernel tells of page frames and what it is told: their
 * flags (/proc/kpageflags), and the words of the idle page bitmap.
 */
#include "frames.h"

static int bitmap_fd, flags_fd;

/* /proc/kpageflags ends where RAM does. */
static u64
count_frames(void)
{
	u64 low = 0, high = 1ull << 40, f;

	while (low < high) {
		u64 mid = low + (high - low) / 2;

		if (kpage_read(flags_fd, mid, &f, 1) == 1)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

u64
frames_open(void)
{
	bitmap_fd = root_open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	if (bitmap_fd < 0)
		die("open /sys/kernel/mm/page_idle/bitmap:");
	flags_fd = root_open("/proc/kpageflags", O_RDONLY);
	if (flags_fd < 0)
		die("open /proc/kpageflags:");
	return count_frames();
}

/* ---- flags ---- */

static u64 window[64], window_at, window_n;

ssize_t
bitmap_flags(u64 pfn, u64 *flags, size_t n)
{
	return kpage_read(flags_fd, pfn, flags, n);
}

/* One frame at a time, or ahead when they come in order. */
u64
flags_at(u64 pfn)
{
	u64 n = window_n && pfn == window_at + window_n ? 64 : 1;
	ssize_t r;

	if (pfn - window_at < window_n)
		return window[pfn - window_at];
	r = kpage_read(flags_fd, pfn, window, n);
	window_at = pfn;
	window_n = r > 0 ? (u64)r : 0;
	return window_n ? window[0] : KPF(NOPAGE);
}

/* Folios are aligned to their size: the nearest head below, at a power of
 * two. */
static u64 last_pfn, last_head;

u64
head_of(u64 pfn)
{
	u64 size, head = pfn;

	if (last_pfn + 1 == pfn && last_head) {
		last_pfn = pfn;
		return last_head;
	}
	for (size = 2; size <= 1 << 18; size *= 2) {
		head = pfn & ~(size - 1);
		if (flags_at(head) & KPF(COMPOUND_HEAD))
			break;
	}
	last_pfn = pfn;
	last_head = head;
	return head;
}

void
forget_flags(void)
{
	window_n = last_head = 0;
}

int
huge_at(u64 pfn)
{
	u64 f = flags_at(pfn);

	if (!(f & (KPF(COMPOUND_HEAD) | KPF(COMPOUND_TAIL))) ||
	    !(flags_at(pfn + BLOCK / 2) & KPF(COMPOUND_TAIL)))
		return 0;
	return flags_tracked(f) && f & KPF(COMPOUND_HEAD) ? 1 : 2;
}

/* ---- words of the bitmap ---- */

/* The block's words with something in the mask: the range [*a, *b). */
static int
used_words(const u64 *mask, int *a, int *b)
{
	for (*a = 0; *a < WORDS && !mask[*a]; ++*a)
		;
	for (*b = WORDS; *b > *a && !mask[*b - 1]; --*b)
		;
	return *a < *b;
}

/* A short count is no error: the kernel does not count a last word that is not
 * whole. */
void
write_mask(u64 pfn, const u64 *mask)
{
	int a, b;

	if (used_words(mask, &a, &b) &&
	    pwrite(bitmap_fd, mask + a, (b - a) * 8,
		(off_t)(pfn / 8 + a * 8)) < 0 && errno != ENXIO)
		die("write /sys/kernel/mm/page_idle/bitmap:");
}

u64
read_words(u64 pfn, const u64 *mask, u64 *got)
{
	int a, b;
	ssize_t n;

	memset(got, 0, BLOCK / 8);
	if (!used_words(mask, &a, &b))
		return ~0ull;
	n = pread(bitmap_fd, got + a, (b - a) * 8, (off_t)(pfn / 8 + a * 8));
	if (n < 0)
		die("read /sys/kernel/mm/page_idle/bitmap:");
	return n < (b - a) * 8 ? pfn + (u64)a * 64 + (u64)n * 8 : ~0ull;
}

int
still_idle(u64 pfn)
{
	u64 word;

	return pread(bitmap_fd, &word, 8, (off_t)(pfn / 64 * 8)) == 8 &&
		word >> pfn % 64 & 1;
}
