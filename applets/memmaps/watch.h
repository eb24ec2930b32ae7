/* watch.h - what grows, what shrinks. */
#ifndef WATCH_H
#define WATCH_H

#include "store.h"

/* ---- load.c ---- */

/* Reads a file of --json or --ndjson into the store: 1 when it has RSS (was made
 * with --smaps), 0 when not. Exits when it is no such file. */
int load_json(const char *file, struct store *store);

/* ---- watch.c ---- */

int watch_sample(void);
int leak_sample(void);
void leak_report(void);
int diff_files(void);

#endif
