/* t-sysv - System V segments and control groups as the kernel lists them. */
#include <sys/stat.h>

#include "unit.h"

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

static void
test_parse(void)
{
	struct shm_segment s;

	ok(!shm_parse("  -559038737      7  1600 268435456  512   513      2 "
		" 1000   100     0     0 1700000000 0 1700000001 "
		" 8192  4096", &s) && s.key == 0xdeadbeef && s.id == 7 &&
		s.mode == 01600 && s.size == 268435456 && s.cpid == 512 &&
		s.lpid == 513 && s.nattch == 2 && s.uid == 1000 &&
		s.gid == 100 && s.atime == 1700000000 &&
		s.ctime == 1700000001 && s.rss == 8192 && s.swap == 4096,
		"a line of sysvipc/shm");
	ok(!shm_parse("0 1 7777777777777777 0 0 0 0 0 0 0 0 0 0 0 0 0", &s) &&
		s.mode == 07777777777, "a mode of too many digits");
	ok(shm_parse("1 2 3", &s) < 0, "a short line");
	ok(shm_parse("", &s) < 0 && shm_parse("x y", &s) < 0, "no numbers");
}

static int
vma_id(const char *text)
{
	char line[256];
	struct vma v;
	int id;

	strcpy(line, text);
	if (vma_parse(line, strlen(line), &v) < 0)
		return -2;
	return shm_vma(&v, &id) ? id : -1;
}

static void
test_vma(void)
{
	ok(vma_id("7f0000000000-7f0010000000 r--s 00000000 00:01 98307 "
		"                     /SYSV0000162e (deleted)") == 98307,
		"a segment's mapping");
	ok(vma_id("7f0000000000-7f0010000000 r--s 00000000 08:01 98307 "
		"/SYSV0000162e") == -1, "a file of that name on a disk");
	ok(vma_id("7f0000000000-7f0010000000 r--s 00000000 00:01 9 "
		"/SYSV0000162e.bak") == -1, "a longer name");
	ok(vma_id("7f0000000000-7f0010000000 r--s 00000000 00:01 9 "
		"/SYSV") == -1, "a shorter name");
}

static void
test_cgroup(void)
{
	char dir[] = "/tmp/t-sysv.XXXXXX", path[64], command[64];
	struct cgroups c;
	struct cgroup_memory m;
	struct cgroup_pids p;
	int pid;

	if (!mkdtemp(dir) || chdir(dir))
		abort();
	mkdir("proc", 0755);
	mkdir("proc/5", 0755);
	mkdir("cg", 0755);
	mkdir("cg/a", 0755);
	put("proc/mounts", "proc /proc proc rw 0 0\n"
		"none /cg cgroup2 rw,nosuid 0 0\n");
	put("proc/5/cgroup", "1:name=systemd:/x\n0::/a\n");
	put("cg/a/memory.current", "4096\n");
	put("cg/a/memory.max", "max\n");
	put("cg/a/memory.events", "low 0\noom 3\noom_kill 2\n");
	put("cg/a/cgroup.procs", "5\n77\n");
	root_set(dir);
	ok(!cgroups_open(&c) && !strcmp(c.mount, "/cg") && !c.v1, "mount");
	ok(cgroup_of(&c, 5, path, sizeof(path)) == 2 && !strcmp(path, "/a"),
		"a process's cgroup");
	ok(cgroup_of(&c, 6, path, sizeof(path)) == -1 && errno == ENOENT,
		"of a process that is gone");
	ok(!cgroup_memory(&c, "/a", &m) && m.current == 4096 &&
		m.max == CGROUP_NONE && m.oom == 3 && m.oom_kill == 2,
		"memory.current, max, events");
	ok(cgroup_memory(&c, "/b", &m) == -1, "no such cgroup");
	ok(!cgroup_pids_open(&p, &c, "/a") &&
		cgroup_pids_next(&p, &pid) == 1 && pid == 5 &&
		cgroup_pids_next(&p, &pid) == 1 && pid == 77 &&
		cgroup_pids_next(&p, &pid) == 0, "its processes");
	cgroup_pids_close(&p);
	put("proc/mounts", "none /cg cgroup2 rw 0 0\n"
		"c /cg cgroup rw,cpu,memory 0 0\n");
	put("proc/5/cgroup", "4:cpu,memory:/a\n0::/b\n");
	put("cg/a/memory.usage_in_bytes", "8192\n");
	put("cg/a/memory.limit_in_bytes", "9223372036854771712\n");
	ok(!cgroups_open(&c) && c.v1 &&
		cgroup_of(&c, 5, path, sizeof(path)) == 2 &&
		!strcmp(path, "/a") && !cgroup_memory(&c, "/a", &m) &&
		m.current == 8192 && m.max == CGROUP_NONE, "version 1");
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ok(!system(command), "cleaned up");
}

int
main(void)
{
	test_parse();
	test_vma();
	test_cgroup();
	return unit_failed;
}
