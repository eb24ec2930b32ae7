/* lib.h - what the library's files share, beyond membox.h. */
#ifndef LIB_H
#define LIB_H

#include "membox.h"

/* Zeroed memory of its own mapping; NULL with errno. */
void *pages_take(size_t n);
void pages_free(void *p, size_t n);	/* keeps errno */
struct membox_snapshot *snapshot_copy(const struct membox_snapshot *s);

#endif
