/* owner.c - page_owner's text, of every kernel from 4.19 on:
 *
 *	Page allocated via order 0, mask 0x..(GFP..), pid 1, tgid 1 (init), ts 5 ns
 *	PFN 0x1000 type Unmovable Block 8 type Unmovable Flags 0x..(..)
 *	 func+0x1/0x2 [module]		(innermost first)
 *	Page has been migrated, last migrate reason: compaction
 *	Charged to memcg ..
 *	(an empty line)
 *
 * pid came with 5.11, tgid and comm with 5.18; PFNs were decimal until 6.1.
 */
#include "memtrack.h"

static struct record {
	int open, pid, tgid, bad;
	unsigned order, frames;
	u64 ts;
	u32 module;
	char comm[32];
	size_t comm_len;
	u64 frame[FRAMES_MAX];
} rec;
static int by_thread;

/* The number after key in the line; 0 when there is none. */
static u64
number_at(const char *line, const char *key)
{
	const char *p = strstr(line, key);
	u64 v = 0;

	if (p) {
		p += strlen(key);
		scan_u64(&p, &v);
	}
	return v;
}

/* "tgid 12 (any (text)), ts 5": up to the last "), ts ". */
static void
take_comm(const char *line)
{
	const char *start = strstr(line, ", tgid "), *end = NULL, *p;

	if (!start || !(start = strchr(start, '(')))
		return;
	start++;
	for (p = start; (p = strstr(p, "), ts ")); p++)
		end = p;
	if (!end)
		return;
	rec.comm_len = (size_t)(end - start);
	if (rec.comm_len > sizeof(rec.comm))
		rec.comm_len = sizeof(rec.comm);
	memcpy(rec.comm, start, rec.comm_len);
}

static void
begin(const char *line)
{
	const char *p = strstr(line, "order ");
	u64 order;

	rec.open = 1;
	rec.frames = rec.module = 0;
	rec.comm_len = 0;
	if (p)
		p += 6;
	rec.bad = !p || scan_u64(&p, &order) < 0 || order > 20;
	if (rec.bad)
		return;
	rec.order = (unsigned)order;
	rec.pid = (int)number_at(line, ", pid ");
	rec.tgid = (int)number_at(line, ", tgid ");
	rec.ts = number_at(line, ", ts ");
	take_comm(line);
}

static void
take_frame(char *line, size_t n)
{
	char *module = memrchr(line, '[', n);

	if (rec.frames == FRAMES_MAX) {
		counts.cut_stacks++;
		return;
	}
	rec.frame[rec.frames++] = syms_intern(line, n);
	if (!rec.module && module && line[n - 1] == ']')
		rec.module = module_named(module + 1,
			(size_t)(line + n - 2 - module));
}

static void
finish(void)
{
	int pid = rec.tgid && !by_thread ? rec.tgid : rec.pid;
	u32 task;

	if (!rec.open)
		return;
	rec.open = 0;
	if (rec.bad) {
		counts.bad_records++;
		return;
	}
	counts.allocs++;
	if (!first_ts || rec.ts < first_ts)
		first_ts = rec.ts;
	if (rec.ts > last_ts)
		last_ts = rec.ts;
	acct_room();
	if (!pid)
		task = task_named(0, "<early-init>", 12);
	else
		task = task_named(pid, rec.comm, rec.comm_len);
	leaf_add(acct_leaf(task, rec.module,
		acct_stack(rec.frame, rec.frames)), 1ull << rec.order, rec.ts);
}

void
owner_parse(int fd, int threads)
{
	static char buf[8192];
	struct lines l;
	char *line;
	size_t n;

	by_thread = threads;
	rec.open = 0;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n))) {
		if (!strncmp(line, "Page allocated via ", 19)) {
			finish();
			begin(line);
		} else if (!n) {
			finish();
		} else if (rec.open && *line == ' ') {
			take_frame(line + 1, n - 1);
		}
	}
	finish();
	if (l.err) {
		errno = l.err;
		warn("read page_owner:");
	}
}

int
owner_read(const char *file, int threads)
{
	static const char kernel[] = "/sys/kernel/debug/page_owner";
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC)
		: root_open(kernel, O_RDONLY);

	if (fd < 0 && file)
		return warn("open %s:", file);
	if (fd < 0 && errno == ENOENT)
		return warn("no %s: debugfs is not mounted (mount -t debugfs "
			"debugfs /sys/kernel/debug), or the kernel lacks "
			"CONFIG_PAGE_OWNER or was booted without page_owner=on",
			kernel);
	if (fd < 0)
		return warn("open %s:", kernel);
	owner_parse(fd, threads);
	close(fd);
	if (!counts.allocs)
		return warn("%s: no page_owner records (%lu lines that are "
			"none); the kernel must be booted with page_owner=on",
			file ? file : kernel,
			(unsigned long)counts.bad_records);
	return 0;
}
