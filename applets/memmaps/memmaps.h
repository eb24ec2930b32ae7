/* memmaps.h - what the files of memmaps share. */
#ifndef MEMMAPS_H
#define MEMMAPS_H

#include "kern.h"
#include "view.h"

/* ---- memmaps.c: what was asked for ---- */

enum order { BY_ADDRESS, BY_SIZE, BY_RSS, BY_PSS, BY_SWAP };

struct ask {
	int (*action)(void);	/* a sample of it; NULL = the listing */
	char **pids;		/* operands, all of them process ids */
	unsigned pid_count;
	int all;
	int as_memc;
	int smaps;		/* read smaps, not maps */
	int full, compact, json, ndjson;
	int extended, bytes;
	int skip_kernel;
	enum order order;
	u64 min;		/* of the column that order names */
	u32 types, kinds;	/* bits to show; both 0 = all */
	const char *output;	/* NULL = stdout */
	int force;
	u64 interval;		/* ns */
	u64 count;		/* samples; 0 = until a signal */
	int sampling;		/* --interval or --count was given */
	int counted;		/* --count was */
	unsigned top;		/* rows of --watch */
	int leaks;
	int skip_environ;
};
extern struct ask ask;
int memmaps_main(char **argv);

/* ---- check.c: exits 2 when it makes no sense ---- */

void check_diff(char **files);	/* --diff: the operands are files */
void check_ask(void);

/* ---- report.c ---- */

/* The output: a struct out with a big buffer, to stdout or to --output. It is
 * open from the start; report_end says the exit code, at the least code. */
extern struct out report;
void report_open(void);		/* exits 1 when it cannot */
int report_end(int code);

/* Calls sample() --count times, --interval apart on the monotonic clock, until
 * a signal or until it returns < 0 (nothing is left to sample). The worst of
 * its exit codes. */
int sample_all(int (*sample)(void));

/* ---- subject.c: which processes, and why not ---- */

enum skip { SKIP_NOT, SKIP_DENIED, SKIP_VANISHED, SKIP_KERNEL, SKIP_ERROR };
extern const char *const skip_names[];	/* "", "denied" .. */

/* One process being read. Too big for a stack. */
struct subject {
	int pid;
	int has_stat;
	struct procstat stat;
	u64 when;		/* wall clock, ns */
	struct regions regions;
};

/* The processes asked for: operands, or all in /proc. */
struct targets {
	struct pids pids;
	char **list;
};
int targets_open(struct targets *t);	/* 0, or -1 after a message */
int targets_next(struct targets *t, int *pid);	/* 1 or 0 */
void targets_close(struct targets *t);

/* Opens the process's maps or smaps and reads its stat. SKIP_NOT, and then
 * subject_close is due, or why not. */
enum skip subject_open(struct subject *s, int pid);
/* The same with maps or smaps open already; -1: not yet. */
enum skip subject_open_fd(struct subject *s, int pid, int fd);
void subject_close(struct subject *s);
/* The next region that the filters let through: 1, 0, or -1 with errno. */
int subject_next(struct subject *s, struct region *g);
int region_wanted(const struct region *g);
/* After the last region: 1 when the list may be short, because the process
 * ended meanwhile. */
int subject_ended(const struct subject *s);

/* Sums of regions. */
struct totals {
	u64 regions;
	u64 vsize, rss, pss, swap;	/* bytes */
};
void totals_add(struct totals *t, const struct region *g);

/* Why /proc/PID/maps cannot be read, from errno. */
enum skip skip_of_errno(void);
int is_kernel_thread(int pid);

/* Counts of processes that were left out, for messages and exit codes. */
struct skipped {
	u64 count[SKIP_ERROR + 1];
};
/* Says on stderr what was left out and how to get at it; the exit code. */
int skipped_tell(const struct skipped *s, u64 read);
/* A process that was named: its own message. */
void skip_tell(int pid, enum skip why);
/* Says that there is nothing to show of it when it is a kernel thread or a
 * zombie. */
void empty_tell(int pid);

/* Permissions as maps writes them, "rw-p", by enum vma_perm. */
extern const char perm_texts[16][5];

/* ---- table.c, emit.c: the two shapes of the listing; exit codes ---- */

int table_sample(void);
int emit_sample(void);

/* ---- pages.c ---- */

int pages_sample(void);

/* ---- snapshot.c ---- */

int snapshot_sample(void);

#endif
