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

/* Value + 1 of a digit, lower case as the kernel writes it; 0: none. */
static const u8 digits[256] = {
	['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	['a'] = 11, 12, 13, 14, 15, 16,
};

/* Numbers without blanks before them, inlined: these lines are read by the
 * ten thousand. NULL when there is none, or too big a one. */
static inline const char *
take_hex(const char *s, u64 *v)
{
	const char *start = s;
	unsigned digit;
	u64 n = 0;

	for (; (digit = digits[(u8)*s]); s++)
		n = n * 16 + digit - 1;
	*v = n;
	return s == start || s - start > 16 ? NULL : s;
}

static inline const char *
take_decimal(const char *s, u64 *v)
{
	const char *start = s;

	for (*v = 0; (u8)(*s - '0') <= 9; s++)
		*v = *v * 10 + (u8)(*s - '0');
	return s == start || s - start > 20 ? NULL : s;
}

static u32
perm_of(const char *s)
{
	return (s[0] == 'r' ? VMA_READ : 0) | (s[1] == 'w' ? VMA_WRITE : 0) |
		(s[2] == 'x' ? VMA_EXEC : 0) | (s[3] == 's' ? VMA_SHARED : 0);
}

/* 55d0c8a00000-55d0c8a21000 rw-p 00000000 00:00 0    [heap] */
int
vma_parse(char *line, size_t n, struct vma *v)
{
	const char *s = line;
	u64 major, minor;

	if (!(s = take_hex(s, &v->start)) || *s++ != '-' ||
	    !(s = take_hex(s, &v->end)) || v->end < v->start || *s != ' ' ||
	    line + n - s < 6 || s[5] != ' ')
		return -1;
	v->perm = perm_of(s + 1);
	if (!(s = take_hex(s + 6, &v->offset)) || *s++ != ' ' ||
	    !(s = take_hex(s, &major)) || *s++ != ':' ||
	    !(s = take_hex(s, &minor)) || *s++ != ' ' ||
	    !(s = take_decimal(s, &v->inode)) || (*s && *s != ' '))
		return -1;
	v->major = (u32)major;
	v->minor = (u32)minor;
	while (*s == ' ')
		s++;
	v->path = s;
	v->path_len = (size_t)(line + n - s);
	return 0;
}

/* A VMA line begins with a hex digit in lower case, a field's with a capital
 * letter. */
static int
is_field(const char *line)
{
	return *line >= 'A' && *line <= 'Z';
}

int
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
