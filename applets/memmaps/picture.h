/* picture.h - memory as a picture: a Hilbert curve through blocks. */
#ifndef PICTURE_H
#define PICTURE_H

#include "memmaps.h"

/* ---- canvas.c: which pixel stands where ---- */

/* Square blocks of side 2^k, each filled by a Hilbert curve from its top left
 * to its top right corner, in rows: what is near in memory is near here, and
 * the last block alone may be filled in part. */
struct canvas {
	u64 pixels;
	unsigned shift;		/* a block's side is 1 << shift */
	u32 columns, rows;	/* blocks */
	u32 width, height;	/* pixels */
};
/* width: at most, for a terminal; 0 = between square and twice as wide. */
void canvas_fit(struct canvas *c, u64 pixels, u32 width);
enum { CANVAS_NONE = -1 };
/* Index of the pixel at x, y, or CANVAS_NONE in what is not filled; of the
 * canvas that was fitted last. */
s64 canvas_at(const struct canvas *c, u32 x, u32 y);

/* ---- draw.c: to a file or to the terminal ---- */

enum { PALETTE_MAX = 32, NAME_MAX_ = 64, BACKGROUND = 0, INK = 1, SHADES = 2 };

/* A colour, what it stands for, and how much there is of it. The first two are
 * the background and the text, without a legend. */
struct shade {
	u8 rgb[3];
	char letter;		/* on terminals without colour */
	char name[NAME_MAX_];
	u64 bytes;
};
struct picture {
	char title[160];
	struct shade shades[PALETTE_MAX];
	unsigned count;
	u8 *pixels;		/* shades, one each */
	struct canvas canvas;
	u64 (*address)(u64 pixel);	/* of its first byte, for the ticks */
};
/* The next free shade; when all are used, the last. */
unsigned shade_add(struct picture *p, const char *name, u32 rgb, char letter);
/* Into report. 0, or -1 with errno. */
int draw_png(const struct picture *p);
int draw_term(const struct picture *p);
/* Pages a pixel for that many pages: --scale, else what the terminal or a
 * picture of 4 million pixels holds. */
u64 picture_scale(u64 pages);
/* The width to give to canvas_fit. */
u32 picture_width(void);

/* ---- uses.c: classes by kpageflags ---- */

struct use {
	u64 all, none;		/* flags */
	u32 rgb;
	char letter;
	const char *name;
};
/* The first that fits is the page's; the last fits all. */
extern const struct use uses[], orders[];
extern const unsigned uses_count, orders_count;
u16 use_of(u64 flags);		/* index in uses */
/* Sets classes[at] to the index in orders; pages in the order of PFN, at the
 * place each has in classes. A block's pages are set when it ends. */
void frag_open(u16 *classes);
void frag_take(u64 pfn, u64 at, u64 flags);
void frag_end(void);

/* ---- picture.c, virtual.c ---- */

enum color {
	COLOR_MAPPED, COLOR_PROCESS, COLOR_USER, COLOR_CGROUP, COLOR_FLAGS,
	COLOR_ORDER, COLORS
};
struct picture_ask {
	enum color color;
	u64 scale;		/* 0: as fits */
	int pid;		/* --pid */
	int term;
	int asked;		/* --png or --term */
};
extern struct picture_ask picture_ask;

int picture_sample(void);
int virtual_sample(void);

#endif
