/* /proc/swaps, and entries of page maps that name slots: an index lies within
 * the slots that room is made for, whatever stands where. */
#include "applets/memstats/memstats.h"
#include "applets/memstats/scan.h"
#include "fuzz.h"

enum { FIRST = 1000 };

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const u8 *text = data;
	size_t n = fuzz_part(&data, &size);
	u64 slots, entry, index;

	fuzz_root("proc/swaps", text, n);
	slots = swap_open();
	must(slots <= 1ull << 50);
	swap_reset(FIRST);
	for (; size >= sizeof(entry); data += 8, size -= 8) {
		memcpy(&entry, data, sizeof(entry));
		index = swap_index(entry | PM_SWAP);
		must(!index || (index >= FIRST && index < FIRST + slots));
	}
	return 0;
}
