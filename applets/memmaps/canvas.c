/* canvas.c - from a place in the picture to a place in memory. */
#include "picture.h"

enum { BLOCKS_LEAST = 16, SHIFT_MAX = 14 };

/* Columns of blocks: none left empty if that goes with a picture between 1:1
 * and 2:1, else the fewest. */
static u32
columns_for(u32 blocks)
{
	u32 c, best = 1, least = ~0u;

	for (c = 1; c <= blocks; c++) {
		u32 rows = (blocks + c - 1) / c, empty = c * rows - blocks;

		if (c < rows || c > 2 * rows + 1)
			continue;
		if (empty < least) {
			least = empty;
			best = c;
		}
	}
	return best;
}

void
canvas_fit(struct canvas *c, u64 pixels, u32 width)
{
	u32 blocks;

	if (!pixels)
		pixels = 1;
	c->pixels = pixels;
	c->shift = SHIFT_MAX;
	while (c->shift && pixels >> 2 * c->shift < BLOCKS_LEAST)
		c->shift--;
	blocks = (u32)((pixels + (1ull << 2 * c->shift) - 1) >> 2 * c->shift);
	c->columns = width >> c->shift;
	if (!c->columns)
		c->columns = columns_for(blocks);
	c->rows = (blocks + c->columns - 1) / c->columns;
	c->width = c->columns << c->shift;
	c->height = c->rows << c->shift;
}

/* Position along the curve in a block: a quadrant at a time, turned as the
 * curve turns. */
static u64
hilbert(u32 x, u32 y, unsigned shift)
{
	u64 d = 0;
	u32 side;

	for (side = 1u << shift >> 1; side; side >>= 1) {
		u32 right = !!(x & side), below = !!(y & side), t;

		d = d << 2 | ((3 * right) ^ below);
		if (below)
			continue;
		if (right) {
			x = ~x;
			y = ~y;
		}
		t = x;
		x = y;
		y = t;
	}
	return d;
}

s64
canvas_at(const struct canvas *c, u32 x, u32 y)
{
	u32 side = 1u << c->shift;
	u64 block = (u64)(y >> c->shift) * c->columns + (x >> c->shift);
	u64 at = (block << 2 * c->shift) +
		hilbert(x & (side - 1), y & (side - 1), c->shift);

	return at < c->pixels ? (s64)at : CANVAS_NONE;
}
