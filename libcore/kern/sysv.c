/* sysv.c - System V shared memory as /proc/sysvipc/shm lists it (ipc/shm.c).
 * Reading the list touches no page of any segment. */
#include "../kern.h"

int
shms_open(struct shms *s)
{
	s->fd = root_open("/proc/sysvipc/shm", O_RDONLY);
	if (s->fd < 0)
		return -1;
	lines_open(&s->lines, s->fd, s->buf, sizeof(s->buf));
	return 0;
}

void
shms_close(struct shms *s)
{
	close(s->fd);
}

/* The key is printed signed, the mode octal, all else decimal. */
static int
scan_s64(const char **s, s64 *v)
{
	const char *p = *s + strspn(*s, " ");
	int negative = *p == '-';
	u64 n;

	p += negative;
	if (scan_u64(&p, &n) < 0)
		return -1;
	*v = negative ? -(s64)n : (s64)n;
	*s = p;
	return 0;
}

static u32
octal(u64 digits)
{
	u32 v = 0, shift;

	for (shift = 0; digits && shift < 30; digits /= 10, shift += 3)
		v |= (u32)(digits % 10 & 7) << shift;
	return v;
}

enum shm_field {	/* in the order of the line */
	F_KEY, F_ID, F_MODE, F_SIZE, F_CPID, F_LPID, F_NATTCH, F_UID, F_GID,
	F_CUID, F_CGID, F_ATIME, F_DTIME, F_CTIME, F_RSS, F_SWAP, F_COUNT
};

int
shm_parse(const char *line, struct shm_segment *seg)
{
	s64 f[F_COUNT];
	int i;

	for (i = 0; i < F_COUNT; i++)
		if (scan_s64(&line, &f[i]) < 0)
			return -1;
	*seg = (struct shm_segment){
		.key = (u32)f[F_KEY], .id = (int)f[F_ID],
		.mode = octal((u64)f[F_MODE]), .size = (u64)f[F_SIZE],
		.rss = (u64)f[F_RSS], .swap = (u64)f[F_SWAP],
		.cpid = (int)f[F_CPID], .lpid = (int)f[F_LPID],
		.nattch = (u64)f[F_NATTCH],
		.uid = (u32)f[F_UID], .gid = (u32)f[F_GID],
		.cuid = (u32)f[F_CUID], .cgid = (u32)f[F_CGID],
		.atime = f[F_ATIME], .dtime = f[F_DTIME], .ctime = f[F_CTIME],
	};
	return 0;
}

int
shms_next(struct shms *s, struct shm_segment *seg)
{
	const char *word;
	char *line;
	size_t n;

	while ((line = lines_next(&s->lines, &n))) {
		const char *at = line;

		word = scan_word(&at, &n);
		if (!word || !strncmp(word, "key", 3))
			continue;
		if (!shm_parse(line, seg))
			return 1;
		errno = EBADMSG;
		return -1;
	}
	errno = s->lines.err;
	return s->lines.err ? -1 : 0;
}

int
shm_vma(const struct vma *v, int *id)
{
	static const char deleted[] = " (deleted)";
	const char *s = v->path + 5;
	u64 key;

	if (v->major || v->path_len < 13 || strncmp(v->path, "/SYSV", 5) ||
	    scan_hex(&s, &key) < 0 || s != v->path + 13 ||
	    (*s && strcmp(s, deleted)))
		return 0;
	*id = (int)v->inode;
	return 1;
}

/* Seen: 1 GiB resident of a segment of 4 MiB (hugetlbfs counts in small pages
 * what ipc/shm.c multiplies by the huge page's size once more). Memory that the
 * kernel gives as huge pages may pass the end, but by less than one. */
u64
shm_rss(const struct shm_segment *seg)
{
	enum { HUGE_RATIO = 512 };
	u64 rss = seg->rss, most = seg->size + 2 * MIB - 1;

	while (rss > most && rss >= HUGE_RATIO)
		rss /= HUGE_RATIO;
	return rss;
}
