/* memidle.h - what the files of memidle share.
 *
 * A backend gives, for each sample, VMAs with counts and (when it sees single
 * pages) runs of pages of one state. emit.c hands both to whoever is on: the
 * table of VMAs, the trace file, ages and reuse distances, the heat map. A
 * trace that is read gives the same calls, so every report works from both.
 */
#ifndef MEMIDLE_H
#define MEMIDLE_H

#include "kern.h"
#include "view.h"

enum backend {
	BACKEND_AUTO, BACKEND_PAGE_IDLE, BACKEND_CLEAR_REFS, BACKEND_LRU_GEN,
	BACKEND_DAMON, BACKEND_SOFT_DIRTY, BACKEND_COUNT
};
enum target_kind { TARGET_PIDS, TARGET_TREE, TARGET_CGROUP, TARGET_SYSTEM };

enum page_state {
	PAGE_ACTIVE, PAGE_IDLE, PAGE_UNTRACKED, PAGE_UNKNOWN, PAGE_SWAP,
	PAGE_WRITTEN,		/* active, and written */
	PAGE_STATES
};

/* Pages. present = active + idle + untracked + unknown. */
struct counts {
	u64 present, active, idle, untracked, unknown, swap, written;
};

enum taint {
	TAINT_LRU_GEN = 1, TAINT_DAMON = 2, TAINT_NUMA = 4, TAINT_REFS = 8,
	TAINT_EXEC = 16, TAINT_STOPPED = 32, TAINT_LIMIT = 64, TAINT_CUT = 128,
	TAINT_ENDED = 256, TAINT_COLLAPSE = 512, TAINT_BITS = 10
};
extern const char *const taint_names[TAINT_BITS];

enum { MEASURES_MAX = 40 };
struct sample {
	u64 number;		/* from 0 */
	u64 time;		/* ns since the start: middle of the read */
	u64 est;		/* ns from the middle of the set to that */
	u64 wall;		/* ns, of the read */
	u64 read_at;		/* when the accesses were looked up; now_ns */
	unsigned taint;
	unsigned processes, gone, denied;
	struct counts total;
	u64 measures[MEASURES_MAX];
};

struct mapping {			/* a VMA and what was found in it */
	int pid;
	u64 start, pages;	/* virtual page number, count */
	u32 perm;		/* enum vma_perm */
	struct counts n;
	const char *name;	/* not NUL-ended */
	size_t name_len;
};

struct options {
	enum backend backend;
	enum target_kind kind;
	const char *pids, *cgroup;
	char **command;
	u64 interval;		/* ns */
	int snapshots, cumulative;
	unsigned steps;		/* -P */
	u64 samples, duration;	/* 0 = no limit */
	int flush;		/* 1, 0, -1 = when it costs nothing */
	int enable_lru_gen, pause, max_cpu;
	int json, csv, bytes, vmas, quiet, advice, heat, reuse;
	const char *ages, *filter, *measure, *png, *trace, *read;
	int force;		/* -o may replace */
};
extern struct options idle;
int memidle_main(char **argv);

/* ---- target.c: the processes, held by pidfd ---- */

enum { TARGETS_MAX = 16384 };
struct target {
	int pid, pidfd;
	u64 start;		/* starttime: tells a reused pid */
	u64 ticks;		/* CPU time at the last sample */
	u64 image;		/* changes with exec */
	u8 gone, denied, stopped, execed, ran, paused;
	char comm[COMM_MAX];
};
extern struct target *watched;
extern unsigned watched_count;
extern unsigned watched_gone;	/* that ended and are not in the list */
/* 0, or -1 with errno when there is no such process. */
int target_add(int pid);
u64 image_of(int pid);		/* see struct target; 0 = not to be had */
/* Opens what opt names; dies when nothing of it is there. */
void watched_open(void);
/* Finds new descendants or members; notes who is gone, stopped, execed. */
void watched_update(void);
unsigned watched_alive(void);
/* Notes who ended; how many did since the last look. */
unsigned watched_lost(void);
int watched_ended(void);	/* a look at all, without a look into them */

/* ---- cgroup.c: idle.cgroup and what is below it ---- */

extern const struct cgroups any_cgroup;	/* by its directory's path */
/* A directory, or the cgroup's own path below the mount: idle.cgroup becomes
 * the directory. Dies when there is none. */
void cgroup_find(void);
void cgroup_add_members(void);	/* to the targets */
/* The cgroup's inode numbers, as /proc/kpagecgroup gives them. */
void cgroup_inodes(void);
int cgroup_has(u64 inode);

/* ---- command.c ---- */

/* Starts the command stopped at a pipe; command_go lets it run; command_wait
 * gives its status as memidle's exit code, or -1 while it runs (no wait). */
void command_start(char **argv);
void command_go(void);
int command_wait(int block);

/* ---- keeper.c: puts back what was changed, whatever ends us ---- */

/* A child that holds the old values and writes them back when our end of a
 * pipe closes. keep_file: path had this text. keep_stopped: SIGCONT to pid if
 * its starttime is start. Both before the change; they die when the child
 * cannot be had. keep_forget: the newest one was put back by us. */
void keep_file(const char *path, const char *old);
void keep_stopped(int pid, u64 start);
void keep_forget(void);
/* Puts everything back now, newest first, and waits until it is done. */
void keep_restore(void);
/* Writes text to a live /proc or /sys file: 0, or -1 with errno. */
int write_text(const char *path, const char *text);

/* ---- filter.c ---- */

void vma_filter_parse(const char *expr);	/* exits 2 */
int vma_filter_wants(const struct vma *v);	/* 1 = wanted */

/* ---- emit.c: from backends to reports ---- */

enum { REGIONS_MAX = 1 << 18, NAMES_MAX = 32 << 20 };
extern struct mapping *regions;
extern unsigned region_count;
extern int emit_runs;		/* somebody wants runs */
extern int emit_written;	/* the backend sees what was written */
void emit_open(void);
void emit_begin(struct sample *s);
/* Filled but for n; its address stays until the sample's end. NULL: too many
 * (the sample is tainted). */
struct mapping *emit_region(const struct mapping *r);
/* Pages of the region begun last, ascending; counted in it. */
void emit_pages(struct mapping *r, u64 vpn, u64 n, enum page_state state);
/* Pages that are counted already, as a trace has them. */
void emit_run(u64 vpn, u64 count, enum page_state state);
void emit_region_end(struct mapping *r);
void emit_end(struct sample *s);
void counts_add(struct counts *to, const struct counts *from);
/* One more page of a state. */
void counts_page(struct counts *n, enum page_state state, u64 pages);

/* ---- backends: set before an interval, read after it ---- */

struct backend_ops {
	const char *name;
	void (*open)(void);
	void (*set)(void);		/* begins an interval */
	void (*read)(struct sample *s);	/* between emit_begin and _end */
	u64 (*memory)(void);		/* bytes that open took */
};
extern const struct backend_ops page_idle_ops, clear_refs_ops, lru_gen_ops,
	damon_ops, soft_dirty_ops;

/* ---- damon.c ---- */

/* What DAMON can watch; it is asked by making a kdamond that does not run. */
enum { DAMON_VADDR = 1, DAMON_PADDR = 2 };
int damon_operations(void);

/* ---- bitmap.c: /sys/kernel/mm/page_idle/bitmap, two bits a page frame ---- */

void bitmap_open(int many);	/* many: pages are told apart once each */
u64 bitmap_memory(void);
u64 bitmap_frames(void);
/* Begins anew: then what is wanted, then bitmap_set. */
void bitmap_clear(void);
void bitmap_want(u64 pfn, u64 n);
/* Marks what is wanted idle, but for what bitmap_read found so before
 * bitmap_clear: that is marked still. Asks the kernel what still is. */
void bitmap_set(void);
void bitmap_read(void);
/* State of the first of n frames; n becomes how many have it. */
enum page_state bitmap_state(u64 pfn, u64 *n);
/* How many of n frames are asked for the first time since bitmap_read. */
u64 bitmap_first(u64 pfn, u64 n);
/* 1 when a large folio was seen since bitmap_read that was not there when the
 * others were marked. */
int bitmap_folio_came(void);
int flags_tracked(u64 flags);	/* 1: the kernel can track such a frame */

/* ---- frames.c ---- */

/* Flags of whole aligned blocks, for physical walks. */
enum { BLOCK = 512 };
ssize_t bitmap_flags(u64 pfn, u64 *flags, size_t n);

/* ---- walk.c: the pages of a process through pagemap ---- */

/* Gives the pages [vpn, vpn + n) of one VMA, ascending. entry is the first's;
 * the others', when they are present, have the same flags and the frames that
 * follow. What is left out is neither present nor swapped. */
typedef void walk_fn(void *arg, u64 vpn, u64 entry, u64 n);
/* The pages of all targets' wanted VMAs. Who cannot be read is noted. */
void mark_processes(walk_fn *pages);
/* The same for a sample: regions, pages and totals. state gives the state of
 * the first of n pages (see walk_fn), and lowers n to how many have it; first
 * tells how many are to be counted in the totals; NULL: each is. */
typedef enum page_state page_state_fn(u64 vpn, u64 entry, u64 *n);
void read_processes(struct sample *s, page_state_fn *state,
	u64 (*first)(u64 entry, u64 n));
extern u64 pages_walked;
/* --max-cpu: sleeps when we have used more than our share. */
void throttle(void);
void throttle_begin(void);

/* ---- flush.c ---- */

/* 1 when the kernel has soft-dirty. */
int soft_dirty_works(void);
/* Writes a number to /proc/PID/clear_refs. 0, or -1 with errno. */
int clear_refs(int pid, int what);
/* -f as asked or, if that costs nothing, by itself. */
int flush_wanted(void);
void flush_targets(void);

/* ---- probe.c ---- */

struct found {
	int works;
	char why[160];		/* the reason, or the caveats */
};
extern struct found backend_found[BACKEND_COUNT];
extern const char *const backend_names[BACKEND_COUNT];
void backend_probe_all(void);
int backend_probe_print(void);		/* the table; the exit code */
/* Chooses for idle.backend auto; dies when nothing can do it. */
void backend_probe_choose(void);
u64 lru_gen_enabled(void);	/* bits; 0 when off or absent */
/* A kdamond that runs: its pid, or 0. -1: one is set up. */
int kdamond_owner(void);

/* ---- taint.c ---- */

void taint_before(void);
unsigned taint_after(const struct sample *s);

/* ---- measure.c ---- */

extern struct col measure_cols[MEASURES_MAX];
extern unsigned measure_count;
void measure_parse(const char *list);	/* exits 2 */
void measure_take(struct sample *s);

/* ---- history.c: ages and reuse distances ---- */

enum { AGES_MAX = 16, DISTANCES = 40 };
void history_ages(const char *list);	/* exits 2 */
void history_open(u64 pages);
u64 history_memory(void);
void history_begin(u64 time);
void history_region(const struct mapping *r);
void history_run(u64 vpn, u64 count, enum page_state state);
void history_end(void);
void history_print(struct out *o);
void history_json(struct json *j);

/* ---- heat.c ---- */

void heat_open(u64 pages);
u64 heat_memory(void);
void heat_begin(u64 time);
void heat_region(const struct mapping *r);
void heat_run(u64 vpn, u64 count, enum page_state state);
void heat_region_end(const struct mapping *r);
void heat_end(void);

/* ---- heat_term.c, heat_png.c ---- */

void heat_print(struct out *o);
int heat_png(const char *path);	/* exit code */

/* ---- mit_write.c: FILE.mit, docs/formats.md ---- */

void mit_create(const char *path);
void mit_begin(const struct sample *s);
void mit_region(const struct mapping *r);
void mit_run(u64 vpn, u64 count, enum page_state state);
void mit_region_end(const struct mapping *r);
void mit_end(const struct sample *s);
int mit_close(int keep);	/* exit code */

/* ---- mit_read.c ---- */

/* From memory, without a message: NULL, or why these bytes are no trace; pages
 * is what the reports, which are to be opened then, make room for. */
const char *mit_open_bytes(const u8 *data, size_t n, u64 *pages);
/* Calls the emit functions for what mit_open_bytes opened; good becomes the
 * number of samples before the end. */
enum mit_end { MIT_WHOLE, MIT_CUT, MIT_IMPOSSIBLE };
enum mit_end mit_read_samples(u64 *good);
/* All of it; path is for messages. */
int mit_read_bytes(const u8 *data, size_t n, const char *path);
/* Calls the emit functions for every sample; the exit code (3: salvaged). */
int mit_read(const char *path);

/* ---- report.c ---- */

void idle_report_open(void);
void idle_report_sample(const struct sample *s);
int idle_report_close(void);		/* exit code */

/* ---- loop.c ---- */

int measure_run(void);		/* exit code */

/* ---- pause.c ---- */

enum { PAUSE_NONE, PAUSE_FREEZE, PAUSE_STOP };
void pause_targets(void);
void resume_targets(void);

#endif
