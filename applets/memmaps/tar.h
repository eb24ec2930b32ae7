/* tar.h - a tar archive into report, as POSIX 2001 (pax) has it. */
#ifndef TAR_H
#define TAR_H

#include "memmaps.h"

enum { TAR_BLOCK = 512 };

/* A run of bytes that are there, of a sparse file; both whole blocks. */
struct extent {
	u64 offset, size;
};

/* Where the archive goes: bytes, in order. Errors show in its end. */
extern void (*tar_out)(const void *data, size_t n);

void tar_directory(const char *name);
void tar_link(const char *name, const char *target);
/* A file of n bytes, all at once. */
void tar_file(const char *name, const void *data, size_t n);
/* A file of size bytes of which only the extents are stored (GNU sparse format
 * 1.0): then exactly their bytes by tar_data, then tar_pad. Without extents
 * the whole size follows. */
void tar_begin(const char *name, u64 size);
void tar_begin_sparse(const char *name, u64 size, const struct extent *e,
	size_t count);
void tar_data(const void *data, size_t n);
void tar_pad(void);
/* The end of the archive. */
void tar_end(void);

#endif
