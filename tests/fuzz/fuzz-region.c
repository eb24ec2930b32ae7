/* smaps as regions: types and kinds within their tables, texts that end. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct regions r;
	static struct region g;
	static char buf[4096];

	fuzz_root("proc/7/smaps", data, size);
	must(!regions_open(&r, 7, 1, buf, sizeof(buf)));
	while (regions_next(&r, &g) == 1) {
		must(g.vma.start <= g.vma.end);
		must(g.type < REGION_TYPES && g.kind < REGION_KINDS);
		must(g.vma.path_len < REGION_PATH_MAX);
		must(strlen(g.vma.path) <= g.vma.path_len);
		must(memchr(g.flags, 0, sizeof(g.flags)));
		must(!(g.seen >> SMAPS_KEYS));
	}
	regions_close(&r);
	return 0;
}
