/* maps.c - the lines of /proc/PID/maps and the fields of smaps
 * (fs/proc/task_mmu.c). */
#include "../kern.h"

int
maps_open(struct maps *m, int pid, const char *name, char *buf, size_t size)
{
	int fd = proc_open(pid, name, O_RDONLY);

	if (fd < 0)
		return -1;
	maps_open_fd(m, fd, buf, size);
	return 0;
}

void
maps_open_fd(struct maps *m, int fd, char *buf, size_t size)
{
	m->fd = fd;
	m->held = 0;
	lines_open(&m->lines, fd, buf, size);
}

void
maps_close(struct maps *m)
{
	close(m->fd);
}

static int
parse_perm(const char *s, u32 *perm)
{
	if (strnlen(s, 5) < 5)
		return -1;
	*perm = (s[1] == 'r' ? VMA_READ : 0) | (s[2] == 'w' ? VMA_WRITE : 0) |
		(s[3] == 'x' ? VMA_EXEC : 0) | (s[4] == 's' ? VMA_SHARED : 0);
	return 0;
}

/* 55d0c8a00000-55d0c8a21000 rw-p 00000000 00:00 0    [heap] */
int
vma_parse(char *line, size_t n, struct vma *v)
{
	const char *s = line;
	u64 major, minor;

	if (scan_hex(&s, &v->start) < 0 || *s++ != '-' ||
	    scan_hex(&s, &v->end) < 0 || v->end < v->start || *s != ' ' ||
	    parse_perm(s, &v->perm) < 0)
		return -1;
	s += 5;
	if (scan_hex(&s, &v->offset) < 0 || scan_hex(&s, &major) < 0 ||
	    *s++ != ':' || scan_hex(&s, &minor) < 0 ||
	    scan_u64(&s, &v->inode) < 0)
		return -1;
	v->major = (u32)major;
	v->minor = (u32)minor;
	while (*s == ' ')
		s++;
	v->path = s;
	v->path_len = line + n - s;
	return 0;
}

/* A VMA line begins with a hex digit in lower case, a field's with a capital
 * letter. */
static int
is_field(const char *line)
{
	return *line >= 'A' && *line <= 'Z';
}

static int
maps_line(struct maps *m)
{
	if (m->held) {
		m->held = 0;
		return 1;
	}
	m->line = lines_next(&m->lines, &m->len);
	if (m->line)
		return 1;
	errno = m->lines.err;
	/* The process ended while its maps were read. */
	return !m->lines.err || m->lines.err == ESRCH ? 0 : -1;
}

int
maps_next(struct maps *m, struct vma *v)
{
	int r;

	while ((r = maps_line(m)) > 0 && is_field(m->line))
		;
	if (r <= 0)
		return r;
	if (!vma_parse(m->line, m->len, v))
		return 1;
	errno = EBADMSG;
	return -1;
}

int
smaps_field(struct maps *m, const char **key, const char **text)
{
	char *colon;

	if (maps_line(m) <= 0)
		return 0;
	if (!is_field(m->line) || !(colon = strchr(m->line, ':'))) {
		m->held = 1;
		return 0;
	}
	*colon++ = 0;
	*key = m->line;
	*text = colon + strspn(colon, " \t");
	return 1;
}
