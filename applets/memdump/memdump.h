/* memdump.h - what memdump's files share. The way of a page:
 * source -> image -> codec -> digest -> sink. */
#ifndef MEMDUMP_H
#define MEMDUMP_H

#include "flow.h"
#include "kern.h"
#include "view.h"

int memdump_main(char **argv);

/* e_machine of what runs here. */
#if defined(__aarch64__)
enum { HOST_MACHINE = 183 };	/* EM_AARCH64 */
#else
enum { HOST_MACHINE = 62 };	/* EM_X86_64 */
#endif

#define KERNEL_MAP 0xffffffff80000000ull	/* x86-64: __START_KERNEL_map */

/* ---- source.c and source_*.c: where RAM is read from ---- */

enum {
	SEGMENTS = 4096,	/* most PT_LOADs looked at */
	EXTENTS = 4096,		/* most pieces of RAM of one source */
	HOLES = 1024,		/* most unread ranges listed; all are counted */
	SELECTED = 64,		/* most --range options */
	INFO_MAX = 64 * 1024,	/* VMCOREINFO: one page of the kernel's */
};

/* A piece of physical memory as the source has it. */
struct extent {
	u64 start, end;		/* physical, end exclusive */
	u64 offset;		/* of start in the source */
	u64 vaddr;		/* of start in the direct map, 0 = not known */
};
struct hole {
	u64 start, end;		/* physical, whole pages */
	int error;		/* errno; 0 = the source ended */
};
struct source {
	const char *name;	/* "/proc/kcore", or the file's */
	const char *kind;	/* "kcore" "crash" "mem" "raw" "elf" */
	int fd;
	int live;		/* the running machine, or its tree */
	u16 machine;		/* e_machine of ELF */
	unsigned extents;
	struct extent *extent;	/* by address, disjoint */
	u64 bytes;		/* of all extents */
	/* RAM that the source should have, and has not. */
	unsigned lost;
	struct range *lost_range;
	u64 lost_bytes;
	/* Kernel text: a second address of RAM. size 0: not known. */
	struct extent text;
	/* Notes of a core file, to be copied as they are; size 0: none. */
	u64 notes_offset, notes_size;
	char *info;		/* VMCOREINFO, NUL-ended; "" = none */
	size_t info_size;
	/* Pages that could not be read. */
	unsigned holes;
	struct hole *hole;
	u64 hole_pages;
	char why[400];		/* of a refusal */
};

/* wanted: NULL (the first of kcore, crash, mem that works), one of these names
 * or its path, or an image file. Says why nothing works; with verbose > 0 why
 * each was not taken, with -1 nothing. 0 or -1. */
int source_open(struct source *s, const char *wanted, int verbose);
/* Cuts the extents down to the selected ranges (sorted, disjoint). */
void source_select(struct source *s, const struct range *r, int n);
/* Reads [pos, pos + n) of extent e; what cannot be read becomes zeros and a
 * hole. n is whole pages, or the extent's end. */
void source_read(struct source *s, const struct extent *e, u64 pos, u8 *buf,
	size_t n);

/* Bytes of RAM that the kernel took out of use; kcore gives zeros for them. */
u64 source_corrupted(void);

/* For source_*.c: writes s->why, returns -1. */
int source_refuse(struct source *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The cause of a failed open or read of a device: names lockdown and the
 * capability where they are to blame. */
int source_denied(struct source *s, int error, const char *lockdown);
/* RAM by iomem, whole pages, into IOMEM_RANGES ranges: count, or -1 and why. */
int source_ram(struct source *s, struct range *r);
/* Rounds to the pages inside; 0 when there is none. */
int whole_pages(u64 *start, u64 *end);
/* extents = the RAM that is found in the segments; the rest is lost. */
int source_map(struct source *s, const struct range *ram, int nram,
	const struct extent *seg, unsigned nseg);
/* 0 when some page can be read, else -1 and errno. */
int source_try(struct source *s);
/* VMCOREINFO out of notes: 0, or -1 when there is none. */
int source_info(struct source *s, u64 offset, u64 size);
/* VMCOREINFO by /sys/kernel/vmcoreinfo out of the RAM itself. */
void source_info_sys(struct source *s);
/* Kernel text by iomem and VMCOREINFO (x86-64); else it stays unknown. */
void source_text(struct source *s);
int vmcore_open(struct source *s);
int kcore_open(struct source *s);
int crash_open(struct source *s);
int mem_open(struct source *s);
int file_open(struct source *s);

/* The value of KEY=value in VMCOREINFO: length, or -1. */
int info_value(const struct source *s, const char *key, const char **value);

/* ---- image.c: the formats ---- */

enum format { FORMAT_LIME, FORMAT_RAW, FORMAT_PADDED, FORMAT_ELF };
extern const char *const format_names[];
struct image {
	enum format format;
	struct source *source;
	u64 size;		/* bytes of the whole image */
	u64 data;		/* ELF: offset of the first extent */
	u64 at;			/* bytes put */
};
void image_open(struct image *im, enum format format, struct source *s);
/* Offset of an extent's first byte in the image. */
u64 image_offset(const struct image *im, unsigned extent);
/* What stands before all, and before an extent. 0 or -1 with errno. */
int image_begin(struct image *im, struct flow *f);
int image_extent(struct image *im, struct flow *f, unsigned extent);

/* ---- space.c: will it fit ---- */

struct limits {
	u64 bytes;		/* --max-disk-usage; 0 = none */
	unsigned percent;	/* --max-disk-usage-percent; 0 = none */
};
/* Bytes that the image will have after the codec: samples of it are
 * compressed. */
u64 space_estimate(struct source *s, const struct codec *codec, u64 image);
/* Is there room for bytes more at path? Fills *cap with the most that may be
 * written, 0 = no limit. 0, or -1 after a message. */
int space_check(const char *path, u64 bytes, const struct limits *l, u64 *cap);

/* ---- memdump.c: the command line ---- */

struct settings {
	const char *source, *output, *codec_name, *symbols;
	const char *manifest;	/* NULL: none */
	enum format format;
	const struct codec *codec;
	unsigned threads;
	struct range selected[SELECTED];
	int nselected;
	u64 rate;		/* bytes a second */
	int no_digest, no_manifest, dry_run, json, quiet, verbose;
	int file_flags;		/* enum outfile_flags */
	struct limits limits;
};

/* ---- manifest.c: what was dumped, and from which machine ---- */

struct report {
	struct source *source;
	struct image *image;
	const struct codec *codec;
	const char *path;	/* NULL: --dry-run */
	int digest;		/* the sums are there */
	u64 written, estimate;
	u8 image_sum[SHA256_SIZE], written_sum[SHA256_SIZE];
	u64 begun;		/* wall clock, ns */
	u64 took;		/* ns */
};
void manifest_write(const struct report *r, struct out *o);

/* ---- dump.c: the work ---- */

/* Writes image, manifest and totals; fills the report. The exit status. */
int dump(const struct settings *settings, struct report *r);

/* ---- symbols.c: what an analyst needs beside the RAM ---- */

/* A tar of the kernel's symbols and the like; .gz by its ending. source may be
 * NULL. 0, or -1 after a message. */
int symbols_write(const char *path, int flags, struct source *s);

#endif
