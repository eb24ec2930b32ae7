/* /proc/sysvipc/shm, and mappings that claim to be of a segment. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static char text[4096];
	struct shm_segment seg;
	struct vma v;
	int id;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (!shm_parse(text, &seg))
		must(shm_rss(&seg) <= seg.rss && seg.mode < 1u << 31);
	if (!vma_parse(text, strlen(text), &v) && shm_vma(&v, &id))
		must(v.path_len >= 13 && !v.major);
	return 0;
}
