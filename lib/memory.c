/* memory.c - RAM as a stream of headers and pages, made as the caller says. */
#include <elf.h>

#include "kern.h"
#include "lib.h"

enum { EXTENTS = 2048, PIECE = 64 /* pages read at once */ };

/* RAM that lies in one piece in the source; whole pages. */
struct extent {
	u64 start, end;		/* physical, bytes */
	u64 offset;		/* in the source */
};
struct membox_memory {
	struct membox_memory_options options;
	int fd;
	unsigned count, at;	/* extents; the one being read */
	u64 pos;		/* the next byte to read, physical */
	u64 size, holes;
	size_t given, held;	/* of out */
	u8 *out;		/* header, or pages, that the caller has yet to
				 * get */
	struct extent extents[EXTENTS];
	struct range ram[IOMEM_RANGES];
	u8 header[MEMBOX_HEADER_MAX];
	_Alignas(4096) u8 pages[];
};

static size_t
memory_bytes(void)
{
	return sizeof(struct membox_memory) + PIECE * page_size;
}

/* ---- where RAM is ---- */

/* The part of iomem's range r that the source has at [start, end). */
static int
add_extent(struct membox_memory *m, const struct range *r, u64 start, u64 end,
	u64 offset)
{
	u64 a = r->start > start ? r->start : start;
	u64 b = r->end < end ? r->end : end;

	a = (a + page_size - 1) / page_size * page_size;
	b = b / page_size * page_size;
	if (a >= b)
		return 0;
	if (m->count == EXTENTS) {
		errno = E2BIG;
		return -1;
	}
	m->extents[m->count++] = (struct extent){ a, b, offset + a - start };
	m->size += b - a;
	return 0;
}

static int
add_extents(struct membox_memory *m, int ranges, u64 start, u64 end,
	u64 offset)
{
	int i;

	for (i = 0; i < ranges; i++)
		if (add_extent(m, &m->ram[i], start, end, offset) < 0)
			return -1;
	return 0;
}

static int
map_kcore(struct membox_memory *m, int ranges)
{
	struct core core;
	struct core_segment s;
	u32 i;

	if (core_open(&core, m->fd) < 0)
		return -1;
	for (i = 0; i < core.phnum; i++) {
		if (core_segment(&core, i, &s) < 0)
			return -1;
		/* What is not RAM has no physical address. */
		if (s.type == PT_LOAD && s.paddr != UINT64_MAX && s.filesz &&
		    s.paddr + s.filesz > s.paddr &&
		    add_extents(m, ranges, s.paddr, s.paddr + s.filesz,
		    s.offset) < 0)
			return -1;
	}
	return 0;
}

static int
order_extents(const void *a, const void *b, const void *arg)
{
	const struct extent *ea = a, *eb = b;

	(void)arg;
	return ea->start < eb->start ? -1 : ea->start > eb->start;
}

/* Segments may overlap (the kernel's text lies in the direct map too): each
 * page once. */
static void
drop_overlaps(struct membox_memory *m)
{
	u64 end = 0;
	unsigned i, n = 0;

	sort_items(m->extents, m->count, sizeof(m->extents[0]), order_extents,
		NULL);
	m->size = 0;
	for (i = 0; i < m->count; i++) {
		struct extent e = m->extents[i];

		if (e.start < end) {
			e.offset += end - e.start;
			e.start = end;
		}
		if (e.start >= e.end)
			continue;
		end = e.end;
		m->size += e.end - e.start;
		m->extents[n++] = e;
	}
	m->count = n;
}

static int
open_source(struct membox_memory *m, const char *source)
{
	int ranges = iomem_ram(m->ram, IOMEM_RANGES), r;
	ssize_t n = 0;

	if (ranges < 0)
		return -1;
	m->fd = root_open(source, O_RDONLY);
	if (m->fd < 0)
		return -1;
	m->count = 0;
	r = !strcmp(source, "/proc/kcore") ? map_kcore(m, ranges)
		: add_extents(m, ranges, 0, UINT64_MAX, 0);
	drop_overlaps(m);
	/* The last page: what may not be read is mostly above 1 MiB. */
	if (!r && m->count)
		n = full_pread(m->fd, m->pages, page_size,
			m->extents[m->count - 1].offset);
	if (n == (ssize_t)page_size)
		return 0;
	if (!r && n >= 0)
		errno = ENODATA;
	r = errno;
	close(m->fd);
	errno = r;
	return -1;
}

/* The reason of the first source that is there at all. */
static int
open_any(struct membox_memory *m)
{
	static const char *const sources[] = { "/proc/kcore", "/dev/crash",
		"/dev/mem" };
	int why = ENOENT;
	unsigned i;

	if (m->options.source)
		return open_source(m, m->options.source);
	for (i = 0; i < ARRAY_LEN(sources); i++) {
		if (!open_source(m, sources[i]))
			return 0;
		if (why == ENOENT)
			why = errno;
	}
	errno = why;
	return -1;
}

struct membox_memory *
membox_memory_open(const struct membox_memory_options *options)
{
	struct membox_memory *m;

	page_init();
	m = pages_take(memory_bytes());
	if (!m)
		return NULL;
	m->options = *options;
	if (!open_any(m)) {
		m->pos = m->extents[0].start;
		return m;
	}
	pages_free(m, memory_bytes());
	return NULL;
}

void
membox_memory_close(struct membox_memory *m)
{
	if (!m)
		return;
	close(m->fd);
	pages_free(m, memory_bytes());
}

uint64_t
membox_memory_size(const struct membox_memory *m)
{
	return m->size;
}

uint64_t
membox_memory_holes(const struct membox_memory *m)
{
	return m->holes;
}

/* ---- the stream ---- */

/* A page alone, after the piece it is in could not be read whole. */
static int
read_page(struct membox_memory *m, u8 *page, u64 offset)
{
	if (full_pread(m->fd, page, page_size, offset) == (ssize_t)page_size)
		return 0;
	memset(page, 0, page_size);
	m->holes += page_size;
	return 1;
}

/* Reads pages, asks the caller of each, and moves those together that stay. */
static void
fill_pages(struct membox_memory *m)
{
	const struct extent *e = &m->extents[m->at];
	u64 left = e->end - m->pos, offset = e->offset + m->pos - e->start, i;
	u64 n = left < PIECE * page_size ? left : PIECE * page_size;
	int whole = full_pread(m->fd, m->pages, n, offset) == (ssize_t)n;

	m->held = 0;
	for (i = 0; i < n; i += page_size) {
		u8 *page = m->pages + i;
		int hole = whole ? 0 : read_page(m, page, offset + i);

		if (m->options.page && !m->options.page(m->options.arg,
		    m->pos + i, page, page_size, hole))
			continue;
		if (m->pages + m->held != page)
			memcpy(m->pages + m->held, page, page_size);
		m->held += page_size;
	}
	m->pos += n;
	m->out = m->pages;
}

static int
begins_range(const struct membox_memory *m)
{
	return m->pos == m->extents[m->at].start;
}

static void
fill_header(struct membox_memory *m)
{
	const struct extent *e = &m->extents[m->at];

	m->held = m->options.header(m->options.arg, e->start, e->end,
		m->header);
	if (m->held > MEMBOX_HEADER_MAX)
		m->held = MEMBOX_HEADER_MAX;
	m->out = m->header;
}

/* 1 when there is something to give, 0 at the end. */
static int
fill(struct membox_memory *m)
{
	int headed = m->out == m->header;

	while (m->given == m->held) {
		m->given = m->held = 0;
		if (m->pos == m->extents[m->at].end) {
			if (++m->at == m->count) {
				m->at--;
				return 0;
			}
			m->pos = m->extents[m->at].start;
			headed = 0;
		}
		if (begins_range(m) && m->options.header && !headed) {
			fill_header(m);
			headed = 1;
		} else {
			fill_pages(m);
			headed = 0;
		}
	}
	return 1;
}

ssize_t
membox_memory_read(struct membox_memory *m, void *buf, size_t n)
{
	size_t done = 0, take;

	while (done < n && fill(m)) {
		take = m->held - m->given;
		if (take > n - done)
			take = n - done;
		memcpy((u8 *)buf + done, m->out + m->given, take);
		m->given += take;
		done += take;
	}
	return (ssize_t)done;
}
