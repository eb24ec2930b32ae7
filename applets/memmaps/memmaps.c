/* memmaps - regions, pages and pictures of process memory
 *
 * alias: memc MEMMAPS
 *
 * config MEMMAPS
 * 	bool "memmaps (42 kb)"
 * 	default y
 * 	help
 * 	  usage: memmaps [OPTION]... PID... | --all
 *
 * 	  Shows what a process's address space is made of: each region (VMA) with its
 * 	  size, what of it is resident (RSS), its fair share of shared pages (PSS),
 * 	  what is in swap, and what it is for. Reading PSS makes the kernel walk the
 * 	  page tables, about 60 ns a resident page; --json without --smaps does not.
 *
 * 	    -a, --all          all processes
 * 	    -x, --extended     every field of smaps, flags, offset, device, inode
 * 	        --sort COLUMN  biggest first by size, rss, pss or swap, of all
 * 	                       processes together (default: address)
 * 	        --min SIZE     only regions of at least SIZE (of the --sort column)
 * 	        --type T,...   only these types or subtypes: heap stack code shared_lib
 * 	                       mapped_file anonymous vdso vvar vsyscall unknown; jit
 * 	                       shm memfd hugetlb device thread_stack named_anon
 * 	                       shared_anon guard bss deleted aio uprobes dmabuf socket
 * 	                       anon_inode reserved
 * 	        --skip-kernel  leave out kernel threads
 * 	        --bytes        sizes as plain integers
 * 	        --root DIR     read DIR/proc, a captured tree, and not /proc
 *
 * 	  JSON, with the keys and the order of memc; called as memc it is the default:
 * 	        --json         one document; sizes are in KiB (keys end in _kb)
 * 	        --ndjson       an object a line: each process, then what was skipped
 * 	        --smaps        with RSS, PSS, shared, private and swap of each region
 * 	        --full         and subtype, offset, device, inode, every smaps field;
 * 	                       comm, cmdline, uid, ppid, cgroup of the process
 * 	        --compact      all on one line
 * 	    -o, --output FILE  there when complete, not before; memc replaces FILE,
 * 	        --force        memmaps only with --force
 * 	        --interval MS  sample every MS milliseconds, a document a line
 * 	        --count N      N samples (1), 0 = until ^C
 *
 * 	  Names that are not UTF-8 have U+FFFD for each bad byte, and all their bytes
 * 	  in hex under NAME_hex. A process that ended between being counted and being
 * 	  read stands in "processes" without regions, and in "skipped_processes".
 * 	  thread_stack, bss and jit are concluded from a region's neighbours.
 *
 * 	  Exit status: 0 done; 1 failed, no such process; 2 usage; 3 some processes
 * 	  could not be read (it says how many, and why).
 *
 * 	  Examples:
 * 	    memmaps 1234                           what is in this process?
 * 	    memmaps --all --sort pss --min 100M    the largest regions of all
 * 	    memmaps --all --smaps --json -o m.json for later, for --diff, for scripts
 * 	    memc 1234 --count 0 --interval 500     a line of JSON every 0.5 s
 *
 * config MEMMAPS_WATCH
 * 	bool "watch, diff, leak suspects (6 kb)"
 * 	depends on MEMMAPS
 * 	default y
 * 	help
 *
 * 	  Growth:
 * 	        --watch        what grew and shrank, biggest first, every --interval
 * 	                       (1 s) until ^C or --count
 * 	        --leak-suspects  after --count (10) samples: regions that grew twice or
 * 	                       more and never shrank, RSS and swap together
 * 	        --diff A B     the same view of two files of --json --smaps, or of two
 * 	                       unpacked snapshots (directories)
 * 	        --top N        the N biggest (20)
 * 	                       In --json each document has what changed, in bytes.
 * 	                       Regions are the same one when they overlap and have the
 * 	                       same type and path.
 *
 * config MEMMAPS_PAGES
 * 	bool "page by page (3 kb)"
 * 	depends on MEMMAPS
 * 	default y
 * 	help
 *
 * 	  Page by page:
 * 	        --pages PID    where each page lies (PFN), the flags and the map count
 * 	                       the kernel has for it, swap slots; alike pages that
 * 	                       follow each other are one row, in --json and --ndjson too
 *
 * config MEMMAPS_SNAPSHOT
 * 	bool "snapshots of /proc as tar (6 kb)"
 * 	depends on MEMMAPS
 * 	default y
 * 	help
 *
 * 	  For later, or for someone else:
 * 	        --snapshot FILE  PID... or --all (the default): a tar archive of what
 * 	                       /proc and /sys say of memory, per process cmdline maps
 * 	                       smaps status stat statm environ pagemap fd exe root cwd,
 * 	                       and the machine's kpageflags, kpagecount, meminfo and so
 * 	                       on; .tar.gz and .tar.lz4 compress; --force replaces
 * 	                       FILE, - is standard output
 * 	        --skip-environ without the environments, where secrets often are
 * 	                       GNU tar unpacks it (pagemap is a sparse file); memmaps,
 * 	                       memstats and shmat's list read the directory with
 * 	                       --root DIR. What memidle and memtrack measure, and what
 * 	                       memdump dumps, needs the machine. Names of files and
 * 	                       command lines are in it all the same.
 *
 * config MEMMAPS_PICTURE
 * 	bool "pictures, PNG and terminal (13 kb)"
 * 	depends on MEMMAPS
 * 	default y
 * 	help
 *
 * 	  Pictures, a Hilbert curve through blocks, so that neighbours stay neighbours:
 * 	        --png FILE     physical memory, an indexed PNG; --force replaces FILE
 * 	        --term         on the terminal, in colour or else in letters
 * 	        --color BY     mapped (default), process, user, cgroup: who maps a page;
 * 	                       flags: what for; order: block sizes, fragmentation
 * 	        --pid PID      what PID maps alone, what it shares, what others have
 * 	        --virtual PID  with --png or --term: PID's address space instead:
 * 	                       resident, huge, swapped, absent
 * 	        --scale N      N pages a pixel (default: up to 4 million pixels)
 * 	                       The legend's sizes are exact, a pixel shows what most of
 * 	                       its pages are (--virtual: if any is resident). Memory
 * 	                       used: 2 to 3 bytes for each page of RAM.
 */
#include "picture.h"
#include "watch.h"

enum {
	OPT_SORT = 256 + 16, OPT_MIN, OPT_TYPE, OPT_SKIP_KERNEL, OPT_BYTES,
	OPT_JSON, OPT_NDJSON, OPT_SMAPS, OPT_FULL, OPT_COMPACT, OPT_FORCE,
	OPT_INTERVAL, OPT_COUNT, OPT_PAGES, OPT_PNG,
	OPT_WATCH, OPT_DIFF, OPT_LEAKS, OPT_TOP, OPT_SNAPSHOT, OPT_SKIP_ENVIRON,
	OPT_TERM, OPT_COLOR, OPT_PID, OPT_VIRTUAL, OPT_SCALE,
};

static const struct opt options[] = {
	{ "all", 'a' }, { "extended", 'x' }, { "sort", OPT_SORT, OPT_ARG },
	{ "min", OPT_MIN, OPT_ARG }, { "type", OPT_TYPE, OPT_ARG },
	{ "skip-kernel", OPT_SKIP_KERNEL }, { "bytes", OPT_BYTES },
	{ "json", OPT_JSON }, { "ndjson", OPT_NDJSON }, { "smaps", OPT_SMAPS },
	{ "full", OPT_FULL }, { "compact", OPT_COMPACT },
	{ "output", 'o', OPT_ARG }, { "force", OPT_FORCE },
	{ "interval", OPT_INTERVAL, OPT_ARG },
	{ "count", OPT_COUNT, OPT_ARG },
	{ "watch", OPT_WATCH, .lacks = !CFG_MEMMAPS_WATCH },
	{ "diff", OPT_DIFF, .lacks = !CFG_MEMMAPS_WATCH },
	{ "leak-suspects", OPT_LEAKS, .lacks = !CFG_MEMMAPS_WATCH },
	{ "top", OPT_TOP, OPT_ARG, !CFG_MEMMAPS_WATCH },
	{ "pages", OPT_PAGES, .lacks = !CFG_MEMMAPS_PAGES },
	{ "snapshot", OPT_SNAPSHOT, OPT_ARG, !CFG_MEMMAPS_SNAPSHOT },
	{ "skip-environ", OPT_SKIP_ENVIRON, .lacks = !CFG_MEMMAPS_SNAPSHOT },
	{ "png", OPT_PNG, OPT_ARG, !CFG_MEMMAPS_PICTURE },
	{ "term", OPT_TERM, .lacks = !CFG_MEMMAPS_PICTURE },
	{ "color", OPT_COLOR, OPT_ARG, !CFG_MEMMAPS_PICTURE },
	{ "pid", OPT_PID, OPT_ARG, !CFG_MEMMAPS_PICTURE },
	{ "virtual", OPT_VIRTUAL, OPT_ARG, !CFG_MEMMAPS_PICTURE },
	{ "scale", OPT_SCALE, OPT_ARG, !CFG_MEMMAPS_PICTURE },
	{ 0 }
};

struct picture_ask picture_ask;
struct ask ask = { .count = 1, .interval = 1000000000, .top = 20 };

static void
ask_order(const char *name)
{
	static const char *const names[] = { [BY_ADDRESS] = "address",
		[BY_SIZE] = "size", [BY_RSS] = "rss", [BY_PSS] = "pss",
		[BY_SWAP] = "swap" };
	unsigned i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(name, names[i])) {
			ask.order = i;
			return;
		}
	usage_die("--sort: '%s' is not size, rss, pss, swap or address", name);
}

static u32
bit_of(const char *s, size_t n, const char *const *names, unsigned count)
{
	unsigned i;

	for (i = 0; n && i < count; i++)
		if (strlen(names[i]) == n && !memcmp(names[i], s, n))
			return 1u << i;
	return 0;
}

static void
ask_types(const char *list)
{
	for (;; list++) {
		size_t n = strcspn(list, ",");
		u32 type = bit_of(list, n, region_type_names, REGION_TYPES);
		u32 kind = bit_of(list, n, region_kind_names, REGION_KINDS);

		if (!type && !kind)
			usage_die("--type: '%.*s' is neither a type nor a "
				"subtype (see --help)", (int)n, list);
		ask.types |= type;
		ask.kinds |= kind;
		list += n;
		if (!*list)
			break;
	}
}

static void
ask_interval(const char *s)
{
	ask.interval = xparse_time("--interval", s, 1000000);
	if (!ask.interval)
		usage_die("--interval: more than 0");
	ask.sampling = 1;
}

/* By --output, --png or --snapshot, not by two of them. */
static void
ask_output(int id, const char *path)
{
	static int by;

	if (by && by != id)
		usage_die("one output: --output, --png or --snapshot");
	by = id;
	ask.output = path;
}

/* Of the things memmaps can do, one at a time. */
static void
act(int (*what)(void))
{
	if (ask.action && ask.action != what)
		usage_die("one of --pages, --watch, --diff, --leak-suspects, "
			"--png, --term, --snapshot");
	ask.action = what;
}

static void
ask_color(const char *name)
{
	static const char *const names[COLORS] = { "mapped", "process",
		"user", "cgroup", "flags", "order" };
	unsigned i;

	for (i = 0; i < COLORS; i++)
		if (!strcmp(name, names[i])) {
			picture_ask.color = i;
			return;
		}
	usage_die("--color: '%s' is not mapped, process, user, cgroup, flags "
		"or order", name);
}

static void
ask_picture(int id, const char *arg)
{
	switch (id) {
	case OPT_COLOR: ask_color(arg); return;
	case OPT_PID: picture_ask.pid = xparse_pid("--pid", arg); return;
	case OPT_SCALE:
		picture_ask.scale = xparse_u64("--scale", arg);
		if (!picture_ask.scale)
			usage_die("--scale: more than 0");
		return;
	case OPT_VIRTUAL:
		picture_ask.pid = xparse_pid("--virtual", arg);
		ask.action = virtual_sample;
		return;
	case OPT_PNG: ask_output(id, arg); break;
	case OPT_TERM: picture_ask.term = 1; break;
	}
	picture_ask.asked = 1;
	if (ask.action != virtual_sample)
		act(picture_sample);
}

static void
ask_watch(int id, const char *arg)
{
	u64 n;

	switch (id) {
	case OPT_WATCH: act(watch_sample); break;
	case OPT_DIFF: act(diff_files); break;
	case OPT_LEAKS:
		act(leak_sample);
		ask.leaks = 1;
		break;
	case OPT_TOP:
		n = xparse_u64("--top", arg);
		if (!n || n > 1000)
			usage_die("--top: 1 to 1000");
		ask.top = (unsigned)n;
		break;
	}
}

static void
ask_option(int id, const char *arg)
{
	switch (id) {
	case 'a': ask.all = 1; break;
	case 'x': ask.extended = 1; break;
	case 'o': ask_output(id, arg); break;
	case OPT_SORT: ask_order(arg); break;
	case OPT_MIN: ask.min = xparse_size("--min", arg); break;
	case OPT_TYPE: ask_types(arg); break;
	case OPT_SKIP_KERNEL: ask.skip_kernel = 1; break;
	case OPT_BYTES: ask.bytes = 1; break;
	case OPT_JSON: ask.json = 1; break;
	case OPT_NDJSON: ask.json = ask.ndjson = 1; break;
	case OPT_SMAPS: ask.smaps = 1; break;
	case OPT_FULL: ask.full = ask.smaps = 1; break;
	case OPT_COMPACT: ask.compact = 1; break;
	case OPT_FORCE: ask.force = 1; break;
	case OPT_INTERVAL: ask_interval(arg); break;
	case OPT_PAGES: act(CFG_MEMMAPS_PAGES ? pages_sample : NULL); break;
	case OPT_COUNT:
		ask.count = xparse_u64("--count", arg);
		ask.counted = 1;
		ask.sampling = ask.count != 1;
		break;
	case OPT_SKIP_ENVIRON: ask.skip_environ = 1; break;
	case OPT_SNAPSHOT:
		act(CFG_MEMMAPS_SNAPSHOT ? snapshot_sample : NULL);
		ask_output(id, arg);
		break;
	case OPT_WATCH:
	case OPT_DIFF:
	case OPT_LEAKS:
	case OPT_TOP:
		if (CFG_MEMMAPS_WATCH)
			ask_watch(id, arg);
		break;
	default:
		if (CFG_MEMMAPS_PICTURE)
			ask_picture(id, arg);
	}
}

static void
ask_operands(char **operands)
{
	char **p;

	for (p = operands; *p; p++)
		xparse_pid("PID", *p);
	ask.pids = operands;
	ask.pid_count = (unsigned)(p - operands);
}

/* memc's own words for what the common options call otherwise. */
static void
memc_words(char **argv)
{
	static char version[] = "--version";

	ask.as_memc = ask.json = 1;
	while (*++argv && strcmp(*argv, "--"))
		if (!strcmp(*argv, "-v"))
			*argv = version;
}

int
memmaps_main(char **argv)
{
	struct opts o;
	int id, code;

	if (!strcmp(applet_name, "memc"))
		memc_words(argv);
	opt_open(&o, argv, options);
	while ((id = opt_next(&o)) != OPT_END)
		ask_option(id, o.arg);
	if (CFG_MEMMAPS_WATCH && ask.action == diff_files)
		check_diff(o.operands);
	else
		ask_operands(o.operands);
	check_ask();
	stop_on_signals();
	report_open();
	if (!ask.action)
		ask.action = ask.json ? emit_sample : table_sample;
	code = sample_all(ask.action);
	if (CFG_MEMMAPS_WATCH && ask.action == leak_sample)
		leak_report();
	return report_end(code);
}
