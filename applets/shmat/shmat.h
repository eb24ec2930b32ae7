/* shmat.h - what the verbs of shmat share. */
#ifndef SHMAT_H
#define SHMAT_H

#include "list.h"

struct shmat_opts {
	struct shm_list list;
	const char *output;
	const char *key, *mode, *huge;
	u64 hold;		/* ns; 0 = until a signal */
	int hold_given, all, rw, yes, sparse, populate, force;
	char **command;		/* attach .. -- COMMAND */
};
extern struct shmat_opts opts;

int shmat_main(char **argv);

/* ---- segment.c ---- */

/* The segment that a word names: an id, or 0xKEY. 0, or 1 after a message. */
int segment_find(const char *word, struct shm_segment *seg);
/* Attaches it; NULL after a message. */
char *segment_attach(const struct shm_segment *seg, int flags);
/* Pages of a segment, rounded up. */
u64 segment_pages(const struct shm_segment *seg);

/* Maps n (at most SEGMENT_BATCH) of its pages from page on, those that are
 * resident (with --populate: all): a touch makes nothing then. */
enum { SEGMENT_BATCH = 512 };
void segment_map(const struct shm_segment *seg, char *map, u64 page, u64 n);

/* A segment as a file: what is not there is not made by reading it. */
struct segment_file {
	struct shm_segment seg;
	char *map;		/* attached read-only */
	int fd;			/* of map_files; -1: only the mapping is there */
	int huge;		/* of huge pages */
};
int segment_open(struct segment_file *f, const char *word);	/* 0 or 1 */
void segment_close(struct segment_file *f);
/* The next stretch of data at or behind offset: 1, and its bounds; 0 when only
 * holes follow. */
int segment_data(struct segment_file *f, u64 offset, u64 *start, u64 *end);
/* Reads n bytes; what cannot be read (a broken page) becomes zeroes. Returns
 * the bytes that could not be read. */
u64 segment_read(struct segment_file *f, u64 offset, char *buf, size_t n);

/* ---- verbs: the words after the verb, NULL-ended; an exit status ---- */

int verb_attach(char **words);
int verb_dump(char **words);
int verb_hex(char **words);
int verb_pfns(char **words);
int verb_create(char **words);
int verb_write(char **words);
int verb_advise(char **words);
int verb_rm(char **words);

#endif
