/* scan.h - between the files that read pages: walk.c finds the entries, scan.c
 * makes classes of them, bits.c two bits. */
#ifndef SCAN_H
#define SCAN_H

/* Part of a run of mappings without a gap. */
struct part {
	u64 end;		/* page number */
	u8 type;		/* enum page_type of its file pages */
	u8 shared;
};

/* zones.c */
u64 zones_end(void);		/* first page number behind all zones, or 0 */
u64 zones_pcp(void);		/* free pages that the processors keep */
/* Free blocks by order, those of all zones; how many orders there are. */
unsigned zones_blocks(u64 *blocks, unsigned max);

/* types.c */
void types_reset(void);		/* device numbers are given again */
enum page_type vma_type(int pid, const struct vma *v, int *shm_id);
/* [vvar], [vsyscall]: the kernel's, in nobody's RSS. */
int vma_skipped(const struct vma *v);

/* swap.c */
u64 swap_open(void);		/* slots of all devices that are listed */
void swap_reset(u64 first);	/* index of the first slot in the map */
/* Index of the slot that an entry names; 0 when the entry is a marker
 * (migration, hwpoison, guard..) and no swap. */
u64 swap_index(u64 entry);

/* zeroes.c */
int zeroes_open(void);		/* 0, -1 = page numbers are not shown */
void zeroes_reset(void);	/* the huge one may have gone and come back */
/* Of a page that is neither a file's nor mapped once. */
int is_zeroes(u64 pfn);

/* classes.c */
enum { CLASSES_NARROW = 1 << 16 };	/* what 16 bits tell apart */
extern u16 *class_narrow;	/* by page number; NULL once it is widened */
extern u32 *class_wide;
u64 classes_cost(u64 limit);
int classes_open(void);		/* 0, -1 = page numbers are not shown */
void classes_reset(void);
void classes_widen(void);
/* A new class: of pages of class from that process me is seen to have. */
u32 class_add(u32 from, u32 me);

/* scan.c */
void scan_entries(const u64 *entries, size_t n, const struct part *part,
	u32 me);

/* Where the page or slot of an entry stands in the map; 0: it counts nowhere. */
u64 entry_index(u64 entry, const struct part *part, u32 me);
enum page_type entry_type(u64 entry, const struct part *part);

/* bits.c */
void bits_entries(const u64 *entries, size_t n, const struct part *part,
	u32 me);
u64 bits_cost(u64 limit);
void bits_open(void);
void bits_run(void);		/* in place of a scan of each process */

/* pass.c */
void scan_process(u32 i);

/* threads.c */
enum { SCAN_CHUNK = 8192 };	/* entries in a read */
typedef void give_fn(const u64 *entries, u64 vpn, u64 n);
void threads_open(unsigned n);
/* Gives the entries of pages [vpn, end) in order. 0, or -1 when they end
 * before. */
int threads_read(int fd, u64 vpn, u64 end, give_fn *give);

/* walk.c: pages of one process; 0, or -1 with errno (nothing was read). */
int walk_process(u32 me);

#endif
