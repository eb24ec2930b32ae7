/* store.h - regions kept: to sort them, and to compare two samples. */
#ifndef STORE_H
#define STORE_H

#include "memmaps.h"

struct record {
	u64 start, end, offset, inode;
	u32 major, minor;
	u32 path, flags;	/* names */
	u32 seen;
	int pid;
	u8 perm, type, kind;
	u8 matched;		/* of --watch, --diff */
	u16 grew, shrank;	/* samples, of --leak-suspects */
	u32 first_rss, first_swap;	/* kB, likewise */
	u32 kb[SMAPS_KEYS];	/* what does not fit is ~0 */
};
struct store {
	struct arena arena;
	size_t count;
	int partial;		/* some process could not be read */
};

/* Takes address space for millions of records; memory is used as they come.
 * Exits when there is none. */
void store_open(struct store *s);
void store_clear(struct store *s);
struct record *store_at(const struct store *s, size_t i);
/* Exits when the store is full. */
struct record *store_add(struct store *s, int pid, const struct region *g);
/* The region again; its path stays valid. */
void record_region(const struct record *r, struct region *g);

/* Every text once, kept for good. */
u32 name_keep(const char *s, size_t n);
const char *name_text(u32 name);

#endif
