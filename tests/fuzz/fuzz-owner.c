/* page_owner's text: what is charged to call paths is the total. */
#include "applets/memtrack/memtrack.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static int opened;
	u64 sum = 0;
	u32 i;

	if (!opened++) {
		page_init();
		fuzz_root("nothing", data, 0);
		syms_open();
		acct_open(512, 1);
		task_open(0);
		module_open();
	}
	owner_parse(fuzz_fd(data, size), 0);
	for (i = 1; i < leaf_count(); i++)
		sum += leaf_at(i) ? leaf_at(i)->live : 0;
	/* a leaf counts 2^32 pages, which only inputs without end reach */
	must((u32)sum == (u32)total.live);
	return 0;
}
