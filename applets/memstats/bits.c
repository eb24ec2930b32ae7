/* bits.c - two bits a page, for machines where a class a page is too much: two
 * scans for each split, group by group, tell RSS and USS; who shares with how
 * many, and so PSS, is not known then. */
#include <sys/mman.h>

#include "memstats.h"
#include "scan.h"

/* What the two bits of a page say. */
enum {
	BIT_NONE,	/* nobody has it (second scan: or it was counted) */
	BIT_ONE,	/* one group, before the one that is being read */
	BIT_MORE,	/* several groups */
	BIT_NOW,	/* the group being read, alone (second scan: it and more) */
};

static u64 *map;
static int second;
static struct usage *usage;
static u64 low, high;		/* where the group left BIT_NOW */

u64
bits_cost(u64 limit)
{
	return limit / 4 + 8;
}

void
bits_open(void)
{
	void *p = mmap(NULL, bits_cost(scan.limit), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("memory for two bits a page:");
	map = p;
}

static unsigned
get(u64 i)
{
	return map[i / 32] >> (i % 32 * 2) & 3;
}

static void
set(u64 i, u64 state)
{
	unsigned shift = (unsigned)(i % 32 * 2);

	map[i / 32] = (map[i / 32] & ~(3ull << shift)) | state << shift;
}

static void
set_now(u64 i)
{
	set(i, BIT_NOW);
	if (i < low)
		low = i;
	if (i > high)
		high = i;
}

static void
count(enum page_type type, int own)
{
	usage->by[type] += page_size;
	if (!own)
		return;
	if (type == TYPE_SWAP)
		usage->swap_uss += page_size;
	else
		usage->uss += page_size;
	if (type == TYPE_SYSV)
		usage->sysv_uss += page_size;
}

static void
see_first(u64 i)
{
	unsigned state = get(i);

	if (state == BIT_NONE)
		set_now(i);
	else if (state == BIT_ONE)
		set(i, BIT_MORE);
}

static void
see_again(u64 i, enum page_type type)
{
	unsigned state = get(i);

	if (state == BIT_ONE) {
		count(type, 1);
		set(i, BIT_NONE);
	} else if (state == BIT_MORE) {
		count(type, 0);
		set_now(i);
	}
}

void
bits_entries(const u64 *entries, size_t n, const struct part *part, u32 me)
{
	size_t i;

	for (i = 0; i < n; i++) {
		u64 at = entry_index(entries[i], part, me);

		if (!at)
			continue;
		if (second)
			see_again(at, entry_type(entries[i], part));
		else
			see_first(at);
	}
}

/* After a group: its BIT_NOW becomes what it is for the next one. */
static void
group_end(u64 becomes)
{
	const u64 odd = 0x5555555555555555;
	u64 i;

	for (i = low / 32; low <= high && i <= high / 32; i++) {
		u64 now = map[i] & map[i] >> 1 & odd;	/* pairs of 11 */

		map[i] = (map[i] & ~(now * 3)) | now * becomes;
	}
	low = UINT64_MAX;
	high = 0;
}

/* Reads the processes of a group, or (group_of NULL) one process. */
static void
read_group(const u32 *group_of, u32 group)
{
	u32 i;

	if (!group_of) {
		scan_process(group);
		return;
	}
	for (i = 0; i < procs.count && !stop_signal; i++)
		if (group_of[i] == group && procs.list[i].state == PROC_OK)
			scan_process(i);
}

/* Groups 0 .. n-1, and those that are in none (filtered out). */
static void
two_scans(const u32 *group_of, u32 n, struct usage *(*usage_of)(u32 group))
{
	u32 g;

	memset(map, 0, bits_cost(scan.limit));
	low = UINT64_MAX;
	high = 0;
	for (second = 0; second < 2; second++) {
		for (g = 0; g < n && !stop_signal; g++) {
			usage = usage_of(g);
			read_group(group_of, g);
			group_end(second ? BIT_MORE : BIT_ONE);
		}
		if (!second && group_of) {
			read_group(group_of, GROUP_NONE);
			group_end(BIT_ONE);
		}
		scan.again = 1;
	}
}

static const struct split *split;

static struct usage *
usage_of_process(u32 i)
{
	return &procs.list[i].u;
}

static struct usage *
usage_of_group(u32 g)
{
	return &split->groups[g].u;
}

void
bits_run(void)
{
	unsigned k;

	scan.again = 0;
	if (splits[0].kind == SPLIT_ALL)
		two_scans(NULL, procs.count, usage_of_process);
	for (k = 0; k < split_count; k++) {
		split = &splits[k];
		two_scans(split->group_of, split->count, usage_of_group);
	}
	scan.again = 0;
}
