/* /proc/zoneinfo and buddyinfo: page numbers that a machine can have, so that
 * tables may be sized by them. */
#include "applets/memstats/memstats.h"
#include "applets/memstats/scan.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 blocks[16];

	fuzz_root("proc/zoneinfo", data, size);
	fuzz_root("proc/buddyinfo", data, size);
	must(zones_end() <= 1ull << 40);
	zones_pcp();
	must(zones_blocks(blocks, 16) <= 16);
	return 0;
}
