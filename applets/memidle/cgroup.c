/* cgroup.c - the cgroup that is measured and those below it: their processes,
 * their inode numbers. */
#include <sys/syscall.h>

#include "memidle.h"

struct dirent64 {
	u64 ino;
	s64 off;
	u16 len;
	u8 type;
	char name[];
};
enum { IS_DIR = 4, CGROUP_PATH = 1024 };

/* Cgroups are named by their directories. */
const struct cgroups any_cgroup = { .mount = "/" };

static void
add_procs(const char *dir)
{
	struct cgroup_pids p;
	int pid;

	if (cgroup_pids_open(&p, &any_cgroup, dir) < 0)
		return;
	while (cgroup_pids_next(&p, &pid) > 0)
		target_add(pid);
	cgroup_pids_close(&p);
}

typedef void visit_fn(const char *dir);

/* path is one buffer for the whole descent. */
static void
each_cgroup(char *path, int depth, visit_fn *visit)
{
	_Alignas(8) char buf[512];
	size_t len = strlen(path);
	int fd, n, at;

	visit(path);
	if (depth > 32)
		return;
	fd = root_open(path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return;
	while ((n = (int)syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0)
		for (at = 0; at < n;) {
			const struct dirent64 *d = (void *)(buf + at);

			at += d->len;
			if (d->type != IS_DIR || *d->name == '.' ||
			    len + strlen(d->name) + 2 > CGROUP_PATH)
				continue;
			path[len] = '/';
			strcpy(path + len + 1, d->name);
			each_cgroup(path, depth + 1, visit);
			path[len] = 0;
		}
	close(fd);
}

static void
visit_cgroup(visit_fn *visit)
{
	static char path[CGROUP_PATH + 1];

	fmt_str(path, sizeof(path), "%s", idle.cgroup);
	each_cgroup(path, 0, visit);
}

void
cgroup_add_members(void)
{
	visit_cgroup(add_procs);
}

/* ---- inode numbers ---- */

enum { INODES_MAX = 16384 };
static u64 *inodes;
static unsigned inode_count;

static void
add_inode(const char *dir)
{
	struct stat st;
	int fd = root_open(dir, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && inode_count < INODES_MAX)
		inodes[inode_count++] = st.st_ino;
	close(fd);
}

static int
inode_order(const void *a, const void *b, const void *arg)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	(void)arg;
	return x < y ? -1 : x > y;
}

void
cgroup_inodes(void)
{
	static struct arena arena;

	if (!inodes && arena_open(&arena, INODES_MAX * 8) < 0)
		die("memory for the list of cgroups:");
	inodes = (void *)arena.base;
	inode_count = 0;
	visit_cgroup(add_inode);
	sort_items(inodes, inode_count, 8, inode_order, NULL);
}

int
cgroup_has(u64 inode)
{
	unsigned low = 0, high = inode_count;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (inodes[mid] == inode)
			return 1;
		if (inodes[mid] < inode)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

/* ---- which one ---- */

static int
is_dir(const char *path)
{
	struct stat st;
	int at = root_at(&path);

	return !fstatat(at, path, &st, 0) && S_ISDIR(st.st_mode);
}

void
cgroup_find(void)
{
	static char path[CGROUP_PATH];
	static struct cgroups c;
	size_t n = strlen(idle.cgroup);

	while (n > 1 && idle.cgroup[n - 1] == '/')
		n--;
	fmt_str(path, sizeof(path), "%.*s", (int)n, idle.cgroup);
	if (*path == '/' && !is_dir(path) && !cgroups_open(&c))
		fmt_str(path, sizeof(path), "%s%.*s", c.mount, (int)n,
			idle.cgroup);
	if (*path != '/' || !is_dir(path))
		die("%s: no such cgroup (give its directory, like "
			"/sys/fs/cgroup/system.slice)", idle.cgroup);
	idle.cgroup = path;
}
