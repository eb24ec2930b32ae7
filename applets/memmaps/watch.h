/* watch.h - what grows, what shrinks. */
#ifndef WATCH_H
#define WATCH_H

#include "store.h"

/* ---- load.c ---- */

/* Reads a file of --json or --ndjson into the store: 1 when it has RSS (was made
 * with --smaps), 0 when not. Exits when it is no such file. */
int load_json(const char *file, struct store *store);

/* ---- change.c ---- */

struct change {
	const struct record *now;	/* or, when gone, what was */
	s64 size, rss, pss, swap;	/* bytes */
	const char *state;
};
/* Forgets what was kept. */
void change_clear(void);
/* Takes one in, if it is any; the --top biggest are kept. */
void change_keep(const struct change *c);
/* Clears, and keeps what differs. Both are sorted by process and address. */
void change_compare(struct store *old, struct store *new);
/* What was kept and the sum of all, into report. */
void change_show(void);

/* ---- watch.c ---- */

int watch_sample(void);
int leak_sample(void);
void leak_report(void);
int diff_files(void);

#endif
