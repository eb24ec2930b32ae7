/* memidle's traces: whatever stands there, VMAs and columns lie within their
 * tables, and every report can be made. */
#include "applets/memidle/memidle.h"
#include "fuzz.h"

enum { INPUT_MAX = 1 << 20 };

/* A sample ends with a check, E: so that what is behind it is tried too, it is
 * made right. A record is a type, 14 bits of length, and its body. */
static void
mend_checks(u8 *data, size_t n)
{
	size_t at = 8, start = 0, len, i;
	u32 hash;

	for (; at + 3 <= n; at += 3 + len) {
		len = (data[at + 1] & 127) | (size_t)data[at + 2] << 7;
		if (at + 3 + len > n)
			return;
		if (data[at] == 'S')
			start = at;
		if (data[at] != 'E' || len != 4 || !start)
			continue;
		hash = 2166136261u;
		for (i = start; i < at; i++)
			hash = (hash ^ data[i]) * 16777619;
		memcpy(data + at + 3, &hash, 4);
	}
}

/* Reports are made once, for all inputs; they go nowhere. */
static void
open_reports(void)
{
	static int opened;

	if (opened++)
		return;
	must(dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 1) == 1);
	applet_name = "memidle";
	page_init();
	idle.ages = "0,1s";
	history_ages(idle.ages);
	idle.reuse = idle.vmas = 1;
	emit_open();
	history_open(4096);
	heat_open(4096);
}

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 copy[INPUT_MAX];
	u64 pages, good;
	unsigned i;

	open_reports();
	if (size > sizeof(copy))
		return 0;
	memcpy(copy, data, size);
	if (size && data[size - 1] % 4)
		mend_checks(copy, size);
	if (mit_open_bytes(copy, size, &pages))
		return 0;
	must(measure_count <= MEASURES_MAX && page_size == 1ul << page_shift);
	must(pages <= 1ull << 40);
	idle.heat = 1;
	idle.json = data[size - 1] >> 2 & 1;
	idle.csv = !idle.json && data[size - 1] >> 3 & 1;
	idle_report_open();
	region_count = 0;
	mit_read_samples(&good);
	must(region_count <= REGIONS_MAX && good <= size);
	for (i = 0; i < region_count; i++) {
		must(regions[i].start < 1ull << 52);
		must(regions[i].pages < 1ull << 52);
		must(regions[i].name_len <= size);
	}
	idle.heat = 0;		/* drawn once in a run: it is not made for more */
	must(idle_report_close() != EXIT_FAILED);
	return 0;
}
