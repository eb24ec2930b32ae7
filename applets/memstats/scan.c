/* scan.c - every page of every process is read once, and remembers the set of
 * processes it was seen in as a number: its sharing class. A class is another
 * class and one process more; a machine has millions of pages and a few
 * thousand classes, so what any set of processes has, shares and has alone is
 * then told from the table of classes. */
#include "memstats.h"
#include "scan.h"

struct scan scan;

/* The class of a page of class from once process me is seen to have it. While
 * one process is read, each class leads to one other: kept in next. */
static inline u32
class_step(u32 from, u32 me)
{
	u32 next = scan.classes[from].next;

	if (next && scan.classes[next].proc == me)
		return next;
	return scan.classes[from].proc == me ? from : class_add(from, me);
}

/* Index into the map of a present page, or 0 when it does not count. In a
 * shared mapping every page that has an owner is a file's. */
static inline u64
page_index(u64 e, const struct part *part, struct process *p)
{
	u64 pfn = PM_PFN(e);

	if (pfn - 1 >= scan.ram_end - 1 ||
	    (part->shared && !(e & PM_FILE) && part->type != TYPE_HUGETLB)) {
		if (pfn)
			p->device++;
		else
			p->hidden++;
		return 0;
	}
	if (!(e & (PM_FILE | PM_EXCLUSIVE)) && is_zeroes(pfn))
		return 0;
	return pfn;
}

enum page_type
entry_type(u64 e, const struct part *part)
{
	if (!(e & PM_PRESENT))
		return TYPE_SWAP;
	return part->type == TYPE_HUGETLB || e & PM_FILE ? part->type
		: TYPE_ANON;
}

u64
entry_index(u64 e, const struct part *part, u32 me)
{
	if (e & PM_PRESENT)
		return page_index(e, part, &procs.list[me]);
	return e & PM_SWAP ? swap_index(e) : 0;
}

static inline u32
map_get(u64 i, int is_wide)
{
	return is_wide ? class_wide[i] : class_narrow[i];
}

static inline void
map_set(u64 i, u32 class, int is_wide)
{
	if (is_wide)
		class_wide[i] = class;
	else
		class_narrow[i] = (u16)class;
}

static inline void
map_prefetch(u64 i, int is_wide)
{
	if (is_wide)
		__builtin_prefetch(class_wide + i);
	else
		__builtin_prefetch(class_narrow + i);
}

/* What the walk of one piece of a page map knows of the page before. */
struct run {
	u32 from, to;		/* its class before and now */
	u32 in_map;		/* from as the map has it: 0 for a root class */
	u32 pages;		/* from .. to that are not yet counted */
	u64 flags;		/* of its entry */
};
#define PM_KIND (PM_PRESENT | PM_SWAP | PM_FILE | PM_EXCLUSIVE)

/* Pages that follow each other in RAM, as they mostly do, are compared and set
 * a block at a time: their entries differ by one each, and what the map has of
 * them is a few words. */
enum { BLOCK = 8, BLOCK_WORDS = BLOCK * 4 / 8, AHEAD = 64 };

static inline int
block_follows(const u64 *e)
{
	u64 first = e[0];

	return e[7] - first == 7 && !((e[1] - first - 1) |
		(e[2] - first - 2) | (e[3] - first - 3) | (e[4] - first - 4) |
		(e[5] - first - 5) | (e[6] - first - 6));
}

/* A word of the map that says class of all its pages. */
static inline u64
block_word(u32 class, int is_wide)
{
	return is_wide ? class * 0x100000001ull : class * 0x1000100010001ull;
}

/* 1 and the block's words in the map are set to to, when all were from. */
static inline int
block_change(u64 pfn, u64 from, u64 to, int is_wide)
{
	unsigned k, words = is_wide ? BLOCK_WORDS : BLOCK_WORDS / 2;
	u8 *at = is_wide ? (u8 *)(class_wide + pfn)
		: (u8 *)(class_narrow + pfn);
	u64 word, differ = 0;

	for (k = 0; k < words; k++) {
		memcpy(&word, at + k * 8, 8);
		differ |= word ^ from;
	}
	if (differ)
		return 0;
	for (k = 0; k < words; k++)
		memcpy(at + k * 8, &to, 8);
	return 1;
}

/* Neighbours mostly are alike: as long as an entry is of the same kind and its
 * page of the same class, nothing needs to be looked up. A page of zeroes has
 * no class, so it is not let through. Returns the entries that were alike. */
static inline __attribute__((always_inline)) size_t
classify_alike(const u64 *entries, size_t n, struct run *r, int is_wide)
{
	u64 end = scan.ram_end, flags = r->flags;
	u32 in_map = r->in_map, to = r->to;
	u64 from_word = block_word(in_map, is_wide);
	u64 to_word = block_word(to, is_wide);
	size_t i = 0;

	if (!(flags & PM_PRESENT) ||
	    (!in_map && !(flags & (PM_FILE | PM_EXCLUSIVE))))
		return 0;
	while (i < n) {
		u64 e = entries[i], pfn = PM_PFN(e);

		if (n - i > AHEAD)
			map_prefetch(PM_PFN(entries[i + AHEAD]), is_wide);
		if ((e & PM_KIND) != flags || pfn >= end)
			break;
		if (n - i >= BLOCK && end - pfn >= BLOCK &&
		    block_follows(entries + i) &&
		    block_change(pfn, from_word, to_word, is_wide)) {
			i += BLOCK;
			continue;
		}
		if (map_get(pfn, is_wide) != in_map)
			break;
		map_set(pfn, to, is_wide);
		i++;
	}
	return i;
}

static inline void
run_count(struct run *r)
{
	if (r->from == r->to)
		return;
	scan.classes[r->from].count -= r->pages;
	scan.classes[r->to].count += r->pages;
}

/* Classifies entries; stops early, telling how many were done, when the map
 * must be widened first. */
static inline __attribute__((always_inline)) size_t
classify(const u64 *entries, size_t n, const struct part *part, u32 me,
	int is_wide)
{
	struct run r = { 0 };
	size_t i = 0, alike;

	while (i < n) {
		u64 e = entries[i], at;
		u32 class;

		if (!(e & (PM_PRESENT | PM_SWAP)) ||
		    !(at = e & PM_PRESENT ? page_index(e, part,
				&procs.list[me]) : swap_index(e))) {
			i++;
			continue;
		}
		class = map_get(at, is_wide);
		r.in_map = class;
		if (!class)
			class = CLASS_ROOTS + entry_type(e, part);
		if (class != r.from) {
			if (!is_wide && scan.class_count == CLASSES_NARROW)
				break;
			run_count(&r);
			r.from = class;
			r.to = class_step(class, me);
			r.pages = 0;
		}
		map_set(at, r.to, is_wide);
		r.flags = e & PM_KIND;
		i++;
		alike = r.to == r.from ? 0
			: classify_alike(entries + i, n - i, &r, is_wide);
		r.pages += 1 + alike;
		i += alike;
	}
	run_count(&r);
	return i;
}

void
scan_entries(const u64 *entries, size_t n, const struct part *part, u32 me)
{
	if (CFG_MEMSTATS_TWO_BITS && scan.two_bits) {
		bits_entries(entries, n, part, me);
		return;
	}
	if (!scan.wide) {
		size_t done = classify(entries, n, part, me, 0);

		if (done == n)
			return;
		classes_widen();
		entries += done;
		n -= done;
	}
	classify(entries, n, part, me, 1);
}
