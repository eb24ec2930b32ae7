/* memdump - dump the RAM of this machine, or convert an image of it
 *
 * config MEMDUMP
 *	bool "memdump (17 kb)"
 *	default y
 *	help
 *	  usage: memdump [OPTIONS] FILE | -o FILE | -o - | --dry-run
 *
 *	  Writes the machine's RAM to FILE, or to standard output (-). Without
 *	  -s it reads, in a kernel that a crash started, /proc/vmcore (the crashed
 *	  kernel's RAM), else /proc/kcore, /dev/crash or /dev/mem: the first that
 *	  works. An image FILE may be named instead, to convert it.
 *
 *	  -s, --source SRC       vmcore, kcore, crash, mem, or an image (raw, ELF
 *	                         core)
 *	  -o, --output FILE      written as FILE.part, renamed when complete
 *	  -f, --format FORMAT    lime    records with addresses (the default)
 *	                         raw     address = offset, holes stay holes
 *	                         padded  the same, holes written as zeros
 *	  -z, --compress CODEC   none, gzip or lz4; else by FILE's ending, .gz
 *	                         or .lz4
 *	  -t, --threads N        compressing threads (processors, 4 at most)
 *	      --range A-B        only these physical addresses (0xHEX), B
 *	                         inclusive; rounded out to pages; may be repeated
 *	      --limit-rate SIZE  write no more than SIZE a second
 *	      --digest KIND      sha256 (the default) or none
 *	      --manifest FILE    JSON of machine, ranges, holes and digests; else
 *	                         FILE.json beside a FILE
 *	      --no-manifest
 *	      --dry-run          print ranges, sizes and an estimate; write nothing
 *	      --max-disk-usage SIZE        refuse, and stop, beyond SIZE
 *	      --max-disk-usage-percent P   leave the disk at most P % full
 *	      --force            replace FILE; write to tmpfs or a block device
 *	      --keep-partial     leave FILE.part when the dump fails
 *	      --json             print the manifest (or the dry run) as JSON
 *	  -q, --quiet            no totals on stderr
 *	  -v, --verbose          why a source was not taken
 *	      --root DIR         read DIR/proc/kcore, DIR/proc/iomem, ..
 *
 *	  Pages that cannot be read are zeros in the image, counted, and listed
 *	  in the manifest; the exit status is then 3. A local file's data does not
 *	  stay in the page cache. Reading a live machine takes time: what changes
 *	  meanwhile is seen before or after.
 *
 *	  Examples:
 *	    memdump /mnt/usb/host.lime.lz4
 *	    memdump -f elf -o - | ssh box 'cat >host.elf'
 *	    memdump --dry-run -z lz4
 *	    memdump -s host.elf -f raw host.raw
 *
 * config MEMDUMP_ELF
 *	bool "the ELF format (2 kb)"
 *	default y
 *	depends on MEMDUMP
 *	help
 *	      -f elf             a core file with VMCOREINFO: for crash, drgn and
 *	                         makedumpfile
 *
 * config MEMDUMP_SYMBOLS
 *	bool "archives of symbols (3 kb)"
 *	default y
 *	depends on MEMDUMP
 *	help
 *	      --symbols FILE     what gives addresses their names: a tar (.tar,
 *	                         .tar.gz) of kallsyms, BTF, config, modules and
 *	                         the like; with or without a dump
 */
#include <sched.h>

#include "memdump.h"

enum { THREADS_DEFAULT = 4 };

enum {
	O_RANGE = 256, O_RATE, O_DIGEST, O_MANIFEST, O_NO_MANIFEST, O_SYMBOLS,
	O_DRY_RUN, O_MAX_USAGE, O_MAX_PERCENT, O_FORCE, O_KEEP, O_JSON,
};
static const struct opt options[] = {
	{ "source", 's', OPT_ARG }, { "output", 'o', OPT_ARG },
	{ "format", 'f', OPT_ARG }, { "compress", 'z', OPT_ARG },
	{ "threads", 't', OPT_ARG }, { "range", O_RANGE, OPT_ARG },
	{ "limit-rate", O_RATE, OPT_ARG }, { "digest", O_DIGEST, OPT_ARG },
	{ "manifest", O_MANIFEST, OPT_ARG }, { "no-manifest", O_NO_MANIFEST },
	{ "symbols", O_SYMBOLS, OPT_ARG, !CFG_MEMDUMP_SYMBOLS },
	{ "dry-run", O_DRY_RUN }, { "max-disk-usage", O_MAX_USAGE, OPT_ARG },
	{ "max-disk-usage-percent", O_MAX_PERCENT, OPT_ARG },
	{ "force", O_FORCE }, { "keep-partial", O_KEEP }, { "json", O_JSON },
	{ "quiet", 'q' }, { "verbose", 'v' }, { 0 },
};

static const struct codec *const codecs[] = {
	CFG_CODEC_GZIP ? &codec_gzip : NULL, CFG_CODEC_LZ4 ? &codec_lz4 : NULL,
};

static struct settings set;
static struct source source;
static struct image image;
static struct report report;

/* ---- the command line ---- */

static enum format
xformat(const char *name)
{
	unsigned i;

	for (i = 0; format_names[i]; i++)
		if (!strcmp(name, format_names[i])) {
			if (i == FORMAT_ELF && !CFG_MEMDUMP_ELF)
				usage_die("-f elf: not in this build (see "
					"membox --config)");
			return i;
		}
	usage_die("--format %s: lime, raw, padded or elf", name);
}

static const struct codec *
xcodec(const char *name)
{
	unsigned i;

	for (i = 0; i < ARRAY_LEN(codecs); i++)
		if (codecs[i] && !strcmp(name, codecs[i]->name))
			return codecs[i];
	if (!strcmp(name, "none"))
		return NULL;
	if (!strcmp(name, "gzip") || !strcmp(name, "lz4"))
		usage_die("--compress %s: not in this build (see membox "
			"--config)", name);
	usage_die("--compress %s: none, gzip or lz4", name);
}

static const struct codec *
codec_by_ending(const char *path)
{
	size_t n = strlen(path), m;
	unsigned i;

	for (i = 0; i < ARRAY_LEN(codecs); i++) {
		m = codecs[i] ? strlen(codecs[i]->ending) : n;
		if (m < n && !strcmp(path + n - m, codecs[i]->ending))
			return codecs[i];
	}
	return NULL;
}

static void
add_range(const char *text)
{
	u64 first, last;

	if (parse_range(text, &first, &last) < 0 || last < first ||
	    last > INT64_MAX)
		usage_die("--range %s: want FIRST-LAST, in decimal or "
			"as 0xHEX", text);
	if (set.nselected == SELECTED)
		usage_die("--range: %d at most", SELECTED);
	first &= ~(page_size - 1);
	last |= page_size - 1;
	set.selected[set.nselected++] = (struct range){ first, last + 1 };
}

static unsigned
xthreads(const char *text)
{
	u64 n = xparse_u64("--threads", text);

	if (!n || n > BLOCKS_THREADS)
		usage_die("--threads %s: 1 to %d", text, BLOCKS_THREADS);
	return (unsigned)n;
}

static unsigned
xpercent(const char *text)
{
	u64 n = xparse_u64("--max-disk-usage-percent", text);

	if (!n || n > 100)
		usage_die("--max-disk-usage-percent %s: 1 to 100", text);
	return (unsigned)n;
}

static u64
xsize(const char *name, const char *text)
{
	u64 n = xparse_size(name, text);

	if (!n)
		usage_die("%s %s: more than nothing", name, text);
	return n;
}

static int
xdigest_none(const char *text)
{
	if (strcmp(text, "none") && strcmp(text, "sha256"))
		usage_die("--digest %s: sha256 or none", text);
	return !strcmp(text, "none");
}

static void
take_option(int id, const char *arg)
{
	switch (id) {
	case 's': set.source = arg; break;
	case 'o': set.output = arg; break;
	case 'f': set.format = xformat(arg); break;
	case 'z': set.codec_name = arg; set.codec = xcodec(arg); break;
	case 't': set.threads = xthreads(arg); break;
	case O_RANGE: add_range(arg); break;
	case O_RATE: set.rate = xsize("--limit-rate", arg); break;
	case O_DIGEST: set.no_digest = xdigest_none(arg); break;
	case O_MANIFEST: set.manifest = arg; break;
	case O_NO_MANIFEST: set.no_manifest = 1; break;
	case O_SYMBOLS: set.symbols = arg; break;
	case O_DRY_RUN: set.dry_run = 1; break;
	case O_MAX_USAGE:
		set.limits.bytes = xsize("--max-disk-usage", arg);
		break;
	case O_MAX_PERCENT: set.limits.percent = xpercent(arg); break;
	case O_FORCE: set.file_flags |= OUTFILE_FORCE | OUTFILE_ANYFS; break;
	case O_KEEP: set.file_flags |= OUTFILE_KEEP; break;
	case O_JSON: set.json = 1; break;
	case 'q': set.quiet = 1; break;
	case 'v': set.verbose = 1; break;
	}
}

static unsigned
processors(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ? 1
		: CPU_COUNT(&cpus);

	return n > THREADS_DEFAULT ? THREADS_DEFAULT : (unsigned)n;
}

static int
same_file(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static void
check_settings(char **operands)
{
	if (operands[0] && (set.output || operands[1]))
		usage_die("one FILE to write, not %s too",
			operands[set.output ? 0 : 1]);
	if (operands[0])
		set.output = operands[0];
	if (!set.output && !set.dry_run && !set.symbols)
		usage_die("no output: name a FILE, or -o - for standard output");
	if (set.json && same_file(set.output, "-") && !set.dry_run)
		usage_die("--json and the dump would both go to standard "
			"output: use --manifest FILE");
	if (set.manifest && set.no_manifest)
		usage_die("--manifest and --no-manifest contradict");
	if (same_file(set.output, set.manifest) ||
	    same_file(set.output, set.symbols) ||
	    same_file(set.manifest, set.symbols))
		usage_die("the dump, its manifest and the symbols are files of "
			"their own");
	if (!set.codec_name && set.output)
		set.codec = codec_by_ending(set.output);
	if (!set.threads)
		set.threads = processors();
	set.nselected = ranges_merge(set.selected, set.nselected);
}

/* Only a file gets a manifest without being told. */
static void
choose_manifest(void)
{
	static char beside[PATH_MAX];
	struct stat st;

	if (set.manifest || set.no_manifest || !strcmp(set.output, "-") ||
	    (!lstat(set.output, &st) && !S_ISREG(st.st_mode)))
		return;
	if ((size_t)fmt_str(beside, sizeof(beside), "%s.json", set.output) >=
	    sizeof(beside))
		die("%s.json: the name is too long", set.output);
	set.manifest = beside;
}

/* What cannot be written is better known before the work than after it. */
static int
check_outputs(void)
{
	if (set.symbols && outfile_check(set.symbols, set.file_flags |
	    OUTFILE_ANYFS) < 0)
		return -1;
	if (!set.output || set.dry_run)
		return 0;
	choose_manifest();
	if (!strcmp(set.output, "-") && term_is(1)) {
		warn("standard output is a terminal: redirect it, or name a "
			"FILE");
		return -1;
	}
	if (outfile_check(set.output, set.file_flags) < 0)
		return -1;
	return set.manifest ? outfile_check(set.manifest, set.file_flags |
		OUTFILE_ANYFS) : 0;
}

/* ---- the dry run ---- */

static void
print_ranges(struct out *o)
{
	static const struct col cols[] = {
		{ "start", 16, COL_ADDRESS }, { "end", 16, COL_ADDRESS },
		{ "size", 10, COL_BYTES }, { "offset", 16, COL_HEX },
	};
	struct rows r;
	unsigned i;

	rows_open(&r, o, ROWS_TABLE, cols, ARRAY_LEN(cols));
	while (rows_pass(&r))
		for (i = 0; i < source.extents; i++) {
			const struct extent *e = &source.extent[i];

			rows_u64(&r, e->start);
			rows_u64(&r, e->end - 1);
			rows_u64(&r, e->end - e->start);
			rows_u64(&r, image_offset(&image, i));
			rows_end(&r);
		}
}

static int
dry_run(void)
{
	static struct out o;
	char ram[FMT_SIZE_MAX], size[FMT_SIZE_MAX], estimate[FMT_SIZE_MAX];

	out_open(&o, 1);
	report.estimate = space_estimate(&source, set.codec, image.size);
	if (set.json) {
		manifest_write(&report, &o);
		return out_finish(&o, "standard output");
	}
	print_ranges(&o);
	out_fmt(&o, "%s (%s): %s of RAM in %u ranges; %s image %s",
		source.name, source.kind, fmt_size(ram, source.bytes),
		source.extents, format_names[image.format],
		fmt_size(size, image.size));
	if (set.codec)
		out_fmt(&o, ", about %s with %s",
			fmt_size(estimate, report.estimate), set.codec->name);
	out_str(&o, "\n");
	return out_finish(&o, "standard output");
}

/* The symbols alone need no source, but gladly take its VMCOREINFO. */
static int
symbols_only(void)
{
	int r = source_open(&source, set.source, set.verbose ? 1 : -1) < 0;

	if (r)
		warn("%s: no source of memory works (see -v): VMCOREINFO is "
			"left out", set.symbols);
	return symbols_write(set.symbols, set.file_flags, r ? NULL : &source)
		< 0;
}

int
memdump_main(char **argv)
{
	struct opts o;
	int id;

	opt_open(&o, argv, options);
	while ((id = opt_next(&o)) != OPT_END)
		take_option(id, o.arg);
	check_settings(o.operands);
	stop_on_signals();
	if (check_outputs() < 0)
		return EXIT_FAILED;
	if (CFG_MEMDUMP_SYMBOLS && set.symbols && !set.output && !set.dry_run)
		return symbols_only();
	if (source_open(&source, set.source, set.verbose) < 0)
		return EXIT_FAILED;
	if (set.nselected)
		source_select(&source, set.selected, set.nselected);
	if (!source.extents)
		die("%s: no RAM in the chosen ranges", source.name);
	image_open(&image, set.format, &source);
	report = (struct report){ .source = &source, .image = &image,
		.begun = wall_ns(),
		.codec = set.codec, .path = set.output };
	if (set.dry_run) {
		report.path = NULL;
		return dry_run();
	}
	if (CFG_MEMDUMP_SYMBOLS && set.symbols &&
	    symbols_write(set.symbols, set.file_flags, &source) < 0)
		return EXIT_FAILED;
	return dump(&set, &report);
}
