/* mit.h - the pieces of a trace, for those who write and read it. */
#ifndef MIT_H
#define MIT_H

#include "memidle.h"

#define MIT_MAGIC "membox-i"
enum { MIT_MAGIC_SIZE = 8, MIT_VERSION = 1 };

/* ---- mit.c ---- */

/* FNV-1a, from MIT_SUM on. */
#define MIT_SUM 2166136261u
u32 mit_sum(u32 sum, const void *data, size_t n);

/* Bytes that are left; a number too many makes it bad, and all that follow
 * are 0. */
struct bytes {
	const u8 *p, *end;
	int bad;
};
u64 get_number(struct bytes *b);
const char *get_text(struct bytes *b, size_t *n);	/* not NUL-ended */
void get_counts(struct bytes *b, struct counts *n);
/* The next record's type and body; 0 when no whole one is left. */
int get_record(struct bytes *from, struct bytes *body);
/* 1 when a sample begins here that is whole and undamaged; *from moves past
 * it. Samples have the order S (V R* v)* T E; other records are skipped. */
int whole_sample(struct bytes *from);

#endif
