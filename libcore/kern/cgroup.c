/* cgroup.c - control groups: of version 2, or version 1's memory controller
 * where that is what the machine mounts. */
#include "../kern.h"

/* Does a comma-separated list hold the word? */
static int
list_has(const char *list, size_t n, const char *word)
{
	size_t len = strlen(word), i = 0;

	while (i < n) {
		size_t end = i;

		while (end < n && list[end] != ',')
			end++;
		if (end - i == len && !strncmp(list + i, word, len))
			return 1;
		i = end + 1;
	}
	return 0;
}

/* source mountpoint type options: 1 when the line is a hierarchy for us. */
static int
mount_line(const char *s, struct cgroups *c)
{
	const char *where, *type, *options;
	size_t n, where_n, type_n;
	int v1;

	scan_word(&s, &n);
	where = scan_word(&s, &where_n);
	type = scan_word(&s, &type_n);
	options = scan_word(&s, &n);
	if (!options || where_n >= sizeof(c->mount))
		return 0;
	v1 = type_n == 6 && !strncmp(type, "cgroup", 6) &&
		list_has(options, n, "memory");
	if (!v1 && (c->mount[0] || type_n != 7 ||
	    strncmp(type, "cgroup2", 7)))
		return 0;
	memcpy(c->mount, where, where_n);
	c->mount[where_n] = 0;
	c->v1 = v1;
	return v1;
}

int
cgroups_open(struct cgroups *c)
{
	struct lines l;
	char buf[1024], *line;
	size_t n;
	int fd = root_open("/proc/mounts", O_RDONLY);

	memset(c, 0, sizeof(*c));
	if (fd < 0)
		return -1;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n)))
		if (mount_line(line, c))
			break;
	close(fd);
	errno = l.err ? l.err : ENOENT;
	return c->mount[0] ? 0 : -1;
}

/* One line, "ID:CONTROLLERS:PATH". */
static const char *
path_of_line(const struct cgroups *c, const char *line)
{
	const char *list = strchr(line, ':'), *path;

	path = list ? strchr(++list, ':') : NULL;
	if (!path || (c->v1 ? !list_has(list, path - list, "memory")
			: path != list))
		return NULL;
	return path + 1;
}

ssize_t
cgroup_of(const struct cgroups *c, int pid, char *path, size_t size)
{
	struct lines l;
	const char *found;
	char buf[1024], *line;
	size_t n;
	ssize_t len = -1;
	int fd = proc_open(pid, "cgroup", O_RDONLY);

	path[0] = 0;
	if (fd < 0)
		return -1;
	lines_open(&l, fd, buf, sizeof(buf));
	errno = ENOENT;
	while (len < 0 && (line = lines_next(&l, &n)))
		if ((found = path_of_line(c, line)))
			len = fmt_str(path, size, "%s", found);
	if (len < 0 && l.err)
		errno = l.err;
	close(fd);
	return len < (ssize_t)size ? len : (ssize_t)size - 1;
}

/* In steps: a path may be as long as PATH_MAX by itself. */
int
cgroup_open(const struct cgroups *c, const char *path, const char *file)
{
	int top = root_open(c->mount, O_PATH | O_DIRECTORY), dir, fd;

	if (top < 0)
		return -1;
	path += strspn(path, "/");
	dir = openat(top, *path ? path : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	close(top);
	if (dir < 0)
		return -1;
	fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	close(dir);
	return fd;
}

static int
slurp(const struct cgroups *c, const char *path, const char *file, char *buf,
	size_t size)
{
	int fd = cgroup_open(c, path, file);
	ssize_t n;

	buf[0] = 0;
	if (fd < 0)
		return -1;
	n = fd_slurp(fd, buf, size);
	close(fd);
	return n < 0 ? -1 : 0;
}

/* "max", and version 1's largest number, are no limit. */
static u64
number(const char *text)
{
	u64 v;

	if (scan_u64(&text, &v) < 0 || v >= (1ull << 63) - MIB)
		return CGROUP_NONE;
	return v;
}

/* "NAME 12" at the start of a line. */
static u64
event(const char *text, const char *name)
{
	size_t n = strlen(name);

	while (strncmp(text, name, n) || text[n] != ' ') {
		text = strchr(text, '\n');
		if (!text)
			return CGROUP_NONE;
		text++;
	}
	return number(text + n);
}

int
cgroup_memory(const struct cgroups *c, const char *path,
	struct cgroup_memory *m)
{
	char buf[512];

	m->current = m->max = m->oom = m->oom_kill = CGROUP_NONE;
	if (slurp(c, path, c->v1 ? "memory.usage_in_bytes" : "memory.current",
			buf, sizeof(buf)) < 0)
		return -1;
	m->current = number(buf);
	if (!slurp(c, path, c->v1 ? "memory.limit_in_bytes" : "memory.max",
			buf, sizeof(buf)))
		m->max = number(buf);
	if (!slurp(c, path, c->v1 ? "memory.oom_control" : "memory.events",
			buf, sizeof(buf))) {
		m->oom = event(buf, c->v1 ? "under_oom" : "oom");
		m->oom_kill = event(buf, "oom_kill");
	}
	return 0;
}

int
cgroup_pids_open(struct cgroup_pids *p, const struct cgroups *c,
	const char *path)
{
	p->fd = cgroup_open(c, path, "cgroup.procs");
	if (p->fd < 0)
		return -1;
	lines_open(&p->lines, p->fd, p->buf, sizeof(p->buf));
	return 0;
}

int
cgroup_pids_next(struct cgroup_pids *p, int *pid)
{
	size_t n;
	char *line;

	while ((line = lines_next(&p->lines, &n)))
		if (!parse_pid(line, pid))
			return 1;
	errno = p->lines.err;
	return p->lines.err ? -1 : 0;
}

void
cgroup_pids_close(struct cgroup_pids *p)
{
	close(p->fd);
}
