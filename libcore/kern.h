/* kern.h - one kernel interface per file, read as the kernel writes it.
 *
 * Nothing here prints, exits or calls malloc: results are return codes and
 * errno, memory is the caller's. So this floor is also what libmembox.a is
 * made of. Every path goes through --root (root_open).
 */
#ifndef MEMBOX_KERN_H
#define MEMBOX_KERN_H

#include "base.h"

/* ---- proc.c: processes ---- */

/* The names in an open directory, without "." and "..". */
struct dirs {
	int fd;
	int used, end;
	_Alignas(8) char buf[1024];
};
/* Takes over fd (closed by dirs_close); -1 when fd is -1. */
int dirs_open(struct dirs *d, int fd);
const char *dirs_next(struct dirs *d);	/* NULL at the end; till the next call */
void dirs_close(struct dirs *d);

/* Iterates over the processes in /proc, in the kernel's order. */
struct pids {
	struct dirs dir;
};
int pids_open(struct pids *p);			/* 0, or -1 with errno */
int pids_next(struct pids *p, int *pid);	/* 1, 0 at the end, -1 */
void pids_close(struct pids *p);

/* /proc/PID/NAME. A process that is gone: -1 with ENOENT or ESRCH. */
int proc_open(int pid, const char *name, int flags);
ssize_t proc_slurp(int pid, const char *name, char *buf, size_t size);
/* readlink; NUL-ended; length or -1. */
ssize_t proc_link(int pid, const char *name, char *buf, size_t size);

enum { COMM_MAX = 64, PF_KTHREAD_FLAG = 0x00200000 };
struct procstat {		/* /proc/PID/stat, proc(5) */
	int pid, ppid, pgrp, session;
	char state;
	char comm[COMM_MAX];	/* raw bytes, NUL-ended */
	u32 flags;		/* PF_*, include/linux/sched.h */
	u64 minflt, majflt;
	u64 utime, stime;	/* clock ticks */
	u64 starttime;		/* clock ticks after boot */
	u64 vsize;		/* bytes */
	u64 rss;		/* pages */
	u32 threads;
};
/* -1 with errno; EBADMSG when the text is not what proc(5) says. The parser
 * takes the last ')' of the line: comm may hold anything. */
int procstat_read(int pid, struct procstat *st);
int procstat_parse(const char *text, size_t n, struct procstat *st);
/* Value of "KEY:  123 kB" (bytes) or "KEY:  123" in the text of status,
 * meminfo, smaps_rollup..; -1 when there is no such line. */
int key_u64(const char *text, const char *key, u64 *v);
/* Real uid of a process. -1 with errno. */
int proc_uid(int pid, u32 *uid);

/* ---- maps.c: /proc/PID/maps and smaps ---- */

enum vma_perm {
	VMA_READ = 1, VMA_WRITE = 2, VMA_EXEC = 4, VMA_SHARED = 8,
};
struct vma {
	u64 start, end;		/* bytes, end exclusive */
	u64 offset;		/* in the file, bytes */
	u64 inode;
	u32 major, minor;
	u32 perm;		/* enum vma_perm */
	const char *path;	/* "" for none; "[heap]", "/x (deleted)"; \012
				 * stays as the kernel escapes it; valid until
				 * the next call */
	size_t path_len;
};
struct maps {
	struct lines lines;
	int fd;
	int held;		/* smaps: a line is read but not used */
	char *line;
	size_t len;
};
/* name is "maps" or "smaps"; buf is the caller's, 4 KiB or more (the kernel
 * cuts a path at 4096). 0, or -1 with errno. */
int maps_open(struct maps *m, int pid, const char *name, char *buf,
	size_t size);
/* Over an open descriptor (closed by maps_close). */
void maps_open_fd(struct maps *m, int fd, char *buf, size_t size);
/* 1, 0 at the end, -1 with errno (EBADMSG: not a maps line). Skips smaps
 * fields that were not taken. */
int maps_next(struct maps *m, struct vma *v);
/* smaps: the fields below the last VMA: 1 and key (NUL-ended), text (after the
 * blanks); 0 when the next VMA begins. Valid until the next call. */
int smaps_field(struct maps *m, const char **key, const char **text);
void maps_close(struct maps *m);
/* The next raw line into m->line and m->len: 1, 0 at the end, -1. With m->held
 * set it is the same line again. */
int maps_line(struct maps *m);
/* One maps line. 0 or -1. */
int vma_parse(char *line, size_t n, struct vma *v);

/* ---- region.c: what a VMA is for, and all that smaps says of it ---- */

enum region_type {
	REGION_HEAP, REGION_STACK, REGION_CODE, REGION_SHARED_LIB,
	REGION_MAPPED_FILE, REGION_ANONYMOUS, REGION_VDSO, REGION_VVAR,
	REGION_VSYSCALL, REGION_UNKNOWN, REGION_TYPES
};
/* "heap" "stack" "code" "shared_lib" "mapped_file" "anonymous" "vdso" "vvar"
 * "vsyscall" "unknown" */
extern const char *const region_type_names[REGION_TYPES];

/* The finer kind. THREAD_STACK (what lies above a small guard), BSS (what
 * follows a file's data) and JIT (anonymous, executable) are conclusions; the
 * others are told by the path or by VmFlags. */
enum region_kind {
	KIND_NONE, KIND_JIT, KIND_SHM, KIND_MEMFD, KIND_HUGETLB, KIND_DEVICE,
	KIND_THREAD_STACK, KIND_NAMED_ANON, KIND_SHARED_ANON, KIND_GUARD,
	KIND_BSS, KIND_DELETED, KIND_AIO, KIND_UPROBES, KIND_DMABUF,
	KIND_SOCKET, KIND_ANON_INODE, KIND_RESERVED, REGION_KINDS
};
/* "" "jit" "shm" "memfd" .. */
extern const char *const region_kind_names[REGION_KINDS];

enum smaps_key {	/* in the order of the file, Linux 6.18 */
	SMAPS_SIZE, SMAPS_KERNEL_PAGE, SMAPS_MMU_PAGE, SMAPS_RSS, SMAPS_PSS,
	SMAPS_PSS_DIRTY, SMAPS_SHARED_CLEAN, SMAPS_SHARED_DIRTY,
	SMAPS_PRIVATE_CLEAN, SMAPS_PRIVATE_DIRTY, SMAPS_REFERENCED,
	SMAPS_ANONYMOUS, SMAPS_KSM, SMAPS_LAZY_FREE, SMAPS_ANON_HUGE,
	SMAPS_SHMEM_PMD, SMAPS_FILE_PMD, SMAPS_SHARED_HUGETLB,
	SMAPS_PRIVATE_HUGETLB, SMAPS_SWAP, SMAPS_SWAP_PSS, SMAPS_LOCKED,
	SMAPS_THP_ELIGIBLE, SMAPS_PROTECTION_KEY, SMAPS_KEYS
};
/* "Size" "KernelPageSize" .. as the file writes them. */
extern const char *const smaps_key_names[SMAPS_KEYS];

enum { VM_FLAGS_MAX = 200, REGION_PATH_MAX = 4 * PATH_MAX };
struct region {
	struct vma vma;
	u8 type, kind;
	u32 seen;		/* 1 << key of the lines that were there */
	u64 kb[SMAPS_KEYS];	/* as the file says: kB, but for THP_ELIGIBLE
				 * (0, 1) and PROTECTION_KEY; 0 when not seen */
	char flags[VM_FLAGS_MAX];	/* "rd wr mr"; "" without smaps */
};
struct regions {
	struct maps maps;
	int smaps;
	u64 end;		/* of the region before, and what it was */
	u8 end_guard, end_data;
	u8 whole;		/* the last of all is read: the vsyscall page of
				 * a 64-bit process of x86 */
	char path[REGION_PATH_MAX];
};
/* Reads /proc/PID/smaps, or maps. buf is the caller's, 4 KiB or more, as in
 * maps_open. Too big for a stack. 0, or -1 with errno (EACCES, EPERM: denied;
 * ENOENT, ESRCH: gone). */
int regions_open(struct regions *r, int pid, int smaps, char *buf, size_t size);
/* Over an open descriptor of the file (closed by regions_close). */
void regions_open_fd(struct regions *r, int fd, int smaps, char *buf,
	size_t size);
/* 1, 0 at the end, -1 with errno. A process that ends while it is read ends
 * the list early: see whole and process_ended. vma.path is valid until the
 * next call. */
int regions_next(struct regions *r, struct region *g);
void regions_close(struct regions *r);
/* 1 when the process has no memory (any more): gone, zombie or kernel thread.
 * Always 0 under --root. */
int process_ended(int pid);

/* ---- pagemap.c: /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst) */

#define PM_PFN(e) ((e) & ((1ull << 55) - 1))	/* when present */
#define PM_SWAP_TYPE(e) ((e) & 31)		/* when swapped */
#define PM_SWAP_OFFSET(e) (((e) >> 5) & ((1ull << 50) - 1))
#define PM_SOFT_DIRTY (1ull << 55)
#define PM_EXCLUSIVE (1ull << 56)		/* mapped once, 4.2 */
#define PM_UFFD_WP (1ull << 57)			/* 5.13 */
#define PM_GUARD (1ull << 58)			/* 6.15 */
#define PM_FILE (1ull << 61)			/* file page or shared anon */
#define PM_SWAP (1ull << 62)
#define PM_PRESENT (1ull << 63)

/* Bytes of a page; set before main's first use by page_init. */
extern u64 page_size;
extern unsigned page_shift;
void page_init(void);

/* Reads entries for count pages from virtual page vpn: entries read (less than
 * count at the end of the address space), or -1 with errno. */
ssize_t pagemap_read(int fd, u64 vpn, u64 *entries, size_t count);

/* PAGEMAP_SCAN (6.7): a run of pages of one category. */
struct pagemap_region {
	u64 start, end;		/* bytes */
	u64 categories;		/* PAGE_IS_* */
};
#define PAGE_IS_WPALLOWED_ (1 << 0)
#define PAGE_IS_WRITTEN_ (1 << 1)
#define PAGE_IS_FILE_ (1 << 2)
#define PAGE_IS_PRESENT_ (1 << 3)
#define PAGE_IS_SWAPPED_ (1 << 4)
#define PAGE_IS_PFNZERO_ (1 << 5)
#define PAGE_IS_HUGE_ (1 << 6)
#define PAGE_IS_SOFT_DIRTY_ (1 << 7)
#define PAGE_IS_GUARD_ (1 << 8)
/* Runs with any bit of any_of in [*start, end), categories reported by
 * return_mask. Regions written (0 = none left); *start moves to where the walk
 * ended. -1 with errno (ENOTTY, EINVAL: the kernel has no PAGEMAP_SCAN). In a
 * captured tree the runs are where the file has data, of no category; ENODATA:
 * it ends before end. */
ssize_t pagemap_scan(int fd, u64 *start, u64 end, u64 any_of, u64 return_mask,
	struct pagemap_region *regions, size_t count);

/* ---- page.c: /proc/kpageflags, /proc/kpagecount ---- */

enum page_flag {	/* include/uapi/linux/kernel-page-flags.h */
	KPF_LOCKED, KPF_ERROR, KPF_REFERENCED, KPF_UPTODATE, KPF_DIRTY,
	KPF_LRU, KPF_ACTIVE, KPF_SLAB, KPF_WRITEBACK, KPF_RECLAIM, KPF_BUDDY,
	KPF_MMAP, KPF_ANON, KPF_SWAPCACHE, KPF_SWAPBACKED, KPF_COMPOUND_HEAD,
	KPF_COMPOUND_TAIL, KPF_HUGE, KPF_UNEVICTABLE, KPF_HWPOISON, KPF_NOPAGE,
	KPF_KSM, KPF_THP, KPF_OFFLINE, KPF_ZERO_PAGE, KPF_IDLE, KPF_PGTABLE,
	/* kernel-internal, shown when CONFIG allows */
	KPF_RESERVED = 32, KPF_MLOCKED, KPF_OWNER_2, KPF_PRIVATE,
	KPF_PRIVATE_2, KPF_OWNER_PRIVATE, KPF_ARCH, KPF_UNCACHED,
	KPF_SOFTDIRTY, KPF_ARCH_2, KPF_ARCH_3,
	KPF_COUNT
};
#define KPF(name) (1ull << KPF_##name)
/* Names of the field ("locked", "thp", ..); NULL for a bit without one. */
extern const char *const page_flag_names[KPF_COUNT];
/* Reads count u64 entries from pfn of an open kpageflags, kpagecount or
 * kpagecgroup: entries read, short at the end of RAM; -1 with errno. */
ssize_t kpage_read(int fd, u64 pfn, u64 *entries, size_t count);

/* ---- iomem.c: physical ranges ---- */

struct range {
	u64 start, end;		/* bytes, end exclusive */
};
/* System RAM of /proc/iomem: "System RAM", also nested ones and those with a
 * "(driver)" suffix; ends made exclusive; sorted; adjacent and overlapping
 * ranges merged, not rounded. Ranges found (at most max), or -1: EPERM when all
 * addresses read as zero (no CAP_SYS_ADMIN), ENOSPC when max is too small,
 * EBADMSG on a line that is not of the file's form, else open's errno. */
int iomem_ram(struct range *r, int max);
/* The same for any name ("Kernel code"). */
int iomem_named(const char *name, struct range *r, int max);
enum { IOMEM_RANGES = 1024 };
/* Sorts and merges what overlaps or touches; ranges left. */
int ranges_merge(struct range *r, int n);

/* ---- core.c: memory as 64-bit little-endian ELF (kcore, vmcore, cores) ---- */

struct core {
	int fd;
	u16 type, machine;
	u32 phnum;
	u64 phoff;
};
struct core_segment {		/* a program header */
	u32 type;		/* PT_LOAD, PT_NOTE, .. */
	u64 offset, vaddr, paddr, filesz, memsz;
};
/* Reads the file's header by pread (kcore knows no end). -1 with errno: EBADMSG
 * when it is no ELF or its header is broken, ENOTSUP when it is another kind of
 * ELF. fd stays the caller's. */
int core_open(struct core *e, int fd);
/* Program header i < phnum; offset + filesz fits off_t then. 0 or -1. */
int core_segment(const struct core *e, u32 i, struct core_segment *s);

struct core_notes {
	int fd;
	u64 offset, left;
};
struct core_note {
	u32 type;
	char name[24];		/* cut, NUL-ended */
	u64 offset, size;	/* the description, in the file */
	u64 start, end;		/* the whole note with its padding */
};
/* The notes in size bytes at offset. */
void core_notes(struct core_notes *n, int fd, u64 offset, u64 size);
/* 1, 0 at the end, -1 with errno (EBADMSG: a note passes the end). */
int core_note_next(struct core_notes *n, struct core_note *note);

/* ---- sysv.c: /proc/sysvipc/shm ---- */

struct shm_segment {
	u32 key;
	int id;
	u32 mode;		/* permission bits and SHM_DEST 01000, SHM_LOCKED
				 * 02000 */
	u64 size, rss, swap;	/* bytes, as the file says */
	int cpid, lpid;
	u64 nattch;
	u32 uid, gid, cuid, cgid;
	s64 atime, dtime, ctime;
};
struct shms {
	struct lines lines;
	int fd;
	char buf[1024];
};
int shms_open(struct shms *s);			/* 0, or -1 with errno */
int shms_next(struct shms *s, struct shm_segment *seg);	/* 1, 0, -1 */
void shms_close(struct shms *s);
/* One line of the file. 0, or -1 when it is malformed. */
int shm_parse(const char *line, struct shm_segment *seg);
/* rss, divided where the kernel counts huge pages several hundred times. */
u64 shm_rss(const struct shm_segment *seg);
/* 1 and the segment's id when a mapping is of System V shared memory: its path
 * is "/SYSV<key> (deleted)" and its inode is the id. */
int shm_vma(const struct vma *v, int *id);

/* ---- shmem.c: memory that is kept as files ---- */

/* Minor device number (major 0) of the kernel's own mount where segments,
 * memfds and shared anonymous memory live; 1 when it cannot be asked. */
u32 shmem_minor(void);
/* Pages of an open file that are in the page cache, and that were there and
 * are gone (of shmem: in swap). 0, or -1: Linux < 6.5, or a huge page pool's
 * file. */
int file_cached(int fd, u64 *cached, u64 *evicted);

/* ---- cgroup.c: control groups ---- */

struct cgroups {
	char mount[256];	/* where the hierarchy is mounted */
	int v1;			/* memory controller of version 1 */
};
/* Finds the hierarchy that accounts memory: version 1's where it is mounted,
 * else version 2. 0, or -1 (ENOENT: none is mounted; the struct may be used
 * with cgroup_of all the same). */
int cgroups_open(struct cgroups *c);
/* Path of a process's cgroup in that hierarchy, "/" first, NUL-ended; its
 * length, or -1 with errno. size <= PATH_MAX is cut to fit. */
ssize_t cgroup_of(const struct cgroups *c, int pid, char *path, size_t size);
/* Opens a file of a cgroup for reading: fd or -1. */
int cgroup_open(const struct cgroups *c, const char *path, const char *file);

#define CGROUP_NONE (~0ull)
struct cgroup_memory {		/* CGROUP_NONE: no limit, or not known */
	u64 current, max;	/* bytes */
	u64 oom, oom_kill;	/* times; v1's oom is 1 while it is so */
};
/* 0, or -1 with errno when even current is not there (the root has none). */
int cgroup_memory(const struct cgroups *c, const char *path,
	struct cgroup_memory *m);

/* The processes of one cgroup, without those of its children. */
struct cgroup_pids {
	struct lines lines;
	int fd;
	char buf[512];
};
int cgroup_pids_open(struct cgroup_pids *p, const struct cgroups *c,
	const char *path);			/* 0, or -1 with errno */
int cgroup_pids_next(struct cgroup_pids *p, int *pid);	/* 1, 0, -1 */
void cgroup_pids_close(struct cgroup_pids *p);

/* ---- tracefs.c: /sys/kernel/tracing (Documentation/trace/ftrace.rst) ---- */

/* The directory of tracefs: where it is mounted already, else a mount of its
 * own that no path leads to (fsopen, 5.2) and that goes with the descriptor,
 * else mounted on /sys/kernel/tracing. An O_PATH descriptor, or -1 with errno:
 * EPERM (not root, or lockdown=confidentiality), ENODEV (no CONFIG_TRACING). */
int tracefs_open(void);
/* Files below a directory. Text written in one write(2); 0, or -1 with errno.
 * at_slurp as fd_slurp. */
int at_write(int dir, const char *path, const char *text);
ssize_t at_slurp(int dir, const char *path, char *buf, size_t size);
/* Removes DIR/instances/PREFIX.N whose process N is gone; how many. An
 * instance in use is not removed (EBUSY). */
int tracefs_sweep(int dir, const char *prefix);
/* Calls each(arg, N) for each entry "cpuN" of the directory per_cpu of an
 * instance, in no order. 0, or -1 with errno. */
int tracefs_cpus(int instance, void (*each)(void *arg, unsigned cpu),
	void *arg);

struct trace_field {
	u16 offset, size;	/* bytes; size 0 = the kernel has no such field */
	u8 loc;			/* __data_loc: u16 offset, u16 length */
};
/* Reads an event's "format" text. Fields are looked up by name (the word before
 * "[..];"); those not found have size 0. Returns the event's id (> 0), or -1
 * with EBADMSG when the text has no ID or a field that cannot be. */
int trace_format(const char *text, const char *const *names,
	struct trace_field *fields, unsigned count);
/* The value of an integer field of a record of n bytes; 0 when it does not lie
 * within. */
u64 trace_value(const struct trace_field *f, const u8 *record, size_t n);
/* A text field (char array or __data_loc): its start, *len without the NUL;
 * NULL when it does not lie within the record. */
const char *trace_text(const struct trace_field *f, const u8 *record, size_t n,
	size_t *len);

/* ---- ring.c: sub-buffers of trace_pipe_raw (kernel/trace/ring_buffer.c) ---- */

struct ring_layout {		/* events/header_page */
	u16 commit, data;	/* offsets in the sub-buffer */
	u8 commit_size;
	u32 size;		/* bytes of a whole sub-buffer */
};
enum { RING_SUBBUF_MAX = 64 * 1024 };
/* 0, or -1 with EBADMSG. */
int ring_layout(const char *text, struct ring_layout *l);

struct ring {
	const u8 *data;
	u32 used, at;		/* bytes of data, of them read */
	u64 ts;			/* time of the last event given */
	u64 lost;		/* records lost before this sub-buffer, if told */
	int missed;		/* some were lost before it */
};
struct ring_event {
	u64 ts;			/* in the trace clock */
	const u8 *data;		/* the record, 4-byte aligned; in the page */
	u32 size;		/* bytes; up to 3 of padding included */
};
/* n bytes as read(2) gave them; they must stay. 0, or -1 with EBADMSG (torn). */
int ring_open(struct ring *r, const struct ring_layout *l, const void *page,
	size_t n);
/* 1, 0 at the end, -1 with EBADMSG: the rest is not a sub-buffer's. */
int ring_next(struct ring *r, struct ring_event *e);

/* ---- kallsyms.c: /proc/kallsyms ---- */

struct ksym {
	u64 addr;		/* 0: hidden by kptr_restrict */
	char type;		/* as nm(1) */
	const char *name;	/* NUL-ended; valid until the next call */
	const char *module;	/* "" = the kernel itself */
};
struct ksyms {
	struct lines lines;
	int fd;
};
/* buf is the caller's, 4 KiB or more. 0, or -1 with errno. */
int ksyms_open(struct ksyms *k, char *buf, size_t size);
int ksyms_next(struct ksyms *k, struct ksym *s);	/* 1, 0, -1 */
void ksyms_close(struct ksyms *k);
/* One line, which is cut into its words. 0 or -1. */
int ksym_parse(char *line, struct ksym *s);

#endif
