/* iomem.c - where RAM is (kernel/resource.c). */
#include "../kern.h"

/* "System RAM", "System RAM (virtio_mem)", "System RAM (kmem)". */
static int
is_named(const char *name, const char *wanted)
{
	size_t n = strlen(wanted);

	return !strncmp(name, wanted, n) &&
		(!name[n] || !strncmp(name + n, " (", 2));
}

/* "  00100000-bffdffff : System RAM": 0 or -1. end is inclusive. */
static int
parse_line(const char *s, u64 *start, u64 *end, const char **name)
{
	if (scan_hex(&s, start) < 0 || *s++ != '-' || scan_hex(&s, end) < 0 ||
	    strncmp(s, " : ", 3) || *end < *start)
		return -1;
	*name = s + 3;
	return 0;
}

static int
by_start(const void *a, const void *b, const void *arg)
{
	const struct range *x = a, *y = b;

	(void)arg;
	return x->start < y->start ? -1 : x->start > y->start;
}

int
ranges_merge(struct range *r, int n)
{
	int i, last = 0;

	sort_items(r, (size_t)n, sizeof(*r), by_start, NULL);
	for (i = 1; i < n; i++) {
		if (r[i].start > r[last].end)
			r[++last] = r[i];
		else if (r[i].end > r[last].end)
			r[last].end = r[i].end;
	}
	return n ? last + 1 : 0;
}

enum { SEEN_ZERO = 1, SEEN_ADDRESS = 2 };

/* Ranges found, or -1. *seen: what kinds of addresses. */
static int
collect(struct lines *l, const char *wanted, struct range *r, int max,
	int *seen)
{
	const char *name;
	u64 start, end;
	size_t len;
	char *line;
	int n = 0;

	*seen = 0;
	while ((line = lines_next(l, &len))) {
		errno = EBADMSG;
		if (parse_line(line, &start, &end, &name) < 0)
			return -1;
		*seen |= end ? SEEN_ADDRESS : SEEN_ZERO;
		if (!is_named(name, wanted) || !end || start == UINT64_MAX)
			continue;
		errno = ENOSPC;
		if (n == max)
			return -1;
		/* The last byte of the address space has no end. */
		r[n++] = (struct range){ start, end + (end != UINT64_MAX) };
	}
	errno = l->err;
	return l->err ? -1 : n;
}

int
iomem_named(const char *name, struct range *r, int max)
{
	int fd = root_open("/proc/iomem", O_RDONLY), n, e, seen;
	struct lines l;
	char buf[512];

	if (fd < 0)
		return -1;
	lines_open(&l, fd, buf, sizeof(buf));
	n = collect(&l, name, r, max, &seen);
	e = errno;
	close(fd);
	if (n == 0 && seen == SEEN_ZERO) {
		n = -1;
		e = EPERM;
	}
	errno = e;
	return n < 0 ? -1 : ranges_merge(r, n);
}

int
iomem_ram(struct range *r, int max)
{
	return iomem_named("System RAM", r, max);
}
