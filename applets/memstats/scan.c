/* scan.c - every page of every process is read once, and remembers the set of
 * processes it was seen in as a number: its sharing class. A class is another
 * class and one process more; a machine has millions of pages and a few
 * thousand classes, so what any set of processes has, shares and has alone is
 * then told from the table of classes. */
#include <sys/mman.h>

#include "memstats.h"
#include "scan.h"

#define MADV_POPULATE_WRITE_ 23	/* Linux 5.14 */

struct scan scan;

static u16 *narrow;
static u32 *wide;

enum { NARROW_MAX = 1 << 16, WIDE_MAX = 1 << 24 };

static void *
map_anonymous(u64 size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

u64
classes_cost(u64 limit)
{
	return limit * sizeof(*narrow) + NARROW_MAX * sizeof(struct class);
}

/* 0; -1: no page numbers. */
int
classes_open(void)
{
	if (!*root_dir && zeroes_open() < 0)
		return -1;
	if (CFG_MEMSTATS_TWO_BITS && scan.two_bits) {
		bits_open();
		return 0;
	}
	narrow = map_anonymous(scan.limit * sizeof(*narrow));
	scan.classes = map_anonymous(NARROW_MAX * sizeof(struct class));
	if (!narrow || !scan.classes)
		die("memory for 16 bits a page:");
	scan.class_max = NARROW_MAX;
	return 0;
}

/* More mappings of pages than pages: the map will be met all over, by pages in
 * no order, so huge pages of its own are worth having. All at once, before the
 * first process is read: the kernel may move pages to make room. */
static void
narrow_reset(void)
{
	u64 size = scan.limit * sizeof(*narrow), mapped = 0;
	u32 i;

	madvise(narrow, size, MADV_DONTNEED);
	for (i = 0; i < procs.count; i++)
		mapped += procs.list[i].rss_pages;
	if (mapped > scan.ram_end && !madvise(narrow, size, MADV_HUGEPAGE))
		madvise(narrow, scan.ram_end * sizeof(*narrow),
			MADV_POPULATE_WRITE_);
}

void
classes_reset(void)
{
	u32 i;

	zeroes_reset();
	if (scan.two_bits)
		return;
	if (narrow)
		narrow_reset();
	else
		madvise(wide, scan.limit * sizeof(*wide), MADV_DONTNEED);
	for (i = 0; i < CLASS_FIRST; i++)
		scan.classes[i] = (struct class){ .proc = PROC_NOBODY,
			.type = i - CLASS_ROOTS };
	scan.class_count = CLASS_FIRST;
}

/* More classes than 16 bits tell apart: only pages seen so far are copied. */
static void
widen(void)
{
	u64 i, size = scan.limit * sizeof(*wide);
	void *more = mremap(scan.classes, NARROW_MAX * sizeof(struct class),
		(u64)WIDE_MAX * sizeof(struct class), MREMAP_MAYMOVE);

	if (size + scan.limit * sizeof(*narrow) > scan.mem_limit)
		die("more than %u sharing classes: 32 bits a page are needed, "
			"%llu MiB; --mem-limit is %llu MiB: raise it, or use "
			"--two-bits", NARROW_MAX, size / MIB + 1,
			scan.mem_limit / MIB);
	wide = map_anonymous(size);
	if (!wide || more == MAP_FAILED)
		die("memory for 32 bits a page:");
	scan.classes = more;
	for (i = 0; i < scan.limit; i++)
		if (narrow[i])
			wide[i] = narrow[i];
	munmap(narrow, scan.limit * 2);
	narrow = NULL;
	scan.wide = 1;
	scan.class_max = WIDE_MAX;
}

static u32
class_add(u32 from, u32 me)
{
	u32 class = scan.class_count++;

	if (class == scan.class_max)
		die("more than %u sharing classes: use --two-bits", WIDE_MAX);
	scan.classes[class] = (struct class){ .parent = from, .proc = me,
		.depth = scan.classes[from].depth + 1,
		.type = scan.classes[from].type };
	return scan.classes[from].next = class;
}

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
	return is_wide ? wide[i] : narrow[i];
}

static inline void
map_set(u64 i, u32 class, int is_wide)
{
	if (is_wide)
		wide[i] = class;
	else
		narrow[i] = (u16)class;
}

static inline void
map_prefetch(u64 i, int is_wide)
{
	if (is_wide)
		__builtin_prefetch(wide + i);
	else
		__builtin_prefetch(narrow + i);
}

/* What the walk of one piece of a page map knows of the page before. */
struct run {
	u32 from, to;		/* its class before and now */
	u32 in_map;		/* from as the map has it: 0 for a root class */
	u32 pages;		/* that went from .. to and are not yet counted */
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
	u8 *at = is_wide ? (u8 *)(wide + pfn) : (u8 *)(narrow + pfn);
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
			if (!is_wide && scan.class_count == NARROW_MAX)
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
		widen();
		entries += done;
		n -= done;
	}
	classify(entries, n, part, me, 1);
}
