/* emit.h - the files of memmaps --json. */
#ifndef EMIT_H
#define EMIT_H

#include "memmaps.h"

/* ---- body.c ---- */

/* Regions as text of JSON, to be put into an array; depth: of their keys. */
void body_open(int indent, int depth);
/* Room for this one? If not, body_flush makes some. */
int body_has_room(const struct region *g);
void body_put(const struct region *g, int first);
void body_flush(void);		/* into report */
void body_clear(void);

/* ---- emit.c: one process ---- */

extern struct json emit_json;	/* onto report */

/* Reads a process and writes it; fd as in subject_open_fd. SKIP_NOT, or why it
 * could not be read, or not to its end: then it is written without regions if
 * regardless, else not at all, unless a part was out already; *written. */
enum skip emit_process(int pid, int fd, int regardless, int *written);

/* ---- emit_all.c ---- */

/* All processes asked for, and what was skipped: the exit code. */
int emit_all(void);

#endif
