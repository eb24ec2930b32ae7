/* heat.h - the heat map, for those who draw it. */
#ifndef HEAT_H
#define HEAT_H

#include "memidle.h"

enum { COLS = 512, NAME = 24 };

struct row {
	u64 key;		/* pid << 40 | page number / unit */
	u64 vma;		/* first page of the first VMA in it */
	u32 active, present;	/* in the column that is being made */
	char name[NAME];	/* of that VMA: its end */
	u8 cells[COLS];		/* 0 nothing there, 1 idle .. 255 all active */
};

#define KEY_AT(key) ((key) & ((1ull << 40) - 1))
#define KEY_PID(key) ((int)((key) >> 40))

struct heat_map {
	const struct row *rows;	/* by key */
	unsigned row_count, col_count;
	u64 unit;		/* pages of a row */
	u64 stride;		/* samples of a column */
	u64 last_time;		/* ns */
};

/* ---- heat.c ---- */

/* What is shown is what came to its end; nothing is added after this. */
const struct heat_map *heat_finish(void);
int same_vma(const struct row *a, const struct row *b);
/* The row after the last of this one's VMA. */
unsigned group_end(unsigned row);

#endif
