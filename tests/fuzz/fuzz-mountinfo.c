/* /proc/PID/mountinfo: what pages of a device are, and mounts of tmpfs. */
#include "applets/memstats/memstats.h"
#include "applets/memstats/scan.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct tmpfs_mount m;
	static char buf[4 * PATH_MAX];
	struct vma v = { .inode = 1, .path = buf };
	struct lines l;
	char *line;
	size_t n;
	int id, fd = dup(fuzz_fd(data, size));

	fuzz_root("proc/5/mountinfo", data, size);
	types_reset();
	buf[0] = 0;
	for (v.minor = 0; v.minor < 300; v.minor++) {
		enum page_type t = vma_type(5, &v, &id);

		must(t == TYPE_FILE || t == TYPE_SHMEM || t == TYPE_HUGETLB);
		must(vma_type(5, &v, &id) == t);
	}
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n)))
		if (!tmpfs_mount_parse(line, &m))
			must(strlen(m.path) < sizeof(m.path) &&
				strlen(m.huge) < sizeof(m.huge));
	close(fd);
	return 0;
}
