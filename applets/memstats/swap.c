/* swap.c - slots of swap devices, numbered behind the pages of RAM. */
#include "memstats.h"
#include "scan.h"

/* A 5-bit type; those that are no device (migration, device memory, hwpoison,
 * markers) are taken from the top, nine at most (include/linux/swap.h). */
enum { SWAP_TYPES = 32, SWAP_REAL = SWAP_TYPES - 9 };
#define SIZE_MAX_KIB (1ull << 44)	/* more is no device */

static u64 slots;		/* of the biggest device */
static u32 devices;
static u64 first_index, base[SWAP_TYPES];
static u32 used;

/* Filename Type Size Used Priority, sizes in KiB; the first slot is the
 * header's. */
static u64
device_slots(const char *s)
{
	size_t n;
	u64 kib;

	if (!scan_word(&s, &n) || !scan_word(&s, &n) ||
	    scan_u64(&s, &kib) < 0 || kib > SIZE_MAX_KIB)
		return 0;
	return kib * KIB / page_size + 2;
}

u64
swap_open(void)
{
	struct lines l;
	char buf[1024], *line;
	size_t n;
	int fd = root_open("/proc/swaps", O_RDONLY);

	slots = devices = 0;
	if (fd < 0)
		return 0;
	lines_open(&l, fd, buf, sizeof(buf));
	while (devices < SWAP_TYPES && (line = lines_next(&l, &n))) {
		u64 have = device_slots(line);

		devices += have > 0;
		if (have > slots)
			slots = have;
	}
	close(fd);
	return slots * devices;
}

void
swap_reset(u64 first)
{
	first_index = first;
	memset(base, 0, sizeof(base));
	used = 0;
}

/* The list of devices does not tell their types: room is given to a type when
 * it is first seen. */
u64
swap_index(u64 e)
{
	u32 type = PM_SWAP_TYPE(e);

	if (e & PM_GUARD || !devices ||
	    (type >= SWAP_REAL && type >= devices))
		return 0;
	if (!base[type] && used < devices)
		base[type] = first_index + slots * used++;
	if (!base[type] || PM_SWAP_OFFSET(e) >= slots) {
		scan.swap_lost++;
		return 0;
	}
	return base[type] + PM_SWAP_OFFSET(e);
}
