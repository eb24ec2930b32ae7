/* symbols.c - a tar (ustar) of what gives the RAM's addresses names: a machine
 * that is reinstalled has lost it. */
#include <dirent.h>
#include <sys/syscall.h>

#include "memdump.h"

struct tar {
	struct flow *flow;
	const char *path;	/* of the archive, for messages */
	unsigned members, changed;
	s64 time;
	u8 buf[16384];
};
struct tar_head {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char type, link[100], magic[6], version[2], user[32], group[32];
	char major[8], minor[8], prefix[155], rest[12];
};
enum { TAR_BLOCK = 512, NAME_LIMIT = 256 };

static int
put_head(struct tar *t, const char *name, u64 size)
{
	struct tar_head h = { .mode = "0000400", .uid = "0000000",
		.gid = "0000000", .type = '0', .magic = "ustar",
		.version = { '0', '0' } };
	size_t n = strlen(name), cut = 0, i;
	unsigned sum = 0;

	/* Over 100 bytes, a name is cut at a slash. */
	if (n >= sizeof(h.name)) {
		for (cut = n - sizeof(h.name); cut < n && name[cut] != '/';)
			cut++;
		memcpy(h.prefix, name, cut < sizeof(h.prefix) ? cut
			: sizeof(h.prefix));
		cut++;
	}
	memcpy(h.name, name + cut, n - cut);
	memset(h.sum, ' ', sizeof(h.sum));
	for (i = 0; i < 11; i++) {
		h.size[10 - i] = (char)('0' + (size >> 3 * i & 7));
		h.mtime[10 - i] = (char)('0' + ((u64)t->time >> 3 * i & 7));
	}
	for (i = 0; i < TAR_BLOCK; i++)
		sum += ((u8 *)&h)[i];
	for (i = 0; i < 6; i++)
		h.sum[5 - i] = (char)('0' + (sum >> 3 * i & 7));
	h.sum[6] = 0;
	t->members++;
	return flow_put(t->flow, &h, sizeof(h));
}

static int
put_padding(struct tar *t, u64 size)
{
	return flow_zero(t->flow, -size & (TAR_BLOCK - 1));
}

static int
put_bytes(struct tar *t, const char *name, const void *data, size_t n)
{
	if (put_head(t, name, n) < 0 || flow_put(t->flow, data, n) < 0)
		return -1;
	return put_padding(t, n);
}

/* Bytes of a file of /proc: only reading it tells. */
static s64
count_bytes(struct tar *t, const char *path)
{
	int fd = root_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	ssize_t r;
	s64 n = 0;

	if (fd < 0)
		return -1;
	while ((r = read(fd, t->buf, sizeof(t->buf))) > 0)
		n += r;
	close(fd);
	return r < 0 ? -1 : n;
}

/* A file that is not there is left out. What grew since it was counted is cut,
 * what shrank is filled with zeros, and both are told. */
static int
put_file(struct tar *t, const char *path)
{
	s64 size = count_bytes(t, path), left = size;
	int fd, r = 0;

	if (size < 0)
		return 0;
	fd = root_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return 0;
	r = put_head(t, path + 1, (u64)size);
	while (!r && left) {
		ssize_t n = read(fd, t->buf, left < (s64)sizeof(t->buf)
			? (size_t)left : sizeof(t->buf));

		if (n <= 0)
			break;
		r = flow_put(t->flow, t->buf, (size_t)n);
		left -= n;
	}
	if (left || read(fd, t->buf, 1) > 0)
		t->changed++;
	close(fd);
	if (!r)
		r = flow_zero(t->flow, (u64)left);
	return r ? r : put_padding(t, (u64)size);
}

/* Calls each for the names in a directory; its files, or directories. */
static int
each_entry(struct tar *t, const char *dir, int directories,
	int (*each)(struct tar *t, const char *path))
{
	_Alignas(8) char buf[1024], path[NAME_LIMIT];
	int fd = root_open(dir, O_RDONLY | O_DIRECTORY), r = 0;
	long n = 0, at;

	if (fd < 0)
		return 0;
	while (!r && (n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0)
		for (at = 0; !r && at < n;) {
			const struct dirent *d = (void *)(buf + at);

			at += d->d_reclen;
			if (!strcmp(d->d_name, ".") ||
			    !strcmp(d->d_name, "..") ||
			    (d->d_type == DT_DIR) != directories)
				continue;
			if ((size_t)fmt_str(path, sizeof(path), "%s/%s", dir,
			    d->d_name) < sizeof(path))
				r = each(t, path);
		}
	close(fd);
	return r;
}

static int
put_module(struct tar *t, const char *path)
{
	static const char *const parts[] = { "sections", "notes" };
	char dir[NAME_LIMIT];
	unsigned i;

	for (i = 0; i < ARRAY_LEN(parts); i++)
		if ((size_t)fmt_str(dir, sizeof(dir), "%s/%s", path,
		    parts[i]) < sizeof(dir) &&
		    each_entry(t, dir, 0, put_file) < 0)
			return -1;
	return 0;
}

/* Files named after the kernel's release. */
static int
put_boot(struct tar *t)
{
	static const char *const names[] = { "config", "System.map" };
	char release[128], path[NAME_LIMIT];
	unsigned i;

	if (root_slurp("/proc/sys/kernel/osrelease", release,
	    sizeof(release)) < 0)
		return 0;
	release[strcspn(release, "\n/")] = 0;
	for (i = 0; i < ARRAY_LEN(names); i++) {
		fmt_str(path, sizeof(path), "/boot/%s-%s", names[i], release);
		if (put_file(t, path) < 0)
			return -1;
	}
	return 0;
}

/* kptr_restrict and a missing capability zero every address; that of the first
 * symbol (of the per-CPU section) is zero anyway. */
static void
check_kallsyms(void)
{
	char text[1024];
	const char *p = text;
	int zeros = 0;

	if (root_slurp("/proc/kallsyms", text, sizeof(text)) <= 0)
		return;
	while (*p && strspn(p, "0") == 16) {
		p += strcspn(p, "\n");
		p += *p == '\n';
		zeros++;
	}
	/* The last line is cut. */
	if (zeros > 1 && strlen(p) < 16)
		warn("/proc/kallsyms gives addresses as zero: kptr_restrict "
			"(write 1 to /proc/sys/kernel/kptr_restrict), or "
			"CAP_SYSLOG is missing");
}

static int
put_all(struct tar *t, const struct source *s)
{
	static const char *const files[] = {
		"/proc/version", "/proc/cmdline", "/proc/iomem",
		"/proc/kallsyms", "/proc/modules", "/proc/config.gz",
		"/proc/meminfo", "/proc/sys/kernel/hostname",
		"/proc/sys/kernel/osrelease", "/proc/sys/kernel/version",
		"/proc/sys/kernel/tainted",
		"/proc/sys/kernel/random/boot_id", "/sys/kernel/notes",
		"/sys/kernel/vmcoreinfo", "/etc/os-release",
		"/usr/lib/os-release",
	};
	unsigned i;

	check_kallsyms();
	for (i = 0; i < ARRAY_LEN(files); i++)
		if (put_file(t, files[i]) < 0)
			return -1;
	if (s && s->info_size &&
	    put_bytes(t, "vmcoreinfo", s->info, s->info_size) < 0)
		return -1;
	if (put_boot(t) < 0 || each_entry(t, "/sys/kernel/btf", 0,
	    put_file) < 0 || each_entry(t, "/sys/module", 1, put_module) < 0)
		return -1;
	return flow_zero(t->flow, 2 * TAR_BLOCK);
}

static int
ends_in(const char *s, const char *ending)
{
	size_t n = strlen(s), m = strlen(ending);

	return n > m && !strcmp(s + n - m, ending);
}

static int
write_tar(struct tar *t, int fd, const struct codec *codec,
	const struct source *s)
{
	static struct blocks blocks;
	struct sink sink;

	sink_open(&sink, fd);
	t->flow = &sink.flow;
	if (codec) {
		if (blocks_open(&blocks, &sink.flow, codec, 1, 0) < 0)
			return -1;
		t->flow = &blocks.flow;
	}
	return put_all(t, s) < 0 ? -1 : flow_end(t->flow);
}

int
symbols_write(const char *path, int flags, struct source *s)
{
	static struct tar t;
	static struct outfile f;
	int gz = ends_in(path, ".gz") || ends_in(path, ".tgz");

	if (gz && !CFG_CODEC_GZIP) {
		warn("%s: gzip is not in this build: name it .tar", path);
		return -1;
	}
	t = (struct tar){ .path = path, .time = (s64)(wall_ns() / 1000000000) };
	if (outfile_open(&f, path, flags | OUTFILE_ANYFS) < 0)
		return -1;
	if (write_tar(&t, f.fd, gz && CFG_CODEC_GZIP ? &codec_gzip : NULL,
	    s) < 0) {
		warn("write %s:", path);
		outfile_abort(&f);
		return -1;
	}
	if (t.changed)
		warn("%s: %u files changed while they were read: cut, or "
			"filled with zeros", path, t.changed);
	return outfile_commit(&f);
}
