/* snapshot.c - regions and snapshots for other programs: the kern floor in
 * plain types. */
#include <sys/mman.h>

#include "kern.h"
#include "lib.h"

void *
pages_take(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void
pages_free(void *p, size_t n)
{
	int error = errno;

	if (p)
		munmap(p, n);
	errno = error;
}

int
membox_root(const char *directory)
{
	return root_set(directory);
}

/* ---- regions ---- */

struct membox_regions {
	struct regions regions;
	struct region region;
	int smaps;
	char lines[32 * 1024];
};

struct membox_regions *
membox_regions_open(int pid, int flags)
{
	struct membox_regions *r = pages_take(sizeof(*r));

	page_init();
	if (!r)
		return NULL;
	r->smaps = flags & MEMBOX_SMAPS;
	if (!regions_open(&r->regions, pid, r->smaps, r->lines,
	    sizeof(r->lines)))
		return r;
	pages_free(r, sizeof(*r));
	return NULL;
}

void
membox_regions_close(struct membox_regions *r)
{
	if (!r)
		return;
	regions_close(&r->regions);
	pages_free(r, sizeof(*r));
}

static void
copy_smaps(struct membox_region *out, const struct region *g)
{
	static const struct {
		u8 key;
		u16 place;
	} fields[] = {
#define FIELD(key, name) { key, offsetof(struct membox_region, name) }
		FIELD(SMAPS_RSS, rss), FIELD(SMAPS_PSS, pss),
		FIELD(SMAPS_PSS_DIRTY, pss_dirty), FIELD(SMAPS_SWAP, swap),
		FIELD(SMAPS_SWAP_PSS, swap_pss),
		FIELD(SMAPS_SHARED_CLEAN, shared_clean),
		FIELD(SMAPS_SHARED_DIRTY, shared_dirty),
		FIELD(SMAPS_PRIVATE_CLEAN, private_clean),
		FIELD(SMAPS_PRIVATE_DIRTY, private_dirty),
		FIELD(SMAPS_REFERENCED, referenced),
		FIELD(SMAPS_ANONYMOUS, anonymous), FIELD(SMAPS_KSM, ksm),
		FIELD(SMAPS_LAZY_FREE, lazy_free), FIELD(SMAPS_LOCKED, locked),
		FIELD(SMAPS_ANON_HUGE, anon_huge),
		FIELD(SMAPS_SHMEM_PMD, shmem_huge),
		FIELD(SMAPS_FILE_PMD, file_huge),
		FIELD(SMAPS_SHARED_HUGETLB, shared_hugetlb),
		FIELD(SMAPS_PRIVATE_HUGETLB, private_hugetlb),
		FIELD(SMAPS_KERNEL_PAGE, kernel_page_size),
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(fields); i++) {
		u64 bytes = g->kb[fields[i].key] * KIB;

		memcpy((u8 *)out + fields[i].place, &bytes, sizeof(bytes));
	}
}

int
membox_regions_next(struct membox_regions *r, struct membox_region *out)
{
	const struct region *g = &r->region;
	const struct vma *v = &g->vma;
	int n = regions_next(&r->regions, &r->region);

	if (n <= 0)
		return n;
	*out = (struct membox_region){ .start = v->start, .end = v->end,
		.offset = v->offset, .inode = v->inode, .major = v->major,
		.minor = v->minor, .type = region_type_names[g->type],
		.subtype = region_kind_names[g->kind], .path = v->path,
		.has_smaps = r->smaps && g->seen };
	fmt_str(out->perm, sizeof(out->perm), "%c%c%c%c",
		v->perm & VMA_READ ? 'r' : '-', v->perm & VMA_WRITE ? 'w' : '-',
		v->perm & VMA_EXEC ? 'x' : '-',
		v->perm & VMA_SHARED ? 's' : 'p');
	if (r->smaps)
		copy_smaps(out, g);
	return 1;
}

/* ---- snapshots ---- */

/* One mapping: the head, the regions growing up from it; paths in another that
 * grows too, so they are offsets until all is read. */
struct snapshot {
	struct membox_snapshot public;
	size_t size;		/* of this mapping */
	char *paths;
	size_t paths_size, paths_used;
	struct membox_region regions[];
};
enum { FIRST_SIZE = 64 * 1024 };

static int
grow(void **p, size_t *size)
{
	void *moved = mremap(*p, *size, *size * 2, MREMAP_MAYMOVE);

	if (moved == MAP_FAILED)
		return -1;
	*p = moved;
	*size *= 2;
	return 0;
}

static int
add_region(struct snapshot **s, const struct membox_region *g)
{
	struct membox_region *place;
	size_t n = strlen(g->path) + 1;

	while (sizeof(**s) + ((*s)->public.count + 1) * sizeof(*g) >
	       (*s)->size) {
		size_t size = (*s)->size;
		void *p = *s;

		if (grow(&p, &size) < 0)
			return -1;
		*s = p;
		(*s)->size = size;
	}
	while ((*s)->paths_used + n > (*s)->paths_size) {
		void *p = (*s)->paths;

		if (grow(&p, &(*s)->paths_size) < 0)
			return -1;
		(*s)->paths = p;
	}
	place = &(*s)->regions[(*s)->public.count++];
	*place = *g;
	place->path = (const char *)(*s)->paths_used;	/* till the end */
	memcpy((*s)->paths + (*s)->paths_used, g->path, n);
	(*s)->paths_used += n;
	(*s)->public.total_rss += g->rss;
	(*s)->public.total_vsize += g->end - g->start;
	return 0;
}

static struct snapshot *
snapshot_new(int pid)
{
	struct snapshot *s = pages_take(FIRST_SIZE);

	if (!s)
		return NULL;
	s->size = s->paths_size = FIRST_SIZE;
	s->public.pid = pid;
	s->public.timestamp_ms = (s64)(wall_ns() / 1000000);
	s->paths = pages_take(FIRST_SIZE);
	if (s->paths)
		return s;
	pages_free(s, s->size);
	return NULL;
}

static void
set_paths(struct snapshot *s)
{
	size_t i;

	for (i = 0; i < s->public.count; i++)
		s->regions[i].path = s->paths + (size_t)s->regions[i].path;
	s->public.regions = s->regions;
}

/* 0, or -1 with errno: ESRCH when the process ended meanwhile. */
static int
snapshot_read(struct snapshot **s, int pid, int flags)
{
	struct membox_regions *r = membox_regions_open(pid, flags);
	struct membox_region g;
	struct procstat st;
	int n;

	if (!r)
		return -1;
	while ((n = membox_regions_next(r, &g)) > 0)
		if (add_region(s, &g) < 0) {
			n = -1;
			break;
		}
	membox_regions_close(r);
	if (n < 0)
		return -1;
	if (procstat_read(pid, &st) < 0)
		return -1;
	if (!(st.flags & PF_KTHREAD_FLAG) && process_ended(pid)) {
		errno = ESRCH;
		return -1;
	}
	if (!(flags & MEMBOX_SMAPS))
		(*s)->public.total_rss = st.rss * page_size;
	return 0;
}

struct membox_snapshot *
membox_snapshot_take(int pid, int flags)
{
	struct snapshot *s = snapshot_new(pid);

	if (!s)
		return NULL;
	if (!snapshot_read(&s, pid, flags)) {
		set_paths(s);
		return &s->public;
	}
	membox_snapshot_free(&s->public);
	return NULL;
}

void
membox_snapshot_free(struct membox_snapshot *public)
{
	struct snapshot *s = (void *)public;

	if (!s)
		return;
	pages_free(s->paths, s->paths_size);
	pages_free(s, s->size);
}

struct membox_snapshot *
snapshot_copy(const struct membox_snapshot *public)
{
	const struct snapshot *from = (const void *)public;
	struct snapshot *s = pages_take(from->size);
	size_t i;

	if (!s)
		return NULL;
	memcpy(s, from, sizeof(*s) + public->count * sizeof(*s->regions));
	s->paths = pages_take(from->paths_size);
	if (!s->paths) {
		pages_free(s, s->size);
		return NULL;
	}
	memcpy(s->paths, from->paths, from->paths_used);
	for (i = 0; i < public->count; i++)
		s->regions[i].path += s->paths - from->paths;
	s->public.regions = s->regions;
	return &s->public;
}
