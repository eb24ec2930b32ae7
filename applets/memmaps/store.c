/* store.c - regions in one mapping, their paths in another, each path once. */
#include "store.h"

enum { STORE_LEAST = 4 << 20, NAME_BUCKETS = 16384 };
static const size_t store_most = 1u << 30;

/* Address space is free, but where overcommit is forbidden it may be small. */
static void
reserve(struct arena *a, size_t most)
{
	size_t size = most;

	while (arena_open(a, size) < 0) {
		size /= 4;
		if (size < STORE_LEAST)
			die("memory for the regions:");
	}
}

void
store_open(struct store *s)
{
	*s = (struct store){ 0 };
	reserve(&s->arena, store_most);
}

void
store_clear(struct store *s)
{
	s->count = 0;
	s->arena.used = 0;
	s->partial = 0;
}

struct record *
store_at(const struct store *s, size_t i)
{
	return (struct record *)(void *)s->arena.base + i;
}

struct name {
	u32 next;
	u32 len;
	char text[];
};
static struct arena names;
static u32 buckets[NAME_BUCKETS];

static struct name *
name_at(u32 offset)
{
	return (void *)(names.base + offset);
}

static u32
hash_of(const char *s, size_t n)
{
	u32 h = 2166136261u;	/* FNV-1a */

	while (n--)
		h = (h ^ (u8)*s++) * 16777619u;
	return (h ^ h >> 15) % NAME_BUCKETS;
}

u32
name_keep(const char *s, size_t n)
{
	u32 *bucket = &buckets[hash_of(s, n)], at;
	struct name *name;

	if (!names.base) {
		reserve(&names, store_most);
		arena_take(&names, 16);	/* 0 is no name */
	}
	for (at = *bucket; at; at = name->next) {
		name = name_at(at);
		if (name->len == n && !memcmp(name->text, s, n))
			return at;
	}
	name = arena_take(&names, sizeof(*name) + n + 1);
	if (!name)
		die("more than %llu MiB of paths: name fewer processes",
			names.size / MIB);
	name->next = *bucket;
	name->len = (u32)n;
	memcpy(name->text, s, n);
	name->text[n] = 0;
	*bucket = (u32)((u8 *)name - names.base);
	return *bucket;
}

const char *
name_text(u32 name)
{
	return name_at(name)->text;
}

struct record *
store_add(struct store *s, int pid, const struct region *g)
{
	const struct vma *v = &g->vma;
	struct record *r;
	unsigned key;

	if ((s->count + 1) * sizeof(*r) > s->arena.size)
		die("more than %zu regions: name fewer processes, or filter "
			"them by --min or --type", s->count);
	r = store_at(s, s->count++);
	*r = (struct record){ .start = v->start, .end = v->end,
		.offset = v->offset, .inode = v->inode, .major = v->major,
		.minor = v->minor, .pid = pid, .perm = (u8)v->perm,
		.type = g->type, .kind = g->kind, .seen = g->seen,
		.path = name_keep(v->path, v->path_len),
		.flags = name_keep(g->flags, strlen(g->flags)) };
	for (key = 0; key < SMAPS_KEYS; key++)
		r->kb[key] = g->kb[key] > ~0u ? ~0u : (u32)g->kb[key];
	r->first_rss = r->kb[SMAPS_RSS];
	r->first_swap = r->kb[SMAPS_SWAP];
	return r;
}

void
record_region(const struct record *r, struct region *g)
{
	unsigned key;

	g->vma = (struct vma){ .start = r->start, .end = r->end,
		.offset = r->offset, .inode = r->inode, .major = r->major,
		.minor = r->minor, .perm = r->perm,
		.path = name_text(r->path),
		.path_len = name_at(r->path)->len };
	g->type = r->type;
	g->kind = r->kind;
	g->seen = r->seen;
	for (key = 0; key < SMAPS_KEYS; key++)
		g->kb[key] = r->kb[key];
	fmt_str(g->flags, sizeof(g->flags), "%s", name_text(r->flags));
}
