/* Entries of page maps, whatever they say: each page that counts is in one
 * class, and the classes count each page once. */
#include "applets/memstats/memstats.h"
#include "applets/memstats/scan.h"
#include "fuzz.h"

enum { PAGES = 600, SLOTS = 1024, PROCS = 64, EACH = 24 };

/* Numbers of pages are few, so that they meet. */
static u64
entry(const u8 *data)
{
	const u64 kinds = PM_PRESENT | PM_SWAP | PM_FILE | PM_EXCLUSIVE |
		PM_SOFT_DIRTY | PM_GUARD;
	u64 e;

	memcpy(&e, data, sizeof(e));
	return (e & kinds) | ((e >> 40 & 7) == 7 ? e & ((1ull << 55) - 1)
		: e & 0x3ff);
}

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char swaps[] = "/dev/sda partition 4000 0 -2\n";
	static struct process list[PROCS];
	struct part part = { .end = ~0ull };
	u64 entries[EACH], pages = 0, i;
	u32 me;

	fuzz_root("proc/swaps", (const u8 *)swaps, sizeof(swaps) - 1);
	procs.list = list;
	procs.count = PROCS;
	memset(list, 0, sizeof(list));
	if (!scan.classes) {
		page_init();
		scan.ram_end = PAGES;
		scan.limit = PAGES + swap_open();
		must(scan.limit <= PAGES + SLOTS);
		must(!classes_open());
	}
	swap_reset(PAGES);
	classes_reset();
	for (me = 0; me < PROCS && size >= 1 + sizeof(u64); me++) {
		size_t n = 0;

		part.type = *data % TYPE_SWAP;
		part.shared = *data >> 7;
		data++;
		size--;
		for (; n < EACH && size >= sizeof(u64); n++, data += 8, size -= 8)
			entries[n] = entry(data);
		scan_entries(entries, n, &part, me);
	}
	for (i = 0; i < scan.limit; i++)
		if (class_narrow[i]) {
			pages++;
			must((scan.classes[class_narrow[i]].type == TYPE_SWAP)
				== (i >= PAGES));
		}
	for (i = CLASS_FIRST; i < scan.class_count; i++) {
		must(scan.classes[i].parent < i);
		pages -= scan.classes[i].count;
	}
	must(!pages);
	scan_usage();
	return 0;
}
