/* types.c - what kind of page stands behind a mapping: told by the mapping's
 * device, since a path may be anything. */
#include "memstats.h"
#include "scan.h"

enum { DEVS = 256 };

/* File systems without a disk (major 0), by minor. */
static struct dev {
	u32 minor;
	u8 type;
} devs[DEVS];
static unsigned dev_count;
static int asked_pid;

void
types_reset(void)
{
	dev_count = 0;
	asked_pid = 0;
}

static void
dev_add(u32 minor, enum page_type type)
{
	unsigned i;

	for (i = 0; i < dev_count; i++)
		if (devs[i].minor == minor)
			return;
	if (dev_count < DEVS)
		devs[dev_count++] = (struct dev){ minor, type };
}

static int
word_is(const char *s, size_t n, const char *word)
{
	return n == strlen(word) && !strncmp(s, word, n);
}

/* 36 35 0:98 /root /mnt options [tags] - type source super-options */
static void
mount_line(const char *s)
{
	const char *type;
	size_t n;
	u64 id, major, minor;

	if (scan_u64(&s, &id) < 0 || scan_u64(&s, &id) < 0 ||
	    scan_u64(&s, &major) < 0 || *s++ != ':' ||
	    scan_u64(&s, &minor) < 0 || major || !(s = strstr(s, " - ")))
		return;
	s += 3;
	type = scan_word(&s, &n);
	if (!type)
		return;
	if (word_is(type, n, "tmpfs") || word_is(type, n, "devtmpfs"))
		dev_add((u32)minor, TYPE_SHMEM);
	else if (word_is(type, n, "hugetlbfs"))
		dev_add((u32)minor, TYPE_HUGETLB);
}

/* A container's /dev/shm stands only in its own mount table. */
static void
mounts_of(int pid)
{
	static char buf[8192];
	struct lines l;
	char *line;
	size_t n;
	int fd = proc_open(pid, "mountinfo", O_RDONLY);

	if (fd < 0)
		return;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n)))
		mount_line(line);
	close(fd);
}

static enum page_type
dev_type(int pid, u32 minor)
{
	unsigned i, twice;

	for (twice = 0; twice < 2; twice++) {
		for (i = 0; i < dev_count; i++)
			if (devs[i].minor == minor)
				return devs[i].type;
		if (asked_pid == pid)
			break;
		asked_pid = pid;
		mounts_of(pid);
	}
	dev_add(minor, TYPE_FILE);
	return TYPE_FILE;
}

static int
begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

int
vma_skipped(const struct vma *v)
{
	return begins(v->path, "[vvar") || !strcmp(v->path, "[vsyscall]");
}

enum page_type
vma_type(int pid, const struct vma *v, int *shm_id)
{
	int internal;

	*shm_id = -1;
	/* A segment's id, and so its inode, may be 0. Those names on another
	 * mount than shmem's: a huge page pool. */
	internal = shm_vma(v, shm_id) || begins(v->path, "/memfd:");
	if (!internal && (v->major || !v->inode))
		return v->perm & VMA_SHARED && begins(v->path, "[anon_shmem")
			? TYPE_SHMEM : TYPE_FILE;
	if (begins(v->path, "/anon_hugepage") ||
	    (internal && v->minor != shmem_minor()))
		return TYPE_HUGETLB;
	if (*shm_id >= 0)
		return TYPE_SYSV;
	if (internal || v->minor == shmem_minor())
		return TYPE_SHMEM;
	return dev_type(pid, v->minor);
}
