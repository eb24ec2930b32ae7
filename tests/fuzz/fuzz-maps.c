/* /proc/PID/maps and smaps: whatever stands there, VMAs are in order in
 * themselves and paths lie within the line. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static char buf[4096];
	const char *key, *text;
	struct maps m;
	struct vma v;

	maps_open_fd(&m, dup(fuzz_fd(data, size)), buf, sizeof(buf));
	while (maps_next(&m, &v) == 1) {
		must(v.start <= v.end);
		must(v.path >= buf && v.path + v.path_len <= buf + sizeof(buf));
		while (smaps_field(&m, &key, &text) == 1)
			must(key >= buf && text >= key);
	}
	maps_close(&m);
	return 0;
}
