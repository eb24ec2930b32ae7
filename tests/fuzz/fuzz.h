/* fuzz.h - a fuzz target is tests/fuzz/fuzz-NAME.c with the function below; its
 * corpus stands in tests/fuzz/corpus/NAME/. It is built twice: by clang with
 * libFuzzer for "make fuzz", by the host's compiler with replay.c for every
 * "make check". The code under test must neither print nor exit. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "kern.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* What must hold of every result, whatever the input was. */
#define must(condition) do { \
	if (!(condition)) { \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
			#condition); \
		abort(); \
	} \
} while (0)

/* A descriptor, at its beginning, of a file that holds the input. The same
 * descriptor each time: not to be closed. */
int fuzz_fd(const u8 *data, size_t size);

/* Makes the input DIR/name (no slash in front, its folder is made) of a
 * temporary DIR that --root then means. The name must stay; a few may be. */
void fuzz_root(const char *name, const u8 *data, size_t size);

/* For inputs of several files: takes what is before the first NUL, or all, off
 * the front; its length. */
size_t fuzz_part(const u8 **data, size_t *size);

#endif
