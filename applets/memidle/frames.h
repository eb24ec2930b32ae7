/* frames.h - page frames as the kernel has them. */
#ifndef FRAMES_H
#define FRAMES_H

#include "memidle.h"

enum { WORDS = BLOCK / 64 };	/* of a block */

/* ---- frames.c; bitmap_flags too ---- */

u64 frames_open(void);		/* how many there are; dies when it cannot */
/* The flags of a frame; what was read is kept until forget_flags. */
u64 flags_at(u64 pfn);
u64 head_of(u64 pfn);		/* of the folio that a tail belongs to */
void forget_flags(void);
/* A block that is one huge page: 1, or 2 when it cannot be tracked. */
int huge_at(u64 pfn);
/* A block's words: marks the mask's frames idle; gets their bits (and others'
 * of the same words, or 0). Both die when the bitmap fails. read_words gives
 * the first frame that cannot be read back, ~0 when all can. */
void write_mask(u64 pfn, const u64 *mask);
u64 read_words(u64 pfn, const u64 *mask, u64 *got);
/* Its bit now. A folio that was moved keeps its mark, one that was split has it
 * in all its pages. */
int still_idle(u64 pfn);

#endif
