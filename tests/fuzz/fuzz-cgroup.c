/* Where control groups are mounted, a process's group, and its files: four
 * texts, ended by NULs. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char *const names[] = { "proc/mounts", "proc/5/cgroup",
		"cg/memory.current", "cg/memory.events", "cg/cgroup.procs" };
	struct cgroup_memory m;
	struct cgroup_pids p;
	struct cgroups c;
	char path[64];
	ssize_t n;
	size_t i;
	int pid;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		const u8 *text = data;
		size_t len = fuzz_part(&data, &size);

		fuzz_root(names[i], text, len);
	}
	if (!cgroups_open(&c))
		must(memchr(c.mount, 0, sizeof(c.mount)) && *c.mount);
	n = cgroup_of(&c, 5, path, sizeof(path));
	must(n < (ssize_t)sizeof(path));
	must(n < 0 || strlen(path) == (size_t)n);
	/* what the texts say of memory is told also when the path is odd */
	memcpy(c.mount, "/cg", 4);
	if (!cgroup_memory(&c, n < 0 ? "/" : path, &m))
		must(m.max == CGROUP_NONE || m.max < 1ull << 63);
	cgroup_memory(&c, "/", &m);
	if (!cgroup_pids_open(&p, &c, "/")) {
		while (cgroup_pids_next(&p, &pid) > 0)
			must(pid > 0);
		cgroup_pids_close(&p);
	}
	return 0;
}
