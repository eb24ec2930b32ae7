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

/* Position along the curve in a block: a quadrant at a time, turned as the
 * curve turns. The turns are in the bits of *turn: x and y are swapped; both
 * are counted from the other side. */
enum { SWAPPED = 1, REVERSED = 2, TURNS = 4, STEP = 4 };

static u32
quadrants(u32 x, u32 y, unsigned levels, unsigned *turn)
{
	u32 d = 0, side, t;

	for (side = 1u << levels >> 1; side; side >>= 1) {
		u32 right = !!(x & side), below = !!(y & side);

		if (*turn & REVERSED) {
			right ^= 1;
			below ^= 1;
		}
		if (*turn & SWAPPED) {
			t = right;
			right = below;
			below = t;
		}
		d = d << 2 | ((3 * right) ^ below);
		if (!below)
			*turn ^= SWAPPED | (right ? REVERSED : 0);
	}
	return d;
}

/* STEP levels of it at once, for all there can be. */
static struct {
	u8 at, turn;
} steps[TURNS][1 << STEP][1 << STEP];

static void
make_steps(void)
{
	unsigned turn, to, x, y;

	for (turn = 0; turn < TURNS; turn++)
		for (y = 0; y < 1 << STEP; y++)
			for (x = 0; x < 1 << STEP; x++) {
				to = turn;
				steps[turn][y][x].at = (u8)quadrants(x, y,
					STEP, &to);
				steps[turn][y][x].turn = (u8)to;
			}
}

/* The square of 2^STEP (or a block's side) around the last place: where the
 * curve is when it comes in, and how it is turned. Rows are asked for pixel by
 * pixel. */
static struct {
	u32 x, y;
	u64 first;
	unsigned turn;
} cell;

/* Levels above the block's own, up to a multiple of STEP, each swap once. */
static void
enter_cell(const struct canvas *c, u32 x, u32 y)
{
	const u32 mask = (1 << STEP) - 1, inside = (1u << c->shift) - 1;
	u64 block = (u64)(y >> c->shift) * c->columns + (x >> c->shift), d = 0;
	unsigned level = (c->shift + STEP - 1) / STEP * STEP;
	unsigned turn = (level - c->shift) & SWAPPED;

	for (; level > STEP; level -= STEP) {
		u32 right = (x & inside) >> (level - STEP) & mask;
		u32 below = (y & inside) >> (level - STEP) & mask;

		d = d << 2 * STEP | steps[turn][below][right].at;
		turn = steps[turn][below][right].turn;
	}
	cell.x = x;
	cell.y = y;
	cell.first = (block << 2 * c->shift) + (d << 2 * STEP);
	cell.turn = turn;
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
	make_steps();
	cell.x = cell.y = ~0u;
}

s64
canvas_at(const struct canvas *c, u32 x, u32 y)
{
	u32 mask = (1u << (c->shift < STEP ? c->shift : STEP)) - 1;
	u64 at;

	if (((x ^ cell.x) | (y ^ cell.y)) & ~mask)
		enter_cell(c, x, y);
	at = cell.first + steps[cell.turn][y & mask][x & mask].at;
	return at < c->pixels ? (s64)at : CANVAS_NONE;
}
