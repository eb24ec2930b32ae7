/* pages.c - the page table: whose each page is, by PFN.
 *
 * An entry is a leaf's id; so a free needs no stack, and is charged back in
 * O(1).
 */
#include <sys/mman.h>

#include "memtrack.h"

static u32 *pages;		/* by PFN: the leaf, 0 = not ours */
static u64 page_count;

u64
acct_page_bytes(void)
{
	static unsigned char there[4096];
	char *p = (char *)pages, *end = (char *)(pages + page_count);
	u64 n = 0, i, step = sizeof(there) << page_shift;

	for (; p < end; p += step) {
		u64 left = (u64)(end - p) < step ? (u64)(end - p) : step;
		u64 count = (left + page_size - 1) >> page_shift;
		if (mincore(p, left, there) < 0)
			break;
		for (i = 0; i < count; i++)
			n += there[i] & 1;
	}
	return n << page_shift;
}

void
pages_open(u64 pfns)
{
	void *p;

	/* Room for memory that is plugged in later costs only addresses. */
	page_count = pfns * 2 + (16 * GIB >> page_shift);
	p = mmap(NULL, page_count * sizeof(*pages), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		page_count = pfns;
		p = mmap(NULL, page_count * sizeof(*pages),
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			MAP_NORESERVE, -1, 0);
	}
	if (p == MAP_FAILED)
		die("no memory for a table of %lu pages:", (unsigned long)pfns);
	pages = p;
	/* A huge page would be touched whole for one entry. */
	madvise(pages, page_count * sizeof(*pages), MADV_NOHUGEPAGE);
}

/* Takes count entries from pfn away from their leaves. Neighbours mostly have
 * the same one. */
static u64
pages_release(u64 pfn, u64 count)
{
	u64 end = pfn + count, n, released = 0;

	while (pfn < end) {
		u32 leaf = pages[pfn];
		for (n = 0; pfn < end && pages[pfn] == leaf; pfn++, n++)
			if (leaf)
				pages[pfn] = 0;
		if (leaf) {
			leaf_sub(leaf, n);
			released += n;
		}
	}
	return released;
}

/* How many of 2^order pages from pfn are within the table. */
static u64
pages_within(u64 pfn, unsigned order)
{
	u64 count = order < 32 ? 1ull << order : 0;
	u64 room = pfn < page_count ? page_count - pfn : 0;

	if (count <= room && count)
		return count;
	counts.beyond += count - room;
	return room;
}

void
acct_alloc(u32 leaf, u64 pfn, unsigned order, u64 ts)
{
	u64 count = pages_within(pfn, order), i;

	if (count == 1 && !pages[pfn]) {
		pages[pfn] = leaf;
		leaf_add(leaf, 1, ts);
		return;
	}
	/* Its free was lost, or has no event. */
	counts.implied_frees += pages_release(pfn, count);
	for (i = 0; i < count; i++)
		pages[pfn + i] = leaf;
	if (count)
		leaf_add(leaf, count, ts);
}

void
acct_free(u64 pfn, unsigned order)
{
	u64 count = pages_within(pfn, order);

	counts.unknown_frees += count - pages_release(pfn, count);
}

int
acct_holds(u64 pfn)
{
	return pfn < page_count && pages[pfn];
}
