/* /proc/iomem: whatever stands there, the ranges of RAM are sorted, apart and
 * not empty. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct range r[IOMEM_RANGES];
	int i, n;

	fuzz_root("proc/iomem", data, size);
	n = iomem_ram(r, 16);
	must(n <= 16);
	n = iomem_ram(r, IOMEM_RANGES);
	must(n <= IOMEM_RANGES);
	for (i = 0; i < n; i++) {
		must(r[i].start < r[i].end);
		must(!i || r[i - 1].end < r[i].start);
	}
	iomem_named("Kernel code", r, 1);
	return 0;
}
