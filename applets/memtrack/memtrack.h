/* memtrack.h - the rooms of memtrack, in the order in which data goes through:
 *
 *	trace -> decode -> task, module -> acct -> tree -> report, json, tui
 *
 * trace reads the rings and merges them by time, decode pairs stacks with
 * their events, task and module say whose an event is, acct counts. page_owner
 * (owner) feeds acct from a file. All state is static: one run a process. What
 * a few files alone share is in run.h, trace.h, report.h and tui.h.
 */
#ifndef MEMTRACK_H
#define MEMTRACK_H

#include "kern.h"
#include "view.h"

/* Pages now, at the worst moment, and that moment (ns of the trace clock). */
struct use {
	u64 live, peak, peak_ts;
};

/* ---- acct.c: what is counted ---- */

enum {
	FRAMES_MAX = 96,	/* of a stack; the outermost are cut off */
	STACK_NONE = 0,		/* the event came without a stack */
	STACK_OWN = 1,		/* a module's own size, no event */
};
enum stack_flags {
	STACK_LOADS = 1,	/* load_module is on it */
	STACK_INITS = 2,	/* do_init_module is on it */
	STACK_VMALLOC = 4,	/* pages or area of a vmalloc */
};
struct stack {
	u32 at;			/* its frames in the arena */
	u16 frames;
	u8 flags;
	u8 held;		/* some leaf has it (during a collection) */
	u32 hash, next;
	u32 live, peak, peak_ms;	/* pages; ms since the first event */
	u32 epoch;		/* of the module table when .module was right */
	u16 module;
};
/* What one task holds for one module by one stack: what a page's entry in the
 * page table names. */
struct leaf {
	u32 stack, next;
	u16 task, module;
	u32 live, peak, peak_ms;
};
struct counts {
	u64 allocs, frees;	/* events */
	u64 records;		/* all that was read */
	u64 failed;		/* allocations the kernel could not serve */
	u64 unknown_frees;	/* of pages that were there before, in pages */
	u64 implied_frees;	/* pages allocated again without a free */
	u64 beyond;		/* pages with a PFN beyond the table */
	u64 no_stack;		/* allocations whose stack is missing */
	u64 stray_stacks;
	u64 cut_stacks;		/* deeper than FRAMES_MAX */
	u64 cut_user;		/* user frames outside of executable maps */
	u64 torn;		/* sub-buffers that make no sense */
	u64 lost_pages;		/* sub-buffers before which records were lost */
	u64 lost;		/* records the kernel dropped */
	u64 by_vmalloc;		/* pages that their vmalloc area stands for */
	u64 dropped_paths;	/* call paths forgotten to make room */
	u64 overflow;		/* allocations charged to no task or path */
	u64 bad_records;	/* too short for their type */
};
extern struct counts counts;
extern struct use total;
extern u64 first_ts, last_ts;	/* of the events counted */

/* Tables for so many distinct stacks and twice as many (task, module, stack),
 * and pfns pages. Memory is touched as it is used. Exits on failure. */
void acct_open(u32 stacks, u64 pfns);
u64 acct_bytes(void);		/* of the tables, when full; no page table */
/* Makes room if there is none: forgets what holds no pages, small peaks first.
 * Ids gotten before are void afterwards. */
void acct_room(void);
/* The id of a stack, innermost frame first; STACK_NONE when full. */
u32 acct_stack(const u64 *frames, unsigned n);
const struct stack *stack_at(u32 id);
struct stack *stack_edit(u32 id);
const u64 *stack_frames(const struct stack *s);
u32 acct_leaf(u32 task, u32 module, u32 stack);	/* never fails */
const struct leaf *leaf_at(u32 id);	/* NULL: not in use */
u32 leaf_count(void);			/* ids are 1 .. count-1 */
void leaf_add(u32 leaf, u64 pages, u64 ts);
void leaf_sub(u32 leaf, u64 pages);
/* All leaves of module from become module to's. */
void acct_move(u32 from, u32 to);
u32 ts_ms(u64 ts);			/* since first_ts */

/* ---- pages.c: the page table ---- */

void pages_open(u64 pfns);		/* by acct_open; exits on failure */
u64 acct_page_bytes(void);		/* its resident bytes */
/* 2^order pages from pfn now belong to the leaf. */
void acct_alloc(u32 leaf, u64 pfn, unsigned order, u64 ts);
void acct_free(u64 pfn, unsigned order);
int acct_holds(u64 pfn);		/* the page has an owner */

/* ---- task.c ---- */

enum { TASK_OTHER = 0, TASK_NAME = 104 };
struct task {
	int pid;		/* the process, or with --threads the thread */
	u8 exited, held, named;
	u16 name_len;
	char name[TASK_NAME];	/* command line, or [comm]; raw bytes */
	struct use use;
};
void task_open(int threads);
u32 task_of(int tid);		/* the task of a thread: its index */
struct task *task_at(u32 index);	/* NULL: not in use */
u32 task_count(void);
int task_full(void);
void task_collect(void);	/* frees what is exited, empty and not held */
void task_new(int parent, int tid, u64 clone_flags, const char *comm,
	size_t n);
void task_rename(int tid, const char *comm, size_t n);
void task_exec(int tid, const char *file, size_t n);
void task_exit(int tid, const char *comm, size_t n);
/* For page_owner: a task of that pid and name. */
u32 task_named(int pid, const char *name, size_t n);

/* ---- module.c ---- */

enum { MODULE_KERNEL = 0, MODULE_NAME = 56 };
struct module {
	char name[MODULE_NAME];	/* "" = being loaded by tid, not yet named */
	int tid;
	u64 base, end;		/* its text; 0 = not loaded */
	u64 size;		/* /proc/modules, bytes */
	u64 text;		/* pages of it that events told of */
	u64 own;		/* pages of it that no event told of */
	u32 own_task;
	u8 tracked;		/* loaded while tracing: its own size counts */
	struct use use;
};
void module_open(void);
struct module *module_at(u32 index);
u32 module_count(void);
/* Whose an allocation by tid on this stack is. */
u32 module_of(struct stack *s, int tid);
u32 module_by_address(u64 addr);	/* MODULE_KERNEL: in none */
u32 module_named(const char *name, size_t n);	/* makes it */
void module_loaded(int tid, const char *name, size_t n);
void module_freed(const char *name, size_t n);
void module_refresh(void);	/* /proc/modules again */

/* ---- syms.c: addresses and names ---- */

/* Frames that are no kernel address. */
#define FRAME_TEXT (1ull << 61)		/* | offset of its name: page_owner */
#define FRAME_USER (1ull << 62)		/* | file << 40 | offset in the file */
#define FRAME_KIND (7ull << 61)
#define FRAME_OWN FRAME_TEXT		/* the name at offset 0 */

struct sym {
	u64 addr;
	u32 name, module;	/* their texts; 0 = not known */
};
void syms_open(void);
u32 syms_put(const char *s, size_t n);	/* keeps a text; 0 = no room */
const char *syms_text(u32 at);
/* Finds the names of all frames in the stacks that are not known yet. */
void syms_resolve(void);
/* "func (0xffffffff81000000)", "func module (0x..)"; in buf. */
const char *sym_name(u64 frame, char *buf, size_t size);
/* Names what will be gone when a report asks: an init function's address, or
 * all frames in the text of a module that goes. */
void syms_learn_init(const struct stack *s, u32 module);
void syms_learn_module(u32 module);
u64 syms_intern(const char *s, size_t n);	/* a FRAME_TEXT frame */

/* ---- classify.c: what a stack is about ---- */

/* The places of the functions that classify a stack: one pass over kallsyms.
 * 0, or -1: no symbols (said once). */
int syms_classify(void);
unsigned frames_skip(const u64 *frames, unsigned n);	/* the tracer's own */
u8 frames_flags(const u64 *frames, unsigned n);
int frames_classified(void);	/* where the kernel's text lies is known */
int frame_is_kernel(u64 addr);	/* in that text, outside of modules */
int frame_inits(u64 addr);	/* in do_init_module */

/* ---- vmap.c: vmalloc areas ---- */

void vmap_open(void);		/* notes /proc/vmallocinfo as it is now */
void vmap_alloc(u64 addr, u32 leaf, u64 pages, u64 ts);
void vmap_free(u64 addr);
void vmap_refresh(void);	/* what /proc/vmallocinfo says now */
/* Each area of /proc/vmallocinfo; caller is NUL-ended, pages 0 for what is only
 * mapped. 0, or -1. */
int vmap_areas(void (*each)(u64 start, u64 end, u64 area_pages,
	const char *caller));
s64 vmap_grown(void);		/* pages, all callers, since vmap_open */
struct vmap_caller {
	char name[72];
	u64 before, now;	/* pages */
};
const struct vmap_caller *vmap_caller(u32 i);	/* NULL after the last */

/* ---- user.c: user call chains ---- */

/* Makes stable frames of a process's addresses; how many it could. */
unsigned user_frames(int tgid, const u64 *addrs, unsigned n, u64 *frames);
void user_exec(int tgid);	/* its maps are new */
void user_resolve(struct sym *v, u32 n);	/* sorted by address */
const char *user_sym(u64 frame, const struct sym *s, char *buf, size_t size);

/* ---- decode.c: records of one CPU, in its order ---- */

enum { PENDING_MAX = 8 };
struct pending {		/* an event whose stack is to come */
	u64 ts, a, b;		/* pfn, order; or address, bytes */
	int tid;
	u8 context, kind, users;
	u16 size;
	int tgid;
	u64 user[8];
};
struct decoder {
	struct pending pending[PENDING_MAX];
	unsigned depth;
};
enum kind {
	EVENT_NONE, EVENT_ALLOC, EVENT_FREE, EVENT_STACK, EVENT_USER, EVENT_LOAD,
	EVENT_UNLOAD, EVENT_EXEC, EVENT_EXIT, EVENT_NEW, EVENT_RENAME, EVENT_VALLOC,
	EVENT_VFREE, EVENT_HOLD, EVENT_COUNT
};
struct event_type {
	const char *path;	/* below events/ */
	u8 kind;
	u8 needed;		/* no tracing without it */
	u8 stacks;		/* with a stack trigger */
	const char *names[3];	/* of the fields used */
};
extern const struct event_type event_types[];	/* ends with .path NULL */
/* The format text of a type's event: 0, or -1 (a needed field is missing,
 * *field names it). */
int decode_format(const struct event_type *t, const char *text,
	const char **field);
int decode_has(enum kind kind);
void decode_reset(void);
void decode_record(struct decoder *d, const struct ring_event *e);
/* Records were lost, or the end: what waits for its stack has none. */
void decode_flush(struct decoder *d);

/* ---- trace.c, trace_rings.c: the instance and its rings ---- */

struct trace_options {
	u64 buffer;		/* bytes per CPU */
	const char *adopt;	/* an instance that is there, or NULL */
	int user_stacks;
};
/* The instance and its rings, not tracing yet; exits on failure. */
void trace_open(const struct trace_options *o);
void trace_start(const struct trace_options *o);	/* exits on failure */
/* Waits for records, at most ms; applies all that is older than a moment. */
void trace_poll(int ms);
void trace_stop(void);		/* no more events; applies all there are */
void trace_close(void);		/* removes the instance */
void trace_count_lost(void);	/* counts.lost */
u64 trace_cpu_ns(void);		/* spent on reading and counting */
u64 trace_ring_bytes(void);
u64 trace_kernel_bytes(void);	/* slab that the instance took, about */
int trace_is_on(void);

/* ---- owner.c: page_owner ---- */

int owner_read(const char *file, int threads);	/* NULL = the kernel's; 0 or
						 * exit code */
void owner_parse(int fd, int threads);

/* ---- tree.c: call trees out of leaves ---- */

enum sort_key { SORT_ALLOC, SORT_PEAK };
struct node {
	u64 frame;
	u64 live, peak;		/* pages; peak of an inner node: the sum of its
				 * leaves', at most its root's */
	u32 child, sibling;	/* 0 = none */
};
/* The tree of a task's or a module's leaves; its root is node 1. Valid until
 * the next tree_build. */
enum tree_of { TREE_TASK, TREE_MODULE };
void tree_build(enum tree_of of, u32 index, enum sort_key key);
const struct node *tree_node(u32 id);

/* ---- report.c, report_choose.c, report_summary.c ---- */

enum report_type {
	REPORT_SUMMARY, REPORT_MODULE_SUMMARY, REPORT_MODULE_TOP,
	REPORT_TASK_SUMMARY, REPORT_TASK_TOP, REPORT_TASK_TOP_JSON,
	REPORT_SLAB, REPORT_VMALLOC, REPORT_TYPES
};
struct report {
	u8 type, key, own_throttle, own_top;
	u32 throttle;		/* percent; 0 or 100 = all */
	u32 top;		/* 0 = all */
};
enum { REPORTS_MAX = 32 };
extern struct report reports[REPORTS_MAX];
extern unsigned report_count;
void report_parse(const char *list);	/* adds; exits 2 */
/* The default reports, and the default throttle (-1: none was given). */
void report_defaults(int throttle);
/* What all reports need anew: module sizes, vmallocinfo, names, lost counts. */
void report_prepare(void);
void report_print(struct out *o);
void report_kmsg(void);
/* Sorts indices of tasks (or modules) that hold or held pages; how many. */
u32 report_sorted(enum tree_of of, enum sort_key key, u32 *index, u32 max);
/* The same, cut as the report asks for it. */
u32 report_choose(const struct report *r, enum tree_of of, u32 *index,
	u32 max);
/* The name of a task or module; *n bytes, raw. */
const char *report_name(enum tree_of of, u32 index, size_t *n);
const struct use *report_use(enum tree_of of, u32 index);
int report_wants(enum report_type type);
/* Pages of vmalloc that neither events nor module sizes account for. */
u64 report_unseen(void);
u64 report_resident(void);	/* bytes of this process */

/* ---- json.c: one document, on one line when it is one of many ---- */

void json_report(struct out *o, int lines);
/* memstrack's task_top_json, with its keys. */
void json_tasks(struct out *o, const struct report *r);

/* ---- slab.c ---- */

struct slab_cache {
	char name[48];
	u64 bytes;
};
u32 slab_read(struct slab_cache *caches, u32 max);	/* sorted, biggest first */

int memtrack_main(char **argv);

/* ---- tui.c ---- */

void tui_run(u64 duration);	/* until q, a signal, or duration (ns) */

#endif
