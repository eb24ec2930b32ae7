/* tmpfs.c - file systems that are memory: each once, with its limits and its
 * biggest files. */
#include <sys/sysmacros.h>
#include <sys/statvfs.h>

#include "memstats.h"

enum { DEPTH = 32, TOP_MAX = 64, TOP_DEFAULT = 5, MOUNTS = 256, KEPT = 1024 };

enum { C_KIND, C_MOUNT, C_SIZE, C_USED, C_INODES, C_INODES_USED, C_NOSWAP,
	C_HUGE, C_NAME };
static const struct col cols[] = {
	[C_KIND] = { "kind", -5, COL_TEXT },
	[C_MOUNT] = { "mount", -16, COL_TEXT },
	[C_SIZE] = { "size", 10, COL_BYTES },
	[C_USED] = { "used", 10, COL_BYTES },
	[C_INODES] = { "inodes", 9, COL_COUNT },
	[C_INODES_USED] = { "iused", 7, COL_COUNT },
	[C_NOSWAP] = { "noswap", 6, COL_COUNT },
	[C_HUGE] = { "huge", -8, COL_TEXT },
	[C_NAME] = { "name", 0, COL_TEXT },
};

static struct file {
	u64 size, used;
	char name[KEPT];
} top[TOP_MAX];
static u32 top_count, top_want, unread;
static u64 found;		/* bytes of all files */
static u32 seen[MOUNTS], seen_count;

static struct tmpfs_mount mount;

static void
file_found(const char *name, const struct stat *st)
{
	u64 used = (u64)st->st_blocks * 512;
	u32 at;

	found += used;
	if (top_count == top_want &&
	    (!top_want || top[top_count - 1].used >= used))
		return;
	if (top_count < top_want)
		top_count++;
	for (at = top_count - 1; at && top[at - 1].used < used; at--)
		top[at] = top[at - 1];
	top[at].used = used;
	top[at].size = (u64)st->st_size;
	fmt_str(top[at].name, KEPT, "%s", name);
}

/* Files below a mount point, not into other file systems. */
static void
walk(int fd, u32 minor_wanted)
{
	static struct dirs stack[DEPTH];
	static size_t lengths[DEPTH];
	static char path[PATH_MAX];
	int depth = 0;

	lengths[0] = 0;
	if (dirs_open(&stack[0], fd) < 0)
		return;
	while (depth >= 0) {
		const char *name = dirs_next(&stack[depth]);
		size_t at = lengths[depth];
		struct stat st;

		if (!name) {
			dirs_close(&stack[depth--]);
			continue;
		}
		if (fstatat(stack[depth].fd, name, &st, AT_SYMLINK_NOFOLLOW) ||
		    minor(st.st_dev) != minor_wanted ||
		    at + strlen(name) + 2 > sizeof(path))
			continue;
		at += (size_t)fmt_str(path + at, sizeof(path) - at, "%s%s",
			depth ? "/" : "", name);
		if (!S_ISDIR(st.st_mode)) {
			file_found(path, &st);
			continue;
		}
		if (depth + 1 == DEPTH || dirs_open(&stack[depth + 1],
				openat(stack[depth].fd, name, O_RDONLY |
				O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0) {
			unread++;
			continue;
		}
		lengths[++depth] = at;
	}
}

/* \040 and the like: the byte, or -1. */
static int
octal(const char *s, size_t n)
{
	unsigned v = 0, i;

	if (n < 4 || *s != '\\')
		return -1;
	for (i = 1; i < 4; i++) {
		if (s[i] < '0' || s[i] > '7')
			return -1;
		v = v * 8 + (unsigned)(s[i] - '0');
	}
	return v & 255;
}

static void
unescape(char *to, size_t size, const char *s, size_t n)
{
	size_t i = 0, used = 0;

	while (i < n && used < size - 1) {
		int byte = octal(s + i, n - i);

		to[used++] = byte < 0 ? s[i] : (char)byte;
		i += byte < 0 ? 1 : 4;
	}
	to[used] = 0;
}

/* 36 35 0:98 /root /mnt options [tags] - type source super-options */
int
tmpfs_mount_parse(const char *s, struct tmpfs_mount *m)
{
	u64 id, major_n, minor_n;
	const char *word, *huge;
	size_t n;

	if (scan_u64(&s, &id) < 0 || scan_u64(&s, &id) < 0 ||
	    scan_u64(&s, &major_n) < 0 || *s++ != ':' ||
	    scan_u64(&s, &minor_n) < 0 || !scan_word(&s, &n))
		return -1;
	word = scan_word(&s, &n);
	if (!word)
		return -1;
	unescape(m->path, sizeof(m->path), word, n);
	s = strstr(s, " - ");
	if (!s || strncmp(s, " - tmpfs ", 9))
		return -1;
	m->major = (u32)major_n;
	m->minor = (u32)minor_n;
	m->noswap = !!strstr(s, ",noswap");
	huge = strstr(s, ",huge=");
	fmt_str(m->huge, sizeof(m->huge), "%.*s",
		huge ? (int)strcspn(huge + 6, ",\n") : 0, huge ? huge + 6 : "");
	return 0;
}

static int
is_new(u32 minor_n)
{
	u32 i;

	for (i = 0; i < seen_count; i++)
		if (seen[i] == minor_n)
			return 0;
	if (seen_count < MOUNTS)
		seen[seen_count++] = minor_n;
	return 1;
}

static void
put_file(struct rows *r, const char *kind, u64 size, int has_size, u64 used,
	const char *name)
{
	rows_text(r, kind);
	rows_text(r, mount.path);
	if (has_size)
		rows_u64(r, size);
	else
		rows_null(r);
	rows_u64(r, used);
	rows_null(r);
	rows_null(r);
	rows_null(r);
	rows_text(r, "");
	rows_text(r, name);
	rows_end(r);
}

static void
put_mount(struct rows *r, const struct statvfs *fs)
{
	u64 used = (fs->f_blocks - fs->f_bfree) * fs->f_frsize;
	u32 i;

	rows_text(r, "mount");
	rows_text(r, mount.path);
	if (fs->f_blocks)
		rows_u64(r, fs->f_blocks * fs->f_frsize);
	else
		rows_null(r);	/* no limit */
	rows_u64(r, used);
	rows_u64(r, fs->f_files);
	rows_u64(r, fs->f_files - fs->f_ffree);
	rows_u64(r, (u64)mount.noswap);
	rows_text(r, mount.huge);
	rows_text(r, "");
	rows_end(r);
	for (i = 0; i < top_count; i++)
		put_file(r, "file", top[i].size, 1, top[i].used, top[i].name);
	if (used > found)
		put_file(r, "other", 0, 0, used - found,
			"(in no file: deleted but open, or not to be read)");
}

/* The path must lead to this file system: another may lie on it. */
static void
one_mount(struct rows *r)
{
	struct statvfs fs;
	struct stat st;
	int fd;

	fd = open(mount.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		unread++;
		return;
	}
	if (fstat(fd, &st) || minor(st.st_dev) != mount.minor ||
	    major(st.st_dev) != mount.major || !is_new(mount.minor) ||
	    fstatvfs(fd, &fs)) {
		close(fd);
		return;
	}
	found = top_count = 0;
	walk(fd, mount.minor);
	put_mount(r, &fs);
}

static int
all_mounts(struct rows *r)
{
	static char buf[4 * PATH_MAX];
	struct lines l;
	char *line;
	size_t n;
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return warn("open /proc/self/mountinfo:");
	seen_count = unread = 0;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n)))
		if (!tmpfs_mount_parse(line, &mount))
			one_mount(r);
	close(fd);
	return 0;
}

int
report_tmpfs(struct out *o)
{
	struct rows r;

	root_refuse("tmpfs");
	top_want = print.top ? (print.top > TOP_MAX ? TOP_MAX
		: (u32)print.top) : TOP_DEFAULT;
	rows_open(&r, o, print.format, cols, ARRAY_LEN(cols));
	r.bytes = print.bytes;
	r.prefix = "memstats_tmpfs";
	if (print.format == ROWS_JSON) {
		json_object(&r.json);
		json_key(&r.json, "tmpfs");
		json_array(&r.json);
	}
	while (rows_pass(&r))
		if (all_mounts(&r))
			return EXIT_FAILED;
	if (print.format == ROWS_JSON) {
		json_close(&r.json);
		json_kbool(&r.json, "complete", !unread);
		json_ku64(&r.json, "skipped", unread);
		json_close(&r.json);
	}
	if (unread)
		note("%s: %u directories could not be read", applet_name,
			unread);
	return unread ? EXIT_PARTIAL : EXIT_DONE;
}
