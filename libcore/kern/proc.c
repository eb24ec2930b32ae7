/* proc.c - processes as /proc shows them (proc(5), fs/proc/array.c). */
#include <sys/syscall.h>

#include "../kern.h"

struct dirent64 {		/* linux_dirent64, getdents64(2) */
	u64 ino;
	s64 off;
	u16 len;
	u8 type;
	char name[];
};

int
dirs_open(struct dirs *d, int fd)
{
	d->fd = fd;
	d->used = d->end = 0;
	return fd < 0 ? -1 : 0;
}

void
dirs_close(struct dirs *d)
{
	close(d->fd);
}

/* errno 0 at the end. */
static const char *
next_name(struct dirs *d)
{
	const struct dirent64 *e;

	if (d->used == d->end) {
		d->used = d->end = 0;
		errno = 0;
		d->end = (int)syscall(SYS_getdents64, d->fd, d->buf,
			sizeof(d->buf));
		if (d->end <= 0) {
			d->end = 0;
			return NULL;
		}
	}
	e = (const void *)(d->buf + d->used);
	d->used += e->len;
	return e->name;
}

const char *
dirs_next(struct dirs *d)
{
	const char *name;

	while ((name = next_name(d)) &&
	       (!strcmp(name, ".") || !strcmp(name, "..")))
		;
	return name;
}

int
pids_open(struct pids *p)
{
	return dirs_open(&p->dir, root_open("/proc", O_RDONLY | O_DIRECTORY));
}

int
pids_next(struct pids *p, int *pid)
{
	const char *name;

	while ((name = next_name(&p->dir)))
		if (!parse_pid(name, pid))
			return 1;
	return errno ? -1 : 0;
}

void
pids_close(struct pids *p)
{
	dirs_close(&p->dir);
}

static void
proc_path(char *buf, size_t size, int pid, const char *name)
{
	fmt_str(buf, size, "/proc/%d/%s", pid, name);
}

int
proc_open(int pid, const char *name, int flags)
{
	char path[128];

	proc_path(path, sizeof(path), pid, name);
	return root_open(path, flags);
}

ssize_t
proc_slurp(int pid, const char *name, char *buf, size_t size)
{
	char path[128];

	proc_path(path, sizeof(path), pid, name);
	return root_slurp(path, buf, size);
}

ssize_t
proc_link(int pid, const char *name, char *buf, size_t size)
{
	char text[128];
	const char *path = text;
	int at;
	ssize_t n;

	proc_path(text, sizeof(text), pid, name);
	at = root_at(&path);
	n = readlinkat(at, path, buf, size - 1);
	buf[n < 0 ? 0 : n] = 0;
	return n;
}

/* Field numbers are proc(5)'s: 3 is the state, the first after comm. */
enum { STAT_FIELDS = 24 };	/* the last one that is kept */

static void
stat_field(struct procstat *st, int field, const char *s)
{
	u64 v = 0;
	int negative = *s == '-';

	s += negative;
	scan_u64(&s, &v);
	if (negative)
		v = -v;
	switch (field) {
	case 4: st->ppid = (int)v; break;
	case 5: st->pgrp = (int)v; break;
	case 6: st->session = (int)v; break;
	case 9: st->flags = (u32)v; break;
	case 10: st->minflt = v; break;
	case 12: st->majflt = v; break;
	case 14: st->utime = v; break;
	case 15: st->stime = v; break;
	case 20: st->threads = (u32)v; break;
	case 22: st->starttime = v; break;
	case 23: st->vsize = v; break;
	case 24: st->rss = v; break;
	}
}

int
procstat_parse(const char *text, size_t n, struct procstat *st)
{
	const char *open = memchr(text, '(', n), *s, *word;
	const char *close = memrchr(text, ')', n);
	size_t len;
	u64 pid;
	int field = 3;

	memset(st, 0, sizeof(*st));
	s = text;
	if (!open || !close || close < open || scan_u64(&s, &pid) < 0) {
		errno = EBADMSG;
		return -1;
	}
	st->pid = (int)pid;
	len = close - open - 1;
	if (len >= COMM_MAX)
		len = COMM_MAX - 1;
	memcpy(st->comm, open + 1, len);
	s = close + 1;
	for (; field <= STAT_FIELDS && (word = scan_word(&s, &len)); field++)
		if (field == 3)
			st->state = *word;
		else
			stat_field(st, field, word);
	errno = EBADMSG;
	return field > STAT_FIELDS ? 0 : -1;
}

int
procstat_read(int pid, struct procstat *st)
{
	char buf[1024];
	int fd = proc_open(pid, "stat", O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	/* One read gives the whole line; this is read of every process. */
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n < 0)
		return -1;
	buf[n] = 0;
	return procstat_parse(buf, n, st);
}

int
key_u64(const char *text, const char *key, u64 *v)
{
	size_t n = strlen(key);
	const char *s = text;

	while (strncmp(s, key, n) || s[n] != ':') {
		s = strchr(s, '\n');
		if (!s)
			return -1;
		s++;
	}
	s += n + 1;
	if (scan_u64(&s, v) < 0)
		return -1;
	if (!strncmp(s, " kB", 3))
		*v *= KIB;
	return 0;
}

int
proc_uid(int pid, u32 *uid)
{
	char buf[1536];
	ssize_t n = proc_slurp(pid, "status", buf, sizeof(buf));
	u64 v;

	if (n < 0)
		return -1;
	if (key_u64(buf, "Uid", &v) < 0) {
		errno = EBADMSG;
		return -1;
	}
	*uid = (u32)v;
	return 0;
}
