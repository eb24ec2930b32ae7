/* /proc/PID/stat, where comm may hold anything. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static char text[4096];
	struct procstat st;
	u64 v;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (!procstat_parse(text, size, &st))
		must(strlen(st.comm) < COMM_MAX);
	key_u64(text, "Rss", &v);
	return 0;
}
