/* snapshot.c - what /proc and /sys say of memory, into a tar archive from which
 * --root DIR reads again. A text file of the kernel has no size before it is
 * read: it is read whole into a mapping first, one file at a time. */
#include "flow.h"
#include "tar.h"
#include "walk.h"

enum { NAME_SIZE = 96, EXTENTS_MAX = 1 << 22, CHUNK = 1 << 16 };
static const size_t text_most = 1u << 30;

static struct {
	struct arena text, extents;
	struct walk walk;
	u64 processes;
	struct skipped skipped;
} s;

/* ---- files ---- */

/* The whole file into the mapping; its length, or -1. */
static ssize_t
read_text(int fd)
{
	size_t used = 0;
	ssize_t n;

	while (used < s.text.size) {
		size_t room = s.text.size - used;

		n = read(fd, s.text.base + used, room < CHUNK ? room : CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && !used)
			return -1;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

/* Puts a file as it is; -1 with errno when it cannot be read. */
static int
put_file(const char *name)
{
	char path[NAME_SIZE + 1];
	ssize_t n;
	int fd;

	fmt_str(path, sizeof(path), "/%s", name);
	fd = root_open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	n = read_text(fd);
	close(fd);
	if (n < 0)
		return -1;
	tar_file(name, s.text.base, (size_t)n);
	return 0;
}

static void
put_link(int pid, const char *what)
{
	static char target[PATH_MAX];
	char name[NAME_SIZE];

	if (proc_link(pid, what, target, sizeof(target)) <= 0)
		return;
	fmt_str(name, sizeof(name), "proc/%d/%s", pid, what);
	tar_link(name, target);
}

static void
put_fds(int pid)
{
	struct dirs fds;
	char name[NAME_SIZE];
	const char *fd;

	if (dirs_open(&fds, proc_open(pid, "fd", O_RDONLY | O_DIRECTORY)) < 0)
		return;
	fmt_str(name, sizeof(name), "proc/%d/fd/", pid);
	tar_directory(name);
	while ((fd = dirs_next(&fds))) {
		fmt_str(name, sizeof(name), "fd/%s", fd);
		put_link(pid, name);
	}
	dirs_close(&fds);
}

/* ---- pagemap ---- */

/* GNU tar wants extents of whole blocks: entries 64 at a time. */
enum { ALIGN = TAR_BLOCK / 8 };

static void
add_extent(u64 vpn)
{
	struct extent *e = (void *)s.extents.base;
	size_t n = s.extents.used / sizeof(*e);
	u64 offset = vpn / ALIGN * TAR_BLOCK;

	if (n && e[n - 1].offset + e[n - 1].size > offset)
		return;
	if (n && e[n - 1].offset + e[n - 1].size == offset) {
		e[n - 1].size += TAR_BLOCK;
		return;
	}
	e = arena_take(&s.extents, sizeof(*e));
	if (!e)
		die("a process with more than %d runs of pages", EXTENTS_MAX);
	*e = (struct extent){ offset, TAR_BLOCK };
}

static void
take_entries(void *arg, u64 vpn, const u64 *e, size_t n)
{
	size_t i;

	(void)arg;
	for (i = 0; i < n; i++)
		if (e[i] & (PM_PRESENT | PM_SWAP))
			add_extent(vpn + i);
}

/* The entries of the extents, as many as were counted: what is gone meanwhile
 * is zero. */
static void
put_entries(int fd)
{
	static u64 entries[CHUNK / 8];
	const struct extent *e = (void *)s.extents.base;
	size_t count = s.extents.used / sizeof(*e), i;
	u64 at, left, n;

	for (i = 0; i < count; i++)
		for (at = e[i].offset / 8, left = e[i].size / 8; left;
		     at += n, left -= n) {
			ssize_t got;

			n = left < CHUNK / 8 ? left : CHUNK / 8;
			got = pagemap_read(fd, at, entries, n);
			if (got < 0)
				got = 0;
			memset(entries + got, 0, (n - (u64)got) * 8);
			tar_data(entries, n * 8);
		}
	tar_pad();
}

static int
put_pagemap(int pid, u64 resident)
{
	static struct regions regions;
	static struct region g;
	static char lines[8192];
	char name[NAME_SIZE];
	u64 end = 0;

	s.walk.entries = take_entries;
	s.extents.used = 0;
	if (walk_open(&s.walk, pid, resident) < 0)
		return -1;
	if (regions_open(&regions, pid, 0, lines, sizeof(lines)) < 0) {
		walk_close(&s.walk);
		return -1;
	}
	while (regions_next(&regions, &g) > 0) {
		if (g.type == REGION_VSYSCALL)
			continue;
		walk_pages(&s.walk, g.vma.start / page_size,
			g.vma.end / page_size);
		end = g.vma.end / page_size;
	}
	regions_close(&regions);
	fmt_str(name, sizeof(name), "proc/%d/pagemap", pid);
	end = (end + ALIGN - 1) / ALIGN * TAR_BLOCK;
	tar_begin_sparse(name, end, (void *)s.extents.base,
		s.extents.used / sizeof(struct extent));
	put_entries(s.walk.fd);
	walk_close(&s.walk);
	return 0;
}

/* ---- processes ---- */

static void
put_process(int pid)
{
	static const char *const files[] = { "maps", "smaps", "status", "stat",
		"statm", "cmdline", "comm", "cgroup", "oom_score",
		"oom_score_adj" };
	static const char *const links[] = { "exe", "root", "cwd" };
	struct procstat st = { 0 };
	char name[NAME_SIZE];
	unsigned i;
	enum skip why = SKIP_NOT;

	procstat_read(pid, &st);
	fmt_str(name, sizeof(name), "proc/%d/", pid);
	tar_directory(name);
	for (i = 0; i < ARRAY_LEN(files); i++) {
		fmt_str(name, sizeof(name), "proc/%d/%s", pid, files[i]);
		if (put_file(name) < 0 && !i)
			why = skip_of_errno();
	}
	if (!ask.skip_environ) {
		fmt_str(name, sizeof(name), "proc/%d/environ", pid);
		put_file(name);
	}
	if (why == SKIP_NOT && !(st.flags & PF_KTHREAD_FLAG) &&
	    put_pagemap(pid, st.rss * page_size) < 0)
		why = skip_of_errno();
	put_fds(pid);
	for (i = 0; i < ARRAY_LEN(links); i++)
		put_link(pid, links[i]);
	s.skipped.count[why]++;
	s.processes += why == SKIP_NOT;
	if (why != SKIP_NOT && !ask.all)
		skip_tell(pid, why);
}

/* ---- the machine ---- */

/* kpageflags and the like are arrays over all of physical memory; the last
 * entry is where RAM ends. */
static void
put_array(const char *name, u64 end)
{
	static u64 entries[CHUNK / 8];
	char path[NAME_SIZE + 1];
	u64 pfn, n;
	ssize_t got = 0;
	int fd;

	fmt_str(path, sizeof(path), "/%s", name);
	fd = root_open(path, O_RDONLY);
	if (fd < 0 || kpage_read(fd, 0, entries, 1) != 1) {
		warn("read %s%s:", root_dir, path);
		if (fd >= 0)
			close(fd);
		return;
	}
	tar_begin(name, end * 8);
	for (pfn = 0; pfn < end; pfn += n) {
		n = end - pfn < CHUNK / 8 ? end - pfn : CHUNK / 8;
		if (got >= 0)
			got = kpage_read(fd, pfn, entries, n);
		memset(entries + (got < 0 ? 0 : got), 0,
			(n - (u64)(got < 0 ? 0 : got)) * 8);
		tar_data(entries, n * 8);
	}
	tar_pad();
	close(fd);
}

static void
put_arrays(void)
{
	static struct range ram[IOMEM_RANGES];
	int n = iomem_ram(ram, IOMEM_RANGES);

	if (n <= 0) {
		warn("read %s/proc/iomem (so no kpageflags and kpagecount):",
			root_dir);
		s.skipped.count[SKIP_DENIED]++;
		return;
	}
	put_array("proc/kpageflags", ram[n - 1].end / page_size);
	put_array("proc/kpagecount", ram[n - 1].end / page_size);
	put_array("proc/kpagecgroup", ram[n - 1].end / page_size);
}

static void
put_machine(void)
{
	static const char *const directories[] = { "proc/", "proc/sys/",
		"proc/sys/kernel/", "proc/sysvipc/", "proc/self/", "sys/",
		"sys/kernel/", "sys/kernel/mm/",
		"sys/kernel/mm/transparent_hugepage/", "sys/kernel/mm/ksm/",
		"etc/" };
	static const char *const files[] = { "proc/iomem", "proc/meminfo",
		"proc/vmstat", "proc/buddyinfo", "proc/pagetypeinfo",
		"proc/slabinfo", "proc/sysvipc/shm", "proc/swaps",
		"proc/zoneinfo", "proc/modules", "proc/mounts",
		"proc/self/mountinfo", "proc/uptime", "proc/version",
		"proc/cmdline", "proc/vmallocinfo", "proc/cpuinfo",
		"proc/sys/kernel/hostname", "proc/sys/kernel/osrelease",
		"proc/sys/kernel/pid_max",
		"sys/kernel/mm/transparent_hugepage/enabled",
		"sys/kernel/mm/transparent_hugepage/defrag",
		"sys/kernel/mm/transparent_hugepage/shmem_enabled",
		"sys/kernel/mm/ksm/run", "sys/kernel/mm/ksm/pages_shared",
		"sys/kernel/mm/ksm/pages_sharing",
		"etc/passwd" /* names for the uids */ };
	unsigned i;

	for (i = 0; i < ARRAY_LEN(directories); i++)
		tar_directory(directories[i]);
	for (i = 0; i < ARRAY_LEN(files); i++)
		put_file(files[i]);	/* what a kernel lacks is left out */
	put_arrays();
}

/* ---- where it goes ---- */

static struct sink sink;
static struct blocks blocks;
static int flow_error;		/* errno; kept, as a struct out does */

static void
to_report(const void *data, size_t n)
{
	out_put(&report, data, n);
}

static void
to_blocks(const void *data, size_t n)
{
	if (!flow_error && flow_put(&blocks.flow, data, n) < 0)
		flow_error = errno;
}

static int
ends_in(const char *name, const char *ending)
{
	size_t n = strlen(name), k = strlen(ending);

	return n > k && !strcmp(name + n - k, ending);
}

/* By the file's name. */
static const struct codec *
codec_wanted(void)
{
	const char *name = ask.output;
	int gzip = ends_in(name, ".gz") || ends_in(name, ".tgz");
	int lz4 = ends_in(name, ".lz4");

	if ((gzip && !CFG_CODEC_GZIP) || (lz4 && !CFG_CODEC_LZ4))
		die("%s: this build cannot compress so (see membox --config): "
			"name it .tar", name);
	if (CFG_CODEC_GZIP && gzip)
		return &codec_gzip;
	return CFG_CODEC_LZ4 && lz4 ? &codec_lz4 : NULL;
}

static void
open_output(void)
{
	const struct codec *codec = codec_wanted();
	long threads = sysconf(_SC_NPROCESSORS_ONLN);

	tar_out = to_report;
	if (!codec)
		return;
	sink_open(&sink, report.fd);
	if (blocks_open(&blocks, &sink.flow, codec, threads < 1 ? 1
	    : threads > 4 ? 4 : (unsigned)threads, 0) < 0)
		die("start compressing:");
	tar_out = to_blocks;
}

/* 0, or 1 after a message. */
static int
end_output(void)
{
	tar_end();
	if (tar_out == to_report)
		return 0;
	if (flow_end(&blocks.flow) < 0 && !flow_error)
		flow_error = errno;
	errno = flow_error;
	return flow_error ? warn("write %s:", ask.output) : 0;
}

int
snapshot_sample(void)
{
	static struct targets t;
	struct progress progress;
	u64 done = 0;
	int pid;

	if (arena_open(&s.text, text_most) < 0 || arena_open(&s.extents,
	    EXTENTS_MAX * sizeof(struct extent)) < 0)
		die("memory for the snapshot:");
	open_output();
	put_machine();
	if (targets_open(&t) < 0)
		return EXIT_FAILED;
	progress_open(&progress, "snapshot", 0);
	progress.unit = " processes";
	while (!stop_signal && !report.err && !flow_error && targets_next(&t, &pid)) {
		put_process(pid);
		progress_set(&progress, ++done);
	}
	progress_close(&progress);
	targets_close(&t);
	if (stop_signal)
		return warn("stopped by a signal: no snapshot");
	if (!ask.all && !s.processes)
		return EXIT_FAILED;
	if (end_output())
		return EXIT_FAILED;
	if (!ask.all)
		return s.processes < ask.pid_count ? EXIT_PARTIAL : EXIT_DONE;
	return skipped_tell(&s.skipped, s.processes);
}
