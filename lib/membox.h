/* membox.h - libmembox: regions of a process, snapshots, a sampler, and
 * physical memory as a stream.
 *
 * Nothing here prints, exits or changes signals. Functions that return a
 * pointer return NULL, those that return int -1, with errno, when they fail:
 * EACCES, EPERM denied; ENOENT, ESRCH gone. Memory is the library's own
 * (mmap), given back by the matching free or close. Objects may be used by one
 * thread at a time, different ones by different threads at once; a sampler by
 * any thread.
 *
 * Link with -lmembox -pthread (pkg-config --libs membox).
 */
#ifndef MEMBOX_H
#define MEMBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Reads /proc and /sys below this directory from now on (an unpacked
 * memmaps --snapshot), for the whole process; "/" is this machine again. The
 * string must stay. 0 or -1. */
int membox_root(const char *directory);

/* ---- regions ---- */

enum { MEMBOX_SMAPS = 1 };	/* read smaps: with sizes of what is resident */

struct membox_region {
	uint64_t start, end;	/* bytes; end exclusive */
	uint64_t offset, inode;	/* of the file */
	uint32_t major, minor;
	char perm[5];		/* "rw-p" */
	uint8_t has_smaps;	/* those below are known; else 0 */
	const char *type;	/* "heap", "stack", "code", "shared_lib",
				 * "mapped_file", "anonymous", "vdso", "vvar",
				 * "vsyscall", "unknown" */
	const char *subtype;	/* "", "jit", "shm", "memfd", .. */
	const char *path;	/* "" for none; any bytes but NUL */
	uint64_t rss, pss, pss_dirty, swap, swap_pss;		/* bytes */
	uint64_t shared_clean, shared_dirty, private_clean, private_dirty;
	uint64_t referenced, anonymous, ksm, lazy_free, locked;
	uint64_t anon_huge, shmem_huge, file_huge;
	uint64_t shared_hugetlb, private_hugetlb, kernel_page_size;
};

/* One region after the other. */
struct membox_regions;
struct membox_regions *membox_regions_open(int pid, int flags);
/* 1; 0 at the end; -1. path is valid until the next call. */
int membox_regions_next(struct membox_regions *r,
	struct membox_region *region);
void membox_regions_close(struct membox_regions *r);

/* ---- snapshots ---- */

struct membox_snapshot {
	int pid;
	int64_t timestamp_ms;	/* since 1970 */
	uint64_t total_rss;	/* bytes: with MEMBOX_SMAPS the regions' sum,
				 * else what stat says */
	uint64_t total_vsize;
	size_t count;
	const struct membox_region *regions;	/* by address */
};
struct membox_snapshot *membox_snapshot_take(int pid, int flags);
void membox_snapshot_free(struct membox_snapshot *s);

/* ---- sampler: a thread that takes snapshots ---- */

struct membox_sampler_options {
	int pid;
	int flags;
	unsigned interval_ms;	/* > 0; from begin to begin */
	size_t keep;		/* the last snapshots kept, at least 1 */
	/* Called in the sampler's thread for each, the first included; may be
	 * NULL. It may call the functions below but stop. */
	void (*callback)(void *arg, const struct membox_snapshot *s);
	void *arg;
};
struct membox_sampler;
struct membox_sampler *membox_sampler_start(
	const struct membox_sampler_options *options);
/* 1 while it samples; 0 when the process has ended, or could not be read: then
 * *error, unless NULL, has the errno. */
int membox_sampler_running(struct membox_sampler *s, int *error);
/* Snapshots taken since the start. */
uint64_t membox_sampler_count(struct membox_sampler *s);
/* A copy of one of those kept, 0 = the latest; NULL with ENOENT when there is
 * none. To be freed by membox_snapshot_free. */
struct membox_snapshot *membox_sampler_get(struct membox_sampler *s,
	size_t age);
/* Ends the thread, waits for it, frees all. Not from the callback. */
void membox_sampler_stop(struct membox_sampler *s);

/* ---- physical memory as a stream ---- */

enum { MEMBOX_HEADER_MAX = 256 };

struct membox_memory_options {
	/* "/proc/kcore", "/dev/crash", "/dev/mem"; NULL: the first of them that
	 * can be read. kcore as it is since Linux 4.11. */
	const char *source;
	/* Called before the first page of each range of RAM (addresses in
	 * bytes, end exclusive, whole pages): writes at most MEMBOX_HEADER_MAX
	 * bytes, that the stream shall have there, and returns how many. NULL:
	 * no headers. */
	size_t (*header)(void *arg, uint64_t start, uint64_t end,
		unsigned char *out);
	/* Called for each page: may change its bytes; 0 leaves it out. hole is
	 * 1 when it could not be read and is all zeros. NULL: all pages. */
	int (*page)(void *arg, uint64_t address, unsigned char *page,
		size_t size, int hole);
	void *arg;
};
struct membox_memory;
struct membox_memory *membox_memory_open(
	const struct membox_memory_options *options);
/* Headers and pages in the order of address, as read(2): bytes; 0 at the end;
 * -1. */
ssize_t membox_memory_read(struct membox_memory *m, void *buf, size_t n);
/* Bytes of RAM in the source; bytes of pages that could not be read so far. */
uint64_t membox_memory_size(const struct membox_memory *m);
uint64_t membox_memory_holes(const struct membox_memory *m);
void membox_memory_close(struct membox_memory *m);

#ifdef __cplusplus
}
#endif

#endif
