/* list.h - listings that two applets print: they read by kern and show by
 * view, and belong to neither.
 */
#ifndef MEMBOX_LIST_H
#define MEMBOX_LIST_H

#include "kern.h"
#include "view.h"

/* ---- shm.c: shared memory ---- */

enum shm_kinds { SHM_SYSV = 1, SHM_POSIX = 2, SHM_MEMFD = 4 };
struct shm_list {
	enum rows_format format;
	int kinds;		/* enum shm_kinds, or-ed */
	int bytes;
};
/* Lists segments with who has them attached: from /proc alone, no page is
 * touched. JSON: {"complete":..,"skipped":N,"segments":[..]}. 0; 3 when some
 * processes could not be asked what they have attached (told on stderr); 1
 * after a message. The caller flushes out. */
int shm_list(struct out *o, const struct shm_list *l);

#endif
