/* physical.h - what the pictures of physical memory are made from. */
#ifndef PHYSICAL_H
#define PHYSICAL_H

#include "picture.h"

enum { CLASSES = 65536, NOT_MAPPED = 0, SHARED = 1, FIRST_GROUP = 2 };

/* Each page of RAM has a class: the group whose process maps it, or what
 * kpageflags says. */
extern struct physical {
	struct range ram[IOMEM_RANGES];	/* PFNs */
	u64 first[IOMEM_RANGES];	/* index of a range's first page */
	int ranges;
	u64 pages;
	u16 *classes;		/* of each page */
	u64 counts[CLASSES];	/* pages */
	u32 keys[CLASSES];	/* of groups: pid, uid, name */
	unsigned groups;	/* classes used */
	u64 outside;		/* mapped pages that are no RAM: devices */
	struct skipped skipped;
	u64 read;		/* processes */
	enum skip why;		/* --pid's could not be */
	struct picture picture;
	u64 scale;
	u8 shade_of[CLASSES];
} phys;

/* ---- owners.c ---- */

/* The class of the group of that key: pid, uid, name of a control group. */
u16 owners_class(u32 key);
/* Sets the classes of all pages that processes map. */
void owners_paint(void);

/* ---- shades.c ---- */

/* The picture's shades and which class has which, from the counts. */
void shades_make(void);

#endif
