/* memstats - who has the RAM: processes and groups, page by page
 *
 * config MEMSTATS
 * 	bool "memstats (37 kb)"
 * 	default y
 * 	help
 * 	  usage: memstats [OPTION]...
 * 	         memstats groups SPLIT... [OPTION]...
 * 	         memstats shm | tmpfs | ram | instances [OPTION]...
 *
 * 	  Tells who has the RAM, from the pages themselves: every page of every process
 * 	  is looked up once, so what processes share counts once in a group, and a
 * 	  group's own memory (USS) is what no process outside has.
 *
 * 	  Without a word: one row a process. PSS: its pages, each divided by the
 * 	  processes that have it; USS: what nobody else has; RSS: all it has.
 *
 * 	  groups: one table a split, all from one scan. A process joins the first group
 * 	  that matches; the rest is "Other".
 * 	    -u, --split-uid          by user
 * 	    -e, --split-env VAR      by the value of an environment variable
 * 	    -p, --split-pids P[,P]   these processes are a group (repeatable)
 * 	    -c, --split-custom EXPR[,EXPR]...  a group an expression (repeatable: a
 * 	                             table each)
 * 	        --split-comm, --split-exe, --split-session
 * 	        --split-cgroup       and memory.current, memory.max, oom events
 * 	        --split-container    innermost cgroup named by 64 hex digits
 * 	        --split-tree         by ancestor below init
 * 	        --compat             linux-mem's columns first, in MB of 10^6 bytes
 * 	  Columns: rss, uss, pss; anon, file, shmem: what rss is; swap; shm: whole
 * 	  System V segments attached, whoever touched them.
 *
 * 	  shm: System V, POSIX and memfd memory, who has it; touches none of it.
 * 	  tmpfs: mounts with their limits and biggest files (--top N of each).
 * 	  ram: every page of RAM by what it is, from its flags (about 0.1 us a page).
 *
 * 	    -f, --filter EXPR   only these processes (USS and PSS stay against all)
 * 	    -x, --extended      more columns
 * 	        --sort COLUMN   biggest first (default: pss; groups: rss)
 * 	        --top N         only the first N rows
 * 	        --bytes         sizes as plain integers
 * 	        --format FORMAT table, json, ndjson, csv, prom; --json is --format json
 * 	        --interval S, --count N   sample again every S seconds, N times (0: until
 * 	                        ^C); tables then show what PSS changed by
 * 	    -o, --output FILE   written whole or not at all; --force: replace FILE
 * 	    -m, --mem-limit SIZE  refuse to need more (default: half of MemAvailable;
 * 	                        a bare number is MiB)
 * 	        --cost          say how much that would be, and stop
 * 	        --progress      how far, on a terminal
 * 	        --root DIR      read DIR/proc and DIR/sys, a captured tree: PSS and USS
 * 	                        then count the processes captured in it, no others
 *
 * 	  EXPR: true() false() and(E,..) or(E,..) not(E) uid(N|NAME) pid(N) ppid(N)
 * 	  session(N) comm(TEXT) descendants(PID) env_k(VAR) env_kv(VAR,VALUE)
 * 	  cgroup(GLOB) exe(GLOB) cmdline(GLOB) rss(>SIZE). Quote what holds , ( or ).
 *
 * 	  Pages of a huge page pool are in rss, uss and pss here; the kernel's own sums
 * 	  (smaps_rollup) leave them out. Pages of zeroes that were only read, device
 * 	  memory and the kernel's [vvar] count nowhere. Swapped pages of tmpfs and
 * 	  System V segments are not in swap (see shm_swap). Kernel threads are left out.
 *
 * 	  Exit status: 0 done; 1 failed; 2 usage; 3 some processes could not be read.
 *
 * 	  Examples:
 * 	    memstats --top 10                      who has most?
 * 	    memstats groups -u --split-cgroup      by user, by cgroup
 * 	    memstats groups -c 'and(uid(postgres),not(comm(psql))),env_k(ORACLE_SID)'
 * 	    memstats --format prom -o /var/lib/node_exporter/mem.prom --force
 *
 * config MEMSTATS_TWO_BITS
 * 	bool "two bits a page (2 kb)"
 * 	depends on MEMSTATS
 * 	default y
 * 	help
 * 	        --two-bits      2 bits a page instead of 16, two scans, no PSS
 *
 * config MEMSTATS_INSTANCES
 * 	bool "memstats instances (3 kb)"
 * 	depends on MEMSTATS
 * 	default y
 * 	help
 * 	  memstats instances: Oracle, PostgreSQL, MySQL and MariaDB instances, found by
 * 	  their processes. sga: shared memory they have; pga: the sum of what each of
 * 	  their processes has alone.
 *
 * config MEMSTATS_RUN
 * 	bool "a command for each instance (2 kb)"
 * 	depends on MEMSTATS_INSTANCES
 * 	default y
 * 	help
 * 	        --run CMD       instances: sh -c CMD as each one's owner with its
 * 	                        environment; exit status, seconds, last line of output
 * 	        --timeout TIME  for each (60 s)
 *
 * config MEMSTATS_THREADS
 * 	bool "memstats by several threads (5 kb)"
 * 	depends on MEMSTATS
 * 	default y
 * 	help
 * 	    -t, --threads N     read big mappings by N threads (1)
 */
#include "list.h"
#include "memstats.h"

enum {
	OPT_FORMAT = 256 + 16, OPT_JSON, OPT_BYTES, OPT_SORT, OPT_TOP,
	OPT_INTERVAL, OPT_COUNT, OPT_FORCE, OPT_COST, OPT_PROGRESS, OPT_COMPAT,
	OPT_TWO_BITS, OPT_RUN, OPT_TIMEOUT,
	OPT_SPLIT,		/* and from here on its kind is added */
	OPT_END_SPLIT = OPT_SPLIT + SPLIT_ALL,
};

static const struct opt options[] = {
	{ "split-uid", 'u' }, { "split-env", 'e', OPT_ARG },
	{ "split-pids", 'p', OPT_ARG }, { "split-custom", 'c', OPT_ARG },
	{ "split-comm", OPT_SPLIT + SPLIT_COMM },
	{ "split-exe", OPT_SPLIT + SPLIT_EXE },
	{ "split-cgroup", OPT_SPLIT + SPLIT_CGROUP },
	{ "split-container", OPT_SPLIT + SPLIT_CONTAINER },
	{ "split-session", OPT_SPLIT + SPLIT_SESSION },
	{ "split-tree", OPT_SPLIT + SPLIT_TREE },
	{ "compat", OPT_COMPAT }, { "filter", 'f', OPT_ARG },
	{ "extended", 'x' }, { "sort", OPT_SORT, OPT_ARG },
	{ "top", OPT_TOP, OPT_ARG }, { "bytes", OPT_BYTES },
	{ "format", OPT_FORMAT, OPT_ARG }, { "json", OPT_JSON },
	{ "interval", OPT_INTERVAL, OPT_ARG },
	{ "count", OPT_COUNT, OPT_ARG }, { "output", 'o', OPT_ARG },
	{ "force", OPT_FORCE }, { "mem-limit", 'm', OPT_ARG },
	{ "two-bits", OPT_TWO_BITS, .lacks = !CFG_MEMSTATS_TWO_BITS },
	{ "run", OPT_RUN, OPT_ARG, .lacks = !CFG_MEMSTATS_RUN },
	{ "timeout", OPT_TIMEOUT, OPT_ARG, .lacks = !CFG_MEMSTATS_RUN },
	{ "threads", 't', OPT_ARG, .lacks = !CFG_MEMSTATS_THREADS },
	{ "cost", OPT_COST }, { "progress", OPT_PROGRESS },
	{ 0 }
};

struct print_opts print = { .timeout = 60ull * 1000000000 };
static const struct filter *filter;
static const char *output;
static u64 interval, count = 1;
static int count_given, force, cost;

static void
option_limit(const char *arg)
{
	u64 mib;

	scan.mem_limit = !parse_u64(arg, &mib) && mib < GIB ? mib * MIB
		: xparse_size("--mem-limit", arg);
	if (!scan.mem_limit)
		usage_die("--mem-limit: 0 is too little");
}

static void
option_threads(const char *arg)
{
	u64 n = xparse_u64("--threads", arg);

	if (!n || n > THREADS_MAX)
		usage_die("--threads: 1 to %d", THREADS_MAX);
	scan.threads = (unsigned)n;
}

static void
option(int id, const char *arg)
{
	switch (id) {
	case 'u': split_add(SPLIT_UID, NULL); break;
	case 'e': split_add(SPLIT_ENV, arg); break;
	case 'p': split_add_pids(arg); break;
	case 'c': split_add_custom(arg); break;
	case 'f': filter = filter_parse("--filter", arg); break;
	case 'x': print.extra = 1; break;
	case 'o': output = arg; break;
	case 'm': option_limit(arg); break;
	case OPT_SORT: print.sort = arg; break;
	case OPT_TOP: print.top = xparse_u64("--top", arg); break;
	case OPT_BYTES: print.bytes = 1; break;
	case OPT_JSON: print.format = ROWS_JSON; break;
	case OPT_COMPAT: print.compat = 1; break;
	case OPT_FORCE: force = 1; break;
	case OPT_COST: cost = 1; break;
	case 't': option_threads(arg); break;
	case OPT_RUN: print.run = arg; break;
	case OPT_TIMEOUT:
		print.timeout = xparse_time("--timeout", arg, 1000000000);
		break;
	case OPT_TWO_BITS: scan.two_bits = 1; break;
	case OPT_PROGRESS: scan.progress = 1; break;
	case OPT_INTERVAL:
		interval = xparse_time("--interval", arg, 1000000000);
		if (!interval)
			usage_die("--interval: 0 is too short");
		break;
	case OPT_COUNT:
		count = xparse_u64("--count", arg);
		count_given = 1;
		break;
	case OPT_FORMAT:
		if (rows_format_of(arg, &print.format) < 0)
			usage_die("--format %s: there are table, json, ndjson, "
				"csv and prom", arg);
		break;
	default:
		split_add(id - OPT_SPLIT, NULL);
	}
}

static void
scan_once(void)
{
	scan.vanished = 0;
	scan.swap_lost = 0;
	attach_reset();
	procs_load();
	splits_assign(filter);
	scan_run();
	scan_usage();
	splits_usage();
}

static int
show_cost(void)
{
	static const struct col cols[] = {
		{ "mode", -9, COL_TEXT }, { "memory", 10, COL_BYTES },
	};
	struct rows r;
	struct out o;

	out_open(&o, 1);
	rows_open(&r, &o, print.format, cols, ARRAY_LEN(cols));
	r.bytes = print.bytes;
	if (print.format == ROWS_JSON)
		json_array(&r.json);
	while (rows_pass(&r)) {
		rows_text(&r, "classes");
		rows_u64(&r, scan_cost(0, split_count));
		rows_end(&r);
		if (!CFG_MEMSTATS_TWO_BITS)
			continue;
		rows_text(&r, "two bits");
		rows_u64(&r, scan_cost(1, split_count));
		rows_end(&r);
	}
	if (print.format == ROWS_JSON)
		json_close(&r.json);
	return out_finish(&o, "standard output");
}

/* What a verb prints: 0, 3, or 1 after a message. */
typedef int report_fn(struct out *o);

static int
report_scan(struct out *o)
{
	int status = EXIT_DONE;

	scan_once();
	if (stop_signal)
		return warn("interrupted: this scan is not shown");
	if (splits[0].kind == SPLIT_ALL)
		print_processes(o, &print);
	else if (CFG_MEMSTATS_INSTANCES && splits[0].kind == SPLIT_INSTANCE)
		status = print_instances(o);
	else
		print_groups(o, &print);
	print_notes();
	return scan_complete() ? status : EXIT_PARTIAL;
}

static int
report_shm(struct out *o)
{
	const struct shm_list list = { .format = print.format,
		.bytes = print.bytes,
		.kinds = SHM_SYSV | SHM_POSIX | SHM_MEMFD };

	return shm_list(o, &list);
}

/* One sample written to fd. */
static int
sample(int fd, report_fn *report)
{
	static char buf[65536];
	struct out o;
	int status;

	out_open(&o, fd);
	out_buffer(&o, buf, sizeof(buf));
	status = report(&o);
	if (status != EXIT_FAILED &&
	    out_finish(&o, output ? output : "standard output"))
		status = EXIT_FAILED;
	return status;
}

/* Prometheus reads a file that is replaced with each sample; of the other
 * formats one file holds them all. */
static int
samples(report_fn *report)
{
	int flags = OUTFILE_ANYFS | (force ? OUTFILE_FORCE : 0);
	int each = print.format == ROWS_PROM, status = EXIT_DONE, worst = 0;
	static struct outfile f = { .fd = 1 };
	u64 next = now_ns(), n = 0;

	do {
		if (output && (!n || each) &&
		    outfile_open(&f, output, flags) < 0)
			return EXIT_FAILED;
		status = sample(f.fd, report);
		if (status > worst)
			worst = status;
		if (status == EXIT_FAILED) {
			if (n && stop_signal)
				break;
			outfile_abort(&f);
			return EXIT_FAILED;
		}
		if (output && each) {
			if (outfile_commit(&f) < 0)
				return EXIT_FAILED;
			flags |= OUTFILE_FORCE;
		}
		next += interval;
	} while (++n != count && interval && !sleep_until(next));
	if (output && !each && outfile_commit(&f) < 0)
		return EXIT_FAILED;
	return worst == EXIT_FAILED ? EXIT_DONE : worst;
}

static int
scan_main(int groups, int instances)
{
	if (groups)
		check_sort_groups(print.sort);
	else if (!instances)
		check_sort_processes(print.sort);
	if (groups && !split_count)
		usage_die("groups: by what? give a split, like --split-uid");
	if (print.run && print.format == ROWS_PROM)
		usage_die("--run: not as prom");
	if (print.run)
		root_refuse("--run");
	if (!groups)
		split_add(instances ? SPLIT_INSTANCE : SPLIT_ALL, NULL);
	if (cost)
		return show_cost();
	print.sampling = !!interval;
	scan_open(split_count);
	procs.want_oom = !groups;
	procs_open(print.sampling);
	splits_open(print.sampling);
	return samples(report_scan);
}

static const struct verb {
	const char *name;
	report_fn *report;
} verbs[] = {
	{ "shm", report_shm }, { "tmpfs", report_tmpfs },
	{ "ram", report_ram },
};

int
memstats_main(char **argv)
{
	struct opts o;
	const char *verb;
	size_t i;
	int id, groups, instances;

	opt_open(&o, argv, options);
	while ((id = opt_next(&o)) != OPT_END)
		option(id, o.arg);
	verb = o.operands[0];
	if (verb && o.operands[1])
		usage_die("what is '%s'?", o.operands[1]);
	groups = verb && !strcmp(verb, "groups");
	if (split_count && !groups)
		usage_die("a split belongs to groups: memstats groups ..");
	if (count_given && !interval && count != 1)
		usage_die("--count needs --interval");
	if (interval && !count_given)
		count = 0;
	stop_on_signals();
	instances = verb && !strcmp(verb, "instances");
	if (instances && !CFG_MEMSTATS_INSTANCES)
		usage_die("instances: not in this build");
	if (print.run && !instances)
		usage_die("--run goes with instances");
	if (!verb || groups || instances)
		return scan_main(groups, instances);
	if (filter)
		usage_die("--filter chooses processes: not with %s", verb);
	for (i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(verb, verbs[i].name))
			return samples(verbs[i].report);
	usage_die("what is '%s'? groups, shm, tmpfs, ram, instances", verb);
}
