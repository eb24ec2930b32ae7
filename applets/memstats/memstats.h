/* memstats.h - what the parts of memstats share: processes, page classes,
 * filters, splits and groups. */
#ifndef MEMSTATS_H
#define MEMSTATS_H

#include "kern.h"
#include "view.h"

/* What a page is. Root classes have these numbers + 1. */
enum page_type {
	TYPE_ANON, TYPE_FILE,	/* file: page cache of a file system */
	TYPE_SHMEM,		/* tmpfs, memfd, shared anonymous memory */
	TYPE_SYSV,		/* System V segments, also a kind of shmem */
	TYPE_HUGETLB,		/* pages of the huge page pools */
	TYPE_SWAP,		/* a slot of a swap device */
	TYPE_COUNT
};

struct usage {
	u64 by[TYPE_COUNT];	/* bytes resident (or swapped), each page once */
	u64 uss, swap_uss;	/* bytes that nobody else has */
	u64 sysv_uss;		/* System V pages in uss (of groups only) */
	u64 pss, swap_pss;	/* bytes / 4096 of one: see PSS_SHIFT */
};
enum { PSS_SHIFT = 12 };
u64 usage_rss(const struct usage *u);

enum process_state {
	PROC_OK, PROC_VANISHED, PROC_DENIED, PROC_CHANGED,
	PROC_TRUNCATED,		/* a captured page map ends too early */
	PROC_NO_PAGES,		/* numbers are the kernel's smaps_rollup */
};
struct process {
	int pid, ppid, session;
	u32 uid;
	u32 task_flags;		/* PF_* */
	u8 state;		/* enum process_state */
	u8 shown;		/* passes --filter */
	char letter;		/* R S D Z.. */
	int oom_score, oom_adj;
	u64 starttime;
	u64 rss_pages;		/* as /proc/PID/stat says */
	u64 device;		/* pages mapped that are no RAM */
	u64 hidden;		/* pages whose number was not shown */
	s64 before;		/* PSS of the last sample, -1 = none */
	struct usage u;
	const char *comm;	/* NUL-ended, kept */
	const char *command;	/* its arguments joined by blanks, or [comm] */
};

/* ---- procs.c ---- */

struct procs {
	struct process *list;	/* by PID */
	u32 count, max;
	int want_oom;		/* read oom_score and oom_score_adj too */
};
extern struct procs procs;
extern struct arena strings;

/* Bytes that the tables of this many processes need. */
u64 procs_cost(u32 count, u32 splits);
u32 procs_now(void);		/* processes and kernel threads, about */
/* Sizes the tables; twice when a last sample is to be kept. */
void procs_open(int sampling);
/* Lists the processes: stat and status, no page. Kernel threads stay out. */
void procs_load(void);
struct process *proc_find(int pid);
/* Copies text into the string arena; "" when that is full (told once). */
const char *keep(const char *s, size_t n);
/* Reads one environment variable of a process: length, or -1. */
ssize_t proc_env(int pid, const char *key, char *buf, size_t size);
/* cmdline with NULs made blanks. */
ssize_t proc_cmdline(int pid, char *buf, size_t size);
extern struct cgroups cgroups;

/* ---- filter.c ---- */

enum { FILTER_NODES = 256 };
struct filter;			/* an expression that was parsed */
/* Parses text that holds one expression, or a list (many): each one's root is
 * given to add. On a fault prints it with a caret and exits 2. */
const struct filter *filter_parse(const char *opt, const char *text);
void filter_parse_list(const char *opt, const char *text,
	void (*add)(void *arg, const struct filter *f, const char *s, size_t n),
	void *arg);
int filter_match(const struct filter *f, const struct process *p);
/* A new sample: what was read of processes is old. */
void filter_forget(void);

/* ---- scan.c: pages to classes ---- */

struct class {
	u32 parent;		/* the class before proc was seen */
	u32 proc;		/* index in procs */
	u32 next;		/* of this class and the process being read */
	u32 count;		/* pages that are in this class now */
	u32 depth;		/* processes in it */
	u32 type;		/* enum page_type */
	/* Filled by scan_usage: classes are a tree, children after parents. */
	u32 sum;		/* pages in it and in all that grew out of it */
	u32 child, sibling;
	u64 share;		/* PSS of each of its processes, in all those */
};
enum { CLASS_NONE, CLASS_ROOTS = 1, CLASS_FIRST = 1 + TYPE_COUNT };
#define PROC_NOBODY (~0u)

struct scan {
	struct class *classes;
	u32 class_count, class_max;
	u64 ram_end;		/* PFNs below are RAM or holes in it */
	u64 limit;		/* ram_end + slots of swap */
	int wide;		/* classes of 32 bits */
	int two_bits;		/* no classes: see bits.c */
	int no_pages;		/* PFNs cannot be read: smaps_rollup only */
	u64 mem_limit;		/* bytes */
	u64 swap_lost;		/* entries of a swap device not listed */
	u32 vanished;		/* before their name was read */
	int cut;		/* not all processes were listed */
	int again;		/* the same processes once more */
	int progress;
	unsigned threads;
};
enum { THREADS_MAX = 16 };
extern struct scan scan;

/* ---- pass.c: all processes ---- */

/* Bytes needed on this machine, classes or two bits a page. */
u64 scan_cost(int two_bits, u32 split_total);
/* Sizes everything (scan.two_bits and scan.mem_limit are the caller's wish, 0 =
 * the default); tells when it takes the smaller mode; exits when it cannot. */
void scan_open(u32 split_total);
/* Reads the pages of every process in procs. */
void scan_run(void);
/* What the classes say of each process: fills procs.list[].u. */
void scan_usage(void);

/* ---- split.c: groups ---- */

enum split_kind {
	SPLIT_UID, SPLIT_ENV, SPLIT_PIDS, SPLIT_CUSTOM, SPLIT_COMM, SPLIT_EXE,
	SPLIT_CGROUP, SPLIT_CONTAINER, SPLIT_SESSION, SPLIT_TREE, SPLIT_ALL,
	SPLIT_INSTANCE,		/* databases: see instances.c */
};
enum { SPLITS_MAX = 16, SPLIT_RULES = 128 };
#define GROUP_NONE (~0u)

struct group {
	const char *name;	/* NULL: the variable is not set */
	const char *cgroup;	/* path, for rows of cgroups */
	u32 procs;
	u32 inside;		/* its classes above the one looked at */
	int partial;		/* some of its pages could not be read */
	u64 private;		/* sum of its processes' USS */
	u64 shm, shm_swap;	/* whole System V segments attached */
	s64 before;
	u32 chain;		/* hash chain: next group + 1 */
	struct usage u;
};
struct split {
	enum split_kind kind;
	char label[64];		/* "uid", "env:VAR", .. */
	char title[80];		/* stands above its table */
	const char *var;
	struct group *groups, *last;	/* last: of the sample before */
	u32 count, last_count;
	u32 *group_of;		/* by process */
	u32 *heads;		/* hash */
};
extern struct split splits[SPLITS_MAX];
extern unsigned split_count;

struct split *split_add(enum split_kind kind, const char *var);
/* -p A,B and -c EXPR: one more rule of the split of that kind. */
void split_add_pids(const char *list);
void split_add_custom(const char *list);
/* Sizes the tables, once, after procs_open. */
void splits_open(int sampling);
/* Puts each process that passes the filter (NULL: all) into its group in every
 * split (before scan_run, while the processes are there). */
void splits_assign(const struct filter *filter);
const char *container_id(const char *path);
/* Fills the groups from the classes (groups.c). */
void splits_usage(void);

/* ---- attach.c: which process has which System V segment ---- */

void attach_reset(void);
void attach_note(u32 proc, int id);
/* For every segment and group: adds its rss and swap once to each. */
void attach_groups(struct split *s);

/* ---- instances.c ---- */

enum { INSTANCES = 256 };
struct instance {
	const char *kind, *name, *home;
	int pid;		/* of the process that leads it */
	u32 uid;
	int by_name;
};
void instances_find(void);
u32 instances_count(void);
u32 instance_of(const struct process *p);	/* or GROUP_NONE */
int print_instances(struct out *o);
/* The value of an option among NUL-ended words of n bytes, with a NUL behind:
 * "-D X", "-DX", "--opt=X" or "--opt X". NULL: it is not there. */
const char *option_value(const char *args, size_t n, const char *option);

/* ---- run.c ---- */

struct run_result {
	int status;		/* exit status, 128 + signal; -1 = not run */
	u64 ns;
	char last[256];		/* the last line that it printed */
	size_t last_n;
	int line_done;
};
/* 0 when the command ended with 0; another, or a message, else. */
int run_as(const struct instance *in, const char *command, u64 timeout,
	struct run_result *r);

/* ---- memstats.c ---- */

int memstats_main(char **argv);

/* ---- print.c ---- */


struct print_opts {
	enum rows_format format;
	int bytes, extra, compat, sampling;
	const char *sort;
	u64 top;
	const char *run;	/* instances: a command for each */
	u64 timeout;		/* ns */
};
extern struct print_opts print;
void print_processes(struct out *o, const struct print_opts *p);
void print_groups(struct out *o, const struct print_opts *p);
/* Column names are checked before anything is scanned: exit 2. */
void check_sort_processes(const char *sort);
void check_sort_groups(const char *sort);
/* tmpfs.c, ram.c: write a report to o; 0, 3, or 1 after a message. */
int report_tmpfs(struct out *o);
int report_ram(struct out *o);
struct tmpfs_mount {
	u32 major, minor;
	char path[PATH_MAX];
	char huge[16];
	int noswap;
};
/* A line of mountinfo: 0, or -1 when it is of no tmpfs. */
int tmpfs_mount_parse(const char *line, struct tmpfs_mount *m);
void print_json_head(struct json *j);	/* opens the document */
/* What was skipped, on stderr. */
void print_notes(void);
int scan_complete(void);

#endif
