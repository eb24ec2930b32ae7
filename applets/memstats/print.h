/* print.h - between the files that print processes and groups. */
#ifndef PRINT_H
#define PRINT_H

enum group_field { G_SPLIT, G_GROUP, G_PROCS, G_RSS, G_USS, G_PSS, G_ANON,
	G_FILE, G_SHMEM, G_SWAP, G_SWAP_USS, G_SHM, G_HUGETLB, G_SWAP_PSS,
	G_SHM_SWAP, G_CURRENT, G_MAX, G_OOM, G_OOM_KILL, G_DELTA };

/* The number of a group's column; -1 = it is not known. (print_groups.c) */
s64 group_value(const struct group *g, enum group_field field);

/* print.c */
void put_value(struct rows *r, s64 v);	/* -1: null */
void put_delta(struct rows *r, s64 before, u64 now);
/* Room for n row numbers, kept for the next call. */
u32 *order_take(u32 n);
int compare(s64 a, s64 b);
int field_of(const struct col *cols, unsigned n, const char *name);
void check_sort(const struct col *cols, unsigned n, const char *sort);

#endif
