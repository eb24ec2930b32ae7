/* dump.c - contents: to a file with its holes, or as hex. Reading goes through
 * the segment's file, so absent pages stay absent. */
#include "shmat.h"

enum { PIECE = 256 * 1024 };
static char piece[PIECE];

static int
put_zeroes(struct outfile *to, u64 n, int seekable)
{
	if (seekable)
		return lseek(to->fd, (off_t)n, SEEK_CUR) < 0 ? -1 : 0;
	memset(piece, 0, sizeof(piece));
	while (n) {
		size_t part = n < PIECE ? n : PIECE;

		if (full_write(to->fd, piece, part) < 0)
			return -1;
		n -= part;
	}
	return 0;
}

static int
is_zero(const char *s, size_t n)
{
	return !*s && !memcmp(s, s + 1, n - 1);
}

/* --sparse: pages of zeroes become holes too. */
static int
put_data(struct outfile *to, const char *s, size_t n, int seekable)
{
	while (n) {
		size_t part = n < page_size ? n : page_size;

		if (seekable && opts.sparse && is_zero(s, part)) {
			if (lseek(to->fd, (off_t)part, SEEK_CUR) < 0)
				return -1;
		} else if (full_write(to->fd, s, part) < 0) {
			return -1;
		}
		s += part;
		n -= part;
	}
	return 0;
}

/* 0, or -1 when the output failed. */
static int
copy(struct segment_file *f, struct outfile *to, u64 *lost)
{
	u64 at = 0, start, end;
	int seekable = lseek(to->fd, 0, SEEK_CUR) >= 0 && to->part[0];

	while (segment_data(f, at, &start, &end)) {
		if (put_zeroes(to, start - at, seekable) < 0)
			return -1;
		for (at = start; at < end && !stop_signal;) {
			size_t n = end - at < PIECE ? end - at : PIECE;

			*lost += segment_read(f, at, piece, n);
			if (put_data(to, piece, n, seekable) < 0)
				return -1;
			at += n;
		}
		if (stop_signal)
			return 0;
	}
	if (put_zeroes(to, f->seg.size - at, seekable) < 0)
		return -1;
	return seekable ? ftruncate(to->fd, (off_t)f->seg.size) : 0;
}

/* What was in swap and could not be told from holes. */
static u64
swap_missed(const struct segment_file *f)
{
	return f->fd < 0 && !opts.populate ? f->seg.swap : 0;
}

static int
told_lost(const struct segment_file *f, u64 lost)
{
	if (swap_missed(f))
		warn("segment %d: %lu bytes are in swap and were left out: "
			"run as root, or with --populate", f->seg.id,
			f->seg.swap);
	if (lost)
		warn("segment %d: %lu bytes could not be read (broken memory) "
			"and are zeroes", f->seg.id, lost);
	return lost ? EXIT_FAILED : swap_missed(f) ? EXIT_PARTIAL : EXIT_DONE;
}

int
verb_dump(char **words)
{
	static struct outfile to;
	struct segment_file f;
	u64 lost = 0;
	int r;

	if (!words[0] || words[1])
		usage_die("dump: one ID or 0xKEY");
	if (segment_open(&f, words[0]))
		return EXIT_FAILED;
	stop_on_signals();
	if (outfile_open(&to, opts.output ? opts.output : "-",
			opts.force ? OUTFILE_FORCE | OUTFILE_ANYFS : 0) < 0)
		return EXIT_FAILED;
	r = copy(&f, &to, &lost);
	if (r < 0 && errno != EPIPE)
		warn("write %s:", to.path);
	if (stop_signal)
		r = -warn("interrupted: no dump is left");
	if (r < 0)
		outfile_abort(&to);
	if (r < 0 || outfile_commit(&to) < 0)
		return EXIT_FAILED;
	r = told_lost(&f, lost);
	segment_close(&f);
	return r;
}

/* ---- hex ---- */

static void
hex_line(struct out *o, u64 at, const u8 *s, size_t n)
{
	size_t i;

	out_fmt(o, "%08lx ", at);
	for (i = 0; i < 16; i++)
		if (i < n)
			out_fmt(o, "%s%02x", i == 8 ? "  " : " ", s[i]);
		else
			out_str(o, i == 8 ? "    " : "   ");
	out_str(o, "  |");
	for (i = 0; i < n; i++)
		out_char(o, s[i] >= 32 && s[i] < 127 ? (char)s[i] : '.');
	out_str(o, "|\n");
}

/* Lines that repeat are one "*", as hexdump writes them. */
static u64
hex_range(struct out *o, struct segment_file *f, u64 at, u64 end)
{
	u8 line[16], last[16];
	int have = 0, starred = 0;
	u64 lost = 0;

	while (at < end && !o->err && !stop_signal) {
		size_t n = end - at < 16 ? end - at : 16;

		lost += segment_read(f, at, (char *)line, n);
		if (have && n == 16 && !memcmp(line, last, 16)) {
			if (!starred++)
				out_str(o, "*\n");
		} else {
			hex_line(o, at, line, n);
			starred = 0;
		}
		memcpy(last, line, 16);
		have = n == 16;
		at += n;
	}
	out_fmt(o, "%08lx\n", at);
	return lost;
}

int
verb_hex(char **words)
{
	static struct out o;
	struct segment_file f;
	u64 offset = 0, length, lost, start, end;
	int r;

	if (!words[0] || (words[1] && words[2] && words[3]))
		usage_die("hex: ID [OFFSET [LENGTH]]");
	if (words[1])
		offset = xparse_size("hex: OFFSET", words[1]);
	length = words[1] && words[2] ? xparse_size("hex: LENGTH", words[2])
		: UINT64_MAX;
	if (segment_open(&f, words[0]))
		return EXIT_FAILED;
	if (offset >= f.seg.size)
		return warn("segment %d: offset %lu lies past its end, %lu",
			f.seg.id, offset, f.seg.size);
	if (length > f.seg.size - offset)
		length = f.seg.size - offset;
	/* Without the file a page that is absent would be made by reading. */
	if (f.fd < 0 && !opts.populate &&
	    (!segment_data(&f, offset, &start, &end) || start > offset ||
	     end < offset + length))
		return warn("segment %d: not all of that is in memory, and "
			"without CAP_SYS_ADMIN reading would make it so; "
			"--populate if that may be", f.seg.id);
	stop_on_signals();
	out_open(&o, 1);
	lost = hex_range(&o, &f, offset, offset + length);
	r = out_finish(&o, "standard output");
	segment_close(&f);
	return r ? r : told_lost(&f, lost);
}
