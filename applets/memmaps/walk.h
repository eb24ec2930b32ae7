/* walk.h - the page table entries of a process. */
#ifndef WALK_H
#define WALK_H

#include "memmaps.h"

/* Types from here on are not swap but markers: migration, hwpoison, device,
 * userfaultfd, guard (MAX_SWAPFILES of include/linux/swap.h at its least). */
enum { SWAP_TYPES_MAX = 23 };

struct walk {
	int fd;			/* pagemap */
	int no_scan;		/* PAGEMAP_SCAN (6.7) is not there */
	u64 resident;		/* bytes: what it has, by stat */
	void (*entries)(void *arg, u64 vpn, const u64 *entries, size_t n);
	void *arg;
};
/* 0, or -1 with errno. */
int walk_open(struct walk *w, int pid, u64 resident);
/* Gives the entries of pages vpn .. end - 1 in order, in pieces; runs without a
 * page may be left out. 0, or -1 with errno (ESRCH: the process ended). */
int walk_pages(struct walk *w, u64 vpn, u64 end);
void walk_close(struct walk *w);

#endif
