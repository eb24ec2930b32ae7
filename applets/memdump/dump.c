/* dump.c - from the source through the chain to the file, and the words about
 * it. */
#include "memdump.h"

enum { CHUNK = BLOCK_SIZE, CHUNK_LEAST = 64 * KIB };

static const struct settings *set;
static struct source *source;
static struct image *image;
static struct report *report;
static struct sink sink;
static struct blocks blocks;
static struct digest image_digest, written_digest;
static struct outfile file;

/* Builds the chain back to front; its first stage. Without a codec, a thread
 * of its own pays only where writing or hashing takes time. */
static struct flow *
open_chain(int regular, int threaded)
{
	struct flow *f = &sink.flow;

	sink.rate = set->rate;
	sink.drop = regular;
	sink.sparse = regular && !set->codec && image->format == FORMAT_RAW;
	if (set->codec && !set->no_digest) {
		digest_open(&written_digest, f);
		f = &written_digest.flow;
	}
	if (set->codec || threaded) {
		if (blocks_open(&blocks, f, set->codec, set->threads,
		    image->size) < 0)
			return NULL;
		f = &blocks.flow;
	}
	if (!set->no_digest) {
		digest_open(&image_digest, f);
		f = &image_digest.flow;
	}
	return f;
}

static int
dump_extent(struct flow *f, const struct extent *e, struct progress *p)
{
	static u8 buf[CHUNK];
	u64 pos = e->start;

	while (pos < e->end) {
		size_t left = e->end - pos < CHUNK ? (size_t)(e->end - pos)
			: CHUNK, room;
		size_t least = left < CHUNK_LEAST ? left : CHUNK_LEAST;
		u8 *place = flow_place(f, least, &room);

		if (!place)
			place = buf;
		else if (room < left)
			left = room & ~(size_t)(page_size - 1);
		source_read(source, e, pos, place, left);
		if (flow_put(f, place, left) < 0)
			return -1;
		if (stop_signal) {
			errno = EINTR;
			return -1;
		}
		pos += left;
		progress_set(p, p->done + left);
	}
	return 0;
}

static int
dump_all(struct flow *f)
{
	struct progress p;
	unsigned i;
	int r = image_begin(image, f);

	progress_open(&p, "dumped", source->bytes);
	for (i = 0; !r && i < source->extents; i++) {
		r = image_extent(image, f, i);
		if (!r)
			r = dump_extent(f, &source->extent[i], &p);
	}
	if (!r)
		r = flow_end(f);
	progress_close(&p);
	return r;
}

static void
tell_failure(void)
{
	char cap[FMT_SIZE_MAX];

	if (stop_signal)
		warn("stopped by signal %d%s", stop_signal,
			set->file_flags & OUTFILE_KEEP && *file.part
			? ": the partial image stays" : "");
	else if (errno == EFBIG && sink.limit)
		warn("%s: stopped at the limit of %s", set->output,
			fmt_size(cap, sink.limit));
	else if (errno != EPIPE || file.fd != 1)
		warn("write %s:", *file.part ? file.part
			: file.fd == 1 ? "standard output" : set->output);
}

/* A regular file's room is looked at before it is made. */
static int
open_output(void)
{
	struct stat st;
	u64 estimate, cap = 0;

	if (strcmp(set->output, "-") && (lstat(set->output, &st) < 0 ||
	    S_ISREG(st.st_mode))) {
		estimate = space_estimate(source, set->codec,
			image->format == FORMAT_RAW ? source->bytes : image->size);
		if (space_check(set->output, estimate, &set->limits, &cap) < 0)
			return -1;
	} else if (set->limits.bytes) {
		cap = set->limits.bytes;
	}
	if (outfile_open(&file, set->output, set->file_flags) < 0)
		return -1;
	sink_open(&sink, file.fd);
	sink.limit = cap;
	return 0;
}

static int
write_image(void)
{
	struct flow *f;
	struct stat st;
	int regular = *file.part != 0;

	/* Nothing takes long behind a character device. */
	f = open_chain(regular, regular || !set->no_digest ||
		fstat(file.fd, &st) < 0 || !S_ISCHR(st.st_mode));
	if (!f || dump_all(f) < 0) {
		tell_failure();
		outfile_abort(&file);
		return -1;
	}
	return outfile_commit(&file);
}

/* ---- what is told at the end ---- */

static int
write_manifest(void)
{
	static struct outfile f;
	static struct out o;

	if (!set->manifest)
		return 0;
	if (outfile_open(&f, set->manifest, (set->file_flags & OUTFILE_FORCE) |
	    OUTFILE_ANYFS) < 0)
		return 1;
	out_open(&o, f.fd);
	manifest_write(report, &o);
	if (out_finish(&o, set->manifest)) {
		outfile_abort(&f);
		return 1;
	}
	return outfile_commit(&f) < 0;
}

static void
tell_totals(void)
{
	char ram[FMT_SIZE_MAX], written[FMT_SIZE_MAX], rate[FMT_SIZE_MAX];
	char seconds[FMT_FIXED_MAX], hex[SHA256_HEX];
	u64 ms = report->took / 1000000 ? report->took / 1000000 : 1;

	if (set->quiet)
		return;
	warn("%s: %s of RAM, %s%s%s, %s written in %s s (%s/s)",
		source->name, fmt_size(ram, source->bytes),
		format_names[image->format], set->codec ? ", " : "",
		set->codec ? set->codec->name : "",
		fmt_size(written, report->written), fmt_fixed(seconds, ms, 3),
		fmt_size(rate, source->bytes * 1000 / ms));
	if (!set->no_digest)
		note("%s  %s", sha256_hex(hex, report->written_sum),
			set->output);
}

/* The dump is as good as the kernel can give it: no change of the status. */
static void
tell_corrupted(void)
{
	char size[FMT_SIZE_MAX];
	u64 bytes = source->live ? source_corrupted() : 0;

	if (bytes)
		warn("the kernel has taken %s of faulty RAM out of use: zeros "
			"in the image", fmt_size(size, bytes));
}

/* 0, or 3 after telling what is missing. */
static int
tell_holes(void)
{
	char size[FMT_SIZE_MAX];

	if (source->lost_bytes)
		warn("%s of RAM are not in %s and not in the image (%u ranges, "
			"see the manifest)", fmt_size(size,
			source->lost_bytes), source->name, source->lost);
	if (source->hole_pages)
		warn("%llu pages could not be read and are zeros in the image "
			"(see the manifest)",
			(unsigned long long)source->hole_pages);
	return source->lost_bytes || source->hole_pages ? EXIT_PARTIAL
		: EXIT_DONE;
}

static void
fill_report(void)
{
	const struct digest *w = set->codec ? &written_digest : &image_digest;

	report->took = now_ns() - report->took;
	report->written = sink.bytes;
	report->digest = !set->no_digest;
	memcpy(report->image_sum, image_digest.sum, SHA256_SIZE);
	memcpy(report->written_sum, w->sum, SHA256_SIZE);
}

static int
print_json(void)
{
	static struct out o;

	out_open(&o, 1);
	manifest_write(report, &o);
	return out_finish(&o, "standard output");
}

int
dump(const struct settings *settings, struct report *r)
{
	int status;

	set = settings;
	report = r;
	source = r->source;
	image = r->image;
	if (open_output() < 0)
		return EXIT_FAILED;
	report->begun = wall_ns();
	report->took = now_ns();
	if (write_image() < 0)
		return EXIT_FAILED;
	fill_report();
	if (write_manifest() || (set->json && print_json()))
		return EXIT_FAILED;
	tell_corrupted();
	status = tell_holes();
	tell_totals();
	return status;
}
