/* uses.c - what a page is for, and in what block it lies, by its flags in
 * kpageflags. */
#include "picture.h"

/* The first that fits is the page's. */
const struct use uses[] = {
	{ KPF(NOPAGE), 0, 0x303030, ' ', "no page" },
	{ KPF(HWPOISON), 0, 0xff00ff, '!', "poisoned" },
	{ KPF(OFFLINE), 0, 0x505058, '-', "offline (balloon, unplugged)" },
	{ KPF(BUDDY), 0, 0x1c3a24, '.', "free" },
	{ KPF(SLAB), 0, 0xe8a020, 's', "slab" },
	{ KPF(PGTABLE), 0, 0xff6040, 't', "page tables" },
	{ KPF(HUGE), 0, 0xb060ff, 'H', "hugetlb" },
	{ KPF(KSM), 0, 0x60ffc0, 'k', "merged (KSM)" },
	{ KPF(ANON) | KPF(THP), 0, 0xff4fa0, 'A', "anonymous, huge (THP)" },
	{ KPF(ANON), 0, 0xd02860, 'a', "anonymous" },
	{ KPF(SWAPBACKED) | KPF(LRU), 0, 0xf0e050, 'm', "shared memory, tmpfs" },
	{ KPF(LRU) | KPF(MMAP), 0, 0x50b8ff, 'f', "files, mapped" },
	{ KPF(LRU) | KPF(DIRTY), 0, 0x80ffff, 'd', "files, dirty" },
	{ KPF(LRU), 0, 0x2060a8, 'c', "files, cached" },
	{ KPF(RESERVED), 0, 0x604060, 'r', "reserved" },
	{ 0, 0, 0x788078, 'o', "kernel, other" },
};
const unsigned uses_count = ARRAY_LEN(uses);

u16
use_of(u64 flags)
{
	u16 i = 0;

	while ((flags & uses[i].all) != uses[i].all || flags & uses[i].none)
		i++;
	return i;
}

/* Blocks: of free pages the largest aligned ones that the buddy allocator can
 * have made of them, and compound pages. Classes: free order 0 .. 10, then used
 * pages by order. */
enum { FREE_ORDERS = 11, USED = FREE_ORDERS };
const struct use orders[] = {
	{ .name = "free, order 0", .rgb = 0x7a1f1f, .letter = '0' },
	{ .name = "free, order 1", .rgb = 0x8a3a1c, .letter = '1' },
	{ .name = "free, order 2", .rgb = 0x96541a, .letter = '2' },
	{ .name = "free, order 3", .rgb = 0x9c6e18, .letter = '3' },
	{ .name = "free, order 4", .rgb = 0x968418, .letter = '4' },
	{ .name = "free, order 5", .rgb = 0x84901c, .letter = '5' },
	{ .name = "free, order 6", .rgb = 0x6a9620, .letter = '6' },
	{ .name = "free, order 7", .rgb = 0x4e9a28, .letter = '7' },
	{ .name = "free, order 8", .rgb = 0x359c34, .letter = '8' },
	{ .name = "free, order 9 (2 MiB on x86)", .rgb = 0x20a050,
		.letter = '9' },
	{ .name = "free, order 10", .rgb = 0x10b070, .letter = '+' },
	{ .name = "used, single pages", .rgb = 0x404858, .letter = 'u' },
	{ .name = "used, order 1-3", .rgb = 0x4a5a80, .letter = 'v' },
	{ .name = "used, order 4-8", .rgb = 0x5570b0, .letter = 'w' },
	{ .name = "used, order 9 (2 MiB on x86)", .rgb = 0x60a0f0,
		.letter = 'H' },
	{ .name = "used, larger", .rgb = 0xb0e0ff, .letter = 'G' },
};
const unsigned orders_count = ARRAY_LEN(orders);

static struct {
	u16 *classes;
	int kind;		/* of the run: 0, free, compound */
	u64 pfn, at, end;	/* end: index after the last page */
} block;
enum { SINGLE, FREE, COMPOUND };

static unsigned
log2_of(u64 v)
{
	return 63 - (unsigned)__builtin_clzll(v);
}

static void
set_classes(u64 at, u64 n, u16 class)
{
	while (n--)
		block.classes[at++] = class;
}

void
frag_end(void)
{
	u64 n = block.end - block.at;
	unsigned order;

	if (block.kind == COMPOUND) {
		order = log2_of(n);
		set_classes(block.at, n, USED + (order == 0 ? 0 : order <= 3
			? 1 : order <= 8 ? 2 : order == 9 ? 3 : 4));
	}
	while (block.kind == FREE && n) {
		order = block.pfn ? (unsigned)__builtin_ctzll(block.pfn) : 10;
		if (order > FREE_ORDERS - 1)
			order = FREE_ORDERS - 1;
		if (order > log2_of(n))
			order = log2_of(n);
		set_classes(block.at, 1ull << order, (u16)order);
		block.at += 1ull << order;
		block.pfn += 1ull << order;
		n -= 1ull << order;
	}
	block.kind = SINGLE;
}

void
frag_take(u64 pfn, u64 at, u64 flags)
{
	int is_free = !!(flags & KPF(BUDDY));
	int is_tail = !!(flags & KPF(COMPOUND_TAIL));

	block.classes[at] = USED;
	if (block.end != at || !(block.kind == FREE ? is_free
	    : block.kind == COMPOUND && is_tail))
		frag_end();
	if (block.kind == SINGLE) {
		block.kind = is_free ? FREE : flags & KPF(COMPOUND_HEAD)
			? COMPOUND : SINGLE;
		block.pfn = pfn;
		block.at = at;
	}
	block.end = at + 1;
}

void
frag_open(u16 *classes)
{
	block.classes = classes;
	block.kind = SINGLE;
	block.end = 0;
}
