/* slab.c - /proc/slabinfo: what slab caches take of pages. */
#include "memtrack.h"

static int
by_size(const void *a, const void *b, const void *arg)
{
	const struct slab_cache *x = a, *y = b;

	(void)arg;
	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

/* name active total size perslab pagesperslab : tunables .. : slabdata active
 * slabs shared */
static int
line_parse(const char *line, struct slab_cache *c)
{
	const char *p = line, *name;
	size_t n;
	u64 v[5], active, slabs;
	int i;

	name = scan_word(&p, &n);
	if (!name || *name == '#' || n >= sizeof(c->name))
		return -1;
	for (i = 0; i < 5; i++)
		if (scan_u64(&p, &v[i]) < 0)
			return -1;
	p = strstr(p, "slabdata");
	if (!p)
		return -1;
	p += 8;
	if (scan_u64(&p, &active) < 0 || scan_u64(&p, &slabs) < 0)
		return -1;
	memcpy(c->name, name, n);
	c->name[n] = 0;
	c->bytes = slabs * v[4] * page_size;
	return 0;
}

u32
slab_read(struct slab_cache *caches, u32 max)
{
	static char buf[4096];
	struct lines l;
	char *line;
	size_t n;
	u32 count = 0;
	int fd = root_open("/proc/slabinfo", O_RDONLY);

	if (fd < 0)
		return 0;
	lines_open(&l, fd, buf, sizeof(buf));
	while (count < max && (line = lines_next(&l, &n)))
		count += !line_parse(line, &caches[count]);
	close(fd);
	sort_items(caches, count, sizeof(*caches), by_size, NULL);
	return count;
}
