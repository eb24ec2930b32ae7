/* base.h - what every floor and applet stands on: errors, formatting, output,
 * options, sizes, file I/O, lines, memory, time. Knows only libc.
 *
 * No function here calls malloc. Only those marked "exits" end the process
 * (all x*, die, usage_die, opt_next): applets may call them, the kern floor
 * may not, so that kern can be linked into other programs.
 */
#ifndef MEMBOX_BASE_H
#define MEMBOX_BASE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* ---- error.c ---- */

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_PARTIAL = 3,	/* complete in form, but with holes */
	EXIT_NO_APPLET = 127,
};

/* The name that messages begin with, and the text of --help whose first line
 * is "usage: ...". Both are set by main before the applet starts. */
extern const char *applet_name;
extern const char *applet_usage;

/* One write(2) to stderr: "applet: message\n". Control characters of the
 * finished message are shown as \xHH, so names from the system may be passed
 * as they are. A format that ends in ':' gets " " and the text of errno.
 * warn returns 1 (so: return warn(...)); it keeps errno. die exits 1;
 * usage_die exits 2 after also printing the usage line. */
int warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void usage_die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
/* An option's text is wrong at one place in it: exits 2 after showing the text
 * and a caret below that place. */
_Noreturn void fault_die(const char *opt, const char *text, const char *at,
	const char *what);

/* When set, die and usage_die call it before they exit: for what must not stay
 * half done, like a .part. */
extern void (*die_cleanup)(void);

/* Like warn, without the "applet: " prefix and without errno: for notes and
 * totals on stderr. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- fmt.c ---- */

/* A small printf: %s %c %d %i %u %x %X %% with flags '-' '0' '#', width and
 * precision (also *), lengths l ll z j. No floating point: use fmt_fixed.
 * Writes at most size-1 bytes and a NUL; returns the bytes that the whole text
 * needs (as snprintf). */
int fmt_str(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int fmt_vstr(char *buf, size_t size, const char *fmt, va_list ap);

/* The engine of both: gives the pieces of the text to put. */
void fmt_to(void (*put)(void *arg, const char *s, size_t n), void *arg,
	const char *fmt, va_list ap);

enum { FMT_SIZE_MAX = 24, FMT_FIXED_MAX = 32 };

/* "0", "512 B", "4.0 KiB", "1.5 GiB": four significant digits at most, powers
 * of 1024. buf holds FMT_SIZE_MAX; returns buf. */
char *fmt_size(char *buf, u64 bytes);

/* value / 10^digits with that many decimals: fmt_fixed(b, 1234, 3) "1.234".
 * buf holds FMT_FIXED_MAX; returns buf. */
char *fmt_fixed(char *buf, u64 value, unsigned digits);

/* v in base 10 or 16, without the engine above; FMT_FIXED_MAX; its length. */
size_t fmt_u64(char *buf, u64 v, unsigned base);

/* Length of the run of printable ASCII at s, without '"' and '\\': what needs
 * no escape anywhere, and what most names are. */
size_t ascii_run(const char *s, size_t n);

/* Length in bytes of the well-formed UTF-8 sequence of a printable character
 * at s (n bytes are there); 0 when the first byte must be escaped: a control
 * character (C0, DEL, C1), a bidi or line-separator control, or bad UTF-8. */
size_t utf8_printable(const char *s, size_t n);
/* The same for any well-formed sequence (Unicode 15, table 3-7). */
size_t utf8_len(const char *s, size_t n);

/* ---- out.c ---- */

/* A buffered writer to a descriptor. After an error it takes bytes and drops
 * them; err keeps the first errno. May live on a caller's frame (OUT_BUF is
 * small) or be static. */
enum { OUT_BUF = 1024 };
struct out {
	int fd;
	int err;
	u64 total;		/* bytes given to it */
	size_t used;
	char *buf;		/* own, or a bigger one by out_buffer */
	size_t cap;
	char own[OUT_BUF];
};

void out_open(struct out *o, int fd);
/* Uses the caller's buffer instead of its own; before the first byte. */
void out_buffer(struct out *o, char *buf, size_t cap);
void out_put(struct out *o, const void *s, size_t n);
void out_str(struct out *o, const char *s);
void out_char(struct out *o, char c);
void out_fmt(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A name from the system as people may see it: printable UTF-8 as it is, other
 * bytes and '\\' as \xHH. */
void out_escaped(struct out *o, const char *s, size_t n);
/* Spaces. */
void out_pad(struct out *o, int n);
/* Writes what is held. 0, or -1 with errno (also of an earlier error). */
int out_flush(struct out *o);
/* Flush at the end of an applet: 0; on EPIPE 1 in silence; else 1 with a
 * message that names what. */
int out_finish(struct out *o, const char *what);

/* ---- outfile.c: a file that is there whole or not at all ---- */

enum outfile_flags {
	OUTFILE_FORCE = 1,	/* may replace an existing regular file */
	OUTFILE_KEEP = 2,	/* abort leaves the .part */
	OUTFILE_ANYFS = 4,	/* skip the tmpfs/ramfs/devtmpfs check */
};
struct outfile {
	int fd;			/* -1 = not open; 1 for "-" */
	int flags;
	const char *path;	/* the caller's string, kept */
	char part[PATH_MAX];
};

/* What outfile_open would refuse, without making anything: an existing path or
 * a block device without OUTFILE_FORCE, a symlink or directory always, RAM file
 * systems unless OUTFILE_ANYFS (a small report passes that flag), a directory
 * that is not there or not writable. 0, or -1 after a message. */
int outfile_check(const char *path, int flags);
/* statfs of the directory of path: 0, or -1 with errno. */
struct statfs;
int outfile_fs(const char *path, struct statfs *fs);
/* outfile_check, then creates PATH.part (0600, O_EXCL, O_NOFOLLOW); "-" is fd 1
 * itself; devices and pipes are written in place. 0, or -1 after a message.
 * Calls from a signal handler are not needed: see stop_signal. */
int outfile_open(struct outfile *f, const char *path, int flags);
/* fsync, rename over path, fsync of the directory. 0, or -1 after a message
 * (the .part is removed then). */
int outfile_commit(struct outfile *f);
/* Closes and removes the .part (unless OUTFILE_KEEP). Safe when not open. */
void outfile_abort(struct outfile *f);

/* ---- opt.c ---- */

enum opt_arg { OPT_FLAG, OPT_ARG, OPT_MAYBE /* only as --name=value */ };
enum { OPT_END = -1 };
struct opt {
	const char *name;	/* long name without dashes; NULL = short only */
	int id;			/* a letter = also the short option; else >= 256 */
	u8 arg;			/* enum opt_arg */
	u8 lacks;		/* !CFG_X: known, but not built in */
};
struct opts {
	const struct opt *table;	/* ends with { 0 } */
	int split;		/* 1: what follows "--" is a command */
	char *arg;		/* of the last option */
	char **operands;	/* after OPT_END: NULL-ended */
	char **command;		/* with split: NULL, or argv of the command */
	char **in;		/* private from here */
	char **out;
	char *cluster;
};

/* argv[0] is the applet's name. Operands and options may be mixed; argv is
 * rearranged in place. */
void opt_open(struct opts *o, char **argv, const struct opt *table);
/* The next option's id, or OPT_END. Handles --help, -h (when the table has no
 * 'h'), --version and --root DIR itself. Exits 2 on what it does not know. */
int opt_next(struct opts *o);

/* ---- parse.c: whole strings only; -1 = malformed or too big ---- */

int parse_u64(const char *s, u64 *v);		/* decimal or 0x hex */
int parse_size(const char *s, u64 *bytes);	/* 64, 4K, 1.5G; B K M G T P */
int parse_time(const char *s, u64 unit_ns, u64 *ns); /* us ms s m h; bare: unit */
int parse_pid(const char *s, int *pid);		/* decimal > 0 */
int parse_range(const char *s, u64 *first, u64 *last); /* A-B inclusive */

/* As above for an option's argument: exit 2 naming the option. */
u64 xparse_u64(const char *opt, const char *s);
u64 xparse_size(const char *opt, const char *s);
u64 xparse_time(const char *opt, const char *s, u64 unit_ns);
int xparse_pid(const char *what, const char *s);

/* Scanners for the kernel's text: advance *s past blanks and the number;
 * -1 when there is none (s unmoved). */
int scan_u64(const char **s, u64 *v);
int scan_hex(const char **s, u64 *v);
/* Next blank-separated word: its start, *n its length; NULL at the end. */
const char *scan_word(const char **s, size_t *n);

/* glob with * ? and [a-z]; whole string, length-counted. 1 = match. */
int glob_match(const char *pattern, const char *s, size_t n);

/* ---- io.c ---- */

/* Transfer n bytes unless the file ends or fails: bytes moved, or -1 when
 * nothing was. EINTR is retried. */
ssize_t full_read(int fd, void *buf, size_t n);
ssize_t full_pread(int fd, void *buf, size_t n, u64 offset);
/* 0, or -1 with errno. */
int full_write(int fd, const void *buf, size_t n);
/* The whole file into buf with a NUL after it; its length, cut at size-1; -1. */
ssize_t fd_slurp(int fd, char *buf, size_t size);

/* ---- root.c: --root DIR ---- */

/* DIR of --root, "" when there is none. Reading only: operations that need the
 * live system call root_refuse. */
extern const char *root_dir;
/* Sets it; -1 with errno when DIR cannot be opened. */
int root_set(const char *dir);
/* For the *at() calls: the directory that *path (absolute) is then relative
 * to. */
int root_at(const char **path);
/* open(DIR + path, flags | O_CLOEXEC): fd or -1. */
int root_open(const char *path, int flags);
/* root_open + fd_slurp + close: length or -1. */
ssize_t root_slurp(const char *path, char *buf, size_t size);
/* Exits 2 when --root is given: what does not work on a captured tree. */
void root_refuse(const char *what);

/* ---- lines.c ---- */

/* Reads a descriptor line by line through the caller's buffer. A line longer
 * than the buffer is given cut, once, with cut set; the rest is skipped. */
struct lines {
	int fd;
	int err;		/* errno of a failed read, 0 at the end */
	int cut;
	char *buf;
	size_t cap, pos, end;
	int eof, skip;
};
void lines_open(struct lines *l, int fd, char *buf, size_t cap);
/* The next line, NUL-ended without its newline, *n its length (may hold NULs);
 * valid until the next call. NULL at the end or on error. */
char *lines_next(struct lines *l, size_t *n);

/* ---- user.c: /etc/passwd ---- */

enum { USER_MAX = 33 };
/* The name of a user, or the number when there is none; buf holds USER_MAX;
 * returns buf. */
char *user_name(char *buf, u32 uid);
/* 0, or -1 when there is no user of that name. */
int user_id(const char *name, u32 *uid);

/* ---- arena.c ---- */

/* One anonymous mapping, sized up front, handed out in order, aligned to 16
 * bytes, zeroed. */
struct arena {
	u8 *base;
	size_t size, used;
};
int arena_open(struct arena *a, size_t size);	/* 0 or -1 */
void *arena_take(struct arena *a, size_t n);	/* NULL when full */
void arena_close(struct arena *a);

/* ---- time.c ---- */

u64 now_ns(void);		/* CLOCK_MONOTONIC */
u64 wall_ns(void);		/* CLOCK_REALTIME */
u64 cpu_ns(void);		/* user + system time of this process */
/* Sleeps until the monotonic time; 0, or -1 when stop_signal came. */
int sleep_until(u64 ns);
enum { FMT_TIME_MAX = 24 };
/* "2026-01-31T12:00:00Z" of a Unix time in seconds; returns buf. */
char *fmt_time(char *buf, s64 seconds);

/* SIGINT, SIGTERM (and SIGHUP unless ignored) set stop_signal to their number
 * and let slow system calls return EINTR; SIGPIPE is ignored. A second signal
 * of the kind ends the process. */
extern volatile int stop_signal;
void stop_on_signals(void);

/* ---- sort.c ---- */

/* Heap sort in place, no memory: order < 0 when a sorts before b. */
void sort_items(void *items, size_t count, size_t size,
	int (*order)(const void *a, const void *b, const void *arg),
	const void *arg);

#endif
