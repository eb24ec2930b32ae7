/* tracefs.c - the tracing directory, its instances, its event formats. */
#include <dirent.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "../kern.h"

/* linux/mount.h; 5.2 */
enum { FSCONFIG_CMD_CREATE_ = 6, FSOPEN_CLOEXEC_ = 1, FSMOUNT_CLOEXEC_ = 1 };

static int
holds_tracing(int dir)
{
	return dir >= 0 && !faccessat(dir, "events/header_page", F_OK, 0);
}

/* A mount without a place in the tree: gone with its descriptor. */
static int
mount_apart(void)
{
	int fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC_);
	int dir = -1, error;

	if (fs < 0)
		return -1;
	if (!syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE_, NULL, NULL, 0))
		dir = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC_, 0);
	error = errno;
	close(fs);
	errno = error;
	return dir;
}

int
tracefs_open(void)
{
	static const char *const places[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
	};
	int dir;
	size_t i;

	for (i = 0; i < ARRAY_LEN(places); i++) {
		dir = root_open(places[i], O_PATH | O_DIRECTORY);
		if (holds_tracing(dir))
			return dir;
		if (dir >= 0)
			close(dir);
	}
	dir = mount_apart();
	if (dir < 0 && errno == ENOSYS &&
	    !mount("tracefs", places[0], "tracefs", 0, NULL))
		dir = open(places[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || holds_tracing(dir))
		return dir;
	/* A locked down kernel mounts an empty one. */
	close(dir);
	errno = EPERM;
	return -1;
}

int
at_write(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC), error;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return n < 0 ? -1 : 0;
}

ssize_t
at_slurp(int dir, const char *path, char *buf, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC), error;
	ssize_t n;

	buf[0] = 0;
	if (fd < 0)
		return -1;
	n = fd_slurp(fd, buf, size);
	error = errno;
	close(fd);
	errno = error;
	return n;
}

struct dirent64_ {		/* getdents64(2) */
	u64 ino;
	s64 off;
	u16 reclen;
	u8 type;
	char name[];
};

/* Names of a directory "PREFIX" + a number: the number to each. */
static int
each_numbered(int at, const char *path, const char *prefix,
	void (*each)(void *arg, unsigned n), void *arg)
{
	_Alignas(8) char buf[1024];
	int dir = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t len = strlen(prefix);
	u64 number;
	long n, i;

	if (dir < 0)
		return -1;
	while ((n = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0)
		for (i = 0; i < n; i += ((struct dirent64_ *)(buf + i))->reclen) {
			const char *name = ((struct dirent64_ *)(buf + i))->name;
			if (!strncmp(name, prefix, len) &&
			    !parse_u64(name + len, &number) &&
			    number <= INT_MAX)
				each(arg, (unsigned)number);
		}
	close(dir);
	return n < 0 ? -1 : 0;
}

struct sweep {
	int instances;
	const char *prefix;
	int removed;
};

static void
sweep_one(void *arg, unsigned pid)
{
	struct sweep *s = arg;
	char name[64];

	if (!pid || !kill((int)pid, 0) || errno != ESRCH)
		return;
	fmt_str(name, sizeof(name), "%s%u", s->prefix, pid);
	s->removed += !unlinkat(s->instances, name, AT_REMOVEDIR);
}

int
tracefs_sweep(int dir, const char *prefix)
{
	char dotted[32];
	struct sweep s = { .prefix = dotted };

	fmt_str(dotted, sizeof(dotted), "%s.", prefix);
	s.instances = openat(dir, "instances", O_PATH | O_CLOEXEC);
	if (s.instances < 0)
		return 0;
	each_numbered(s.instances, ".", dotted, sweep_one, &s);
	close(s.instances);
	return s.removed;
}

int
tracefs_cpus(int instance, void (*each)(void *arg, unsigned cpu), void *arg)
{
	return each_numbered(instance, "per_cpu", "cpu", each, arg);
}

/* ---- formats ---- */

static int
number_after(const char *line, size_t n, const char *key, u64 *v)
{
	const char *p = memmem(line, n, key, strlen(key));

	if (!p)
		return -1;
	p += strlen(key);
	return scan_u64(&p, v);
}

/* "\tfield:TYPE NAME[8];\toffset:16;\tsize:64;\tsigned:0;" */
static int
field_parse(const char *line, size_t n, const char *const *names,
	struct trace_field *fields, unsigned count)
{
	const char *end = memchr(line, ';', n), *name;
	size_t len;
	unsigned i;
	u64 offset, size;

	if (!end || number_after(line, n, "offset:", &offset) < 0 ||
	    number_after(line, n, "size:", &size) < 0 || offset + size > 65535)
		return -1;
	name = memrchr(line, ' ', end - line);
	if (!name)
		return -1;
	name++;
	for (len = 0; name + len < end && name[len] != '['; len++)
		;
	for (i = 0; i < count; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len)) {
			fields[i].offset = (u16)offset;
			fields[i].size = (u16)size;
			fields[i].loc = !!memmem(line, n, "__data_loc", 10);
		}
	return 0;
}

int
trace_format(const char *text, const char *const *names,
	struct trace_field *fields, unsigned count)
{
	u64 id = 0;
	size_t n;

	memset(fields, 0, count * sizeof(*fields));
	for (; *text && strncmp(text, "print fmt", 9); text += n + !!text[n]) {
		n = strcspn(text, "\n");
		if (!strncmp(text, "ID:", 3)) {
			const char *p = text + 3;
			if (scan_u64(&p, &id) < 0)
				break;
		} else if (!strncmp(text, "\tfield:", 7) &&
			   field_parse(text, n, names, fields, count) < 0) {
			id = 0;
			break;
		}
	}
	if (id && id <= 65535)
		return (int)id;
	errno = EBADMSG;
	return -1;
}

u64
trace_value(const struct trace_field *f, const u8 *record, size_t n)
{
	const u8 *p = record + f->offset;
	u64 v = 0;
	u32 v4;

	if ((size_t)f->offset + f->size > n)
		return 0;
	if (f->size == 8) {
		memcpy(&v, p, 8);
	} else if (f->size == 4) {
		memcpy(&v4, p, 4);
		v = v4;
	} else if (f->size < 4) {
		memcpy(&v, p, f->size);
	}
	return v;
}

const char *
trace_text(const struct trace_field *f, const u8 *record, size_t n,
	size_t *len)
{
	struct trace_field inner = *f;

	if (f->loc) {
		u32 loc = (u32)trace_value(f, record, n);
		inner.offset = (u16)loc;
		inner.size = (u16)(loc >> 16);
	}
	if (!inner.size || (size_t)inner.offset + inner.size > n)
		return NULL;
	*len = strnlen((const char *)record + inner.offset, inner.size);
	return (const char *)record + inner.offset;
}
