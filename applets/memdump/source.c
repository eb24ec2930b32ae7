/* source.c - finding a source, and reading it page by page if need be. */
#include "memdump.h"

static struct extent extents[EXTENTS];
static struct range lost[EXTENTS];
static struct hole holes[HOLES];
static char info[INFO_MAX];

static const struct kind {
	const char *name, *path;
	int (*open)(struct source *s);
} kinds[] = {
	/* In a crash kernel the RAM wanted is not its own. */
	{ "vmcore", "/proc/vmcore", vmcore_open },
	{ "kcore", "/proc/kcore", kcore_open },
	{ "crash", "/dev/crash", crash_open },
	{ "mem", "/dev/mem", mem_open },
};

int
source_refuse(struct source *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_vstr(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- why not ---- */

enum { CAP_SYS_RAWIO_BIT = 17, CAP_SYS_ADMIN_BIT = 21 };

/* 0 when the capability is known to be missing. */
static int
capable(unsigned bit)
{
	static const char key[] = "\nCapEff:";
	char text[1536];
	const char *p;
	u64 caps;

	if (*root_dir || proc_slurp(getpid(), "status", text,
	    sizeof(text)) < 0)
		return 1;
	p = strstr(text, key);
	if (!p)
		return 1;
	p += sizeof(key) - 1;
	return scan_hex(&p, &caps) < 0 || (caps >> bit & 1);
}

/* The word in brackets of /sys/kernel/security/lockdown; "" = none, or
 * nobody tells. */
static void
lockdown_mode(char *mode, size_t size)
{
	char text[128], *open, *close;

	*mode = 0;
	if (root_slurp("/sys/kernel/security/lockdown", text,
	    sizeof(text)) < 0)
		return;
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (!close)
		return;
	*close = 0;
	if (strcmp(open + 1, "none"))
		fmt_str(mode, size, "%s", open + 1);
}

int
source_denied(struct source *s, int error, const char *lockdown)
{
	char mode[32];

	if (error != EPERM && error != EACCES)
		return source_refuse(s, "%s", strerror(error));
	lockdown_mode(mode, sizeof(mode));
	if (*mode && strstr(lockdown, mode))
		return source_refuse(s, "the kernel is locked down (%s, see "
			"/sys/kernel/security/lockdown): boot without "
			"lockdown= and with Secure Boot off, or dump from the "
			"hypervisor", mode);
	if (!capable(CAP_SYS_RAWIO_BIT))
		return source_refuse(s, "needs CAP_SYS_RAWIO: run as root, "
			"outside of containers");
	return source_refuse(s, "%s, though CAP_SYS_RAWIO is there: a security "
		"module, or lockdown (mount -t securityfs none "
		"/sys/kernel/security tells)", strerror(error));
}

int
source_ram(struct source *s, struct range *r)
{
	int n = iomem_ram(r, IOMEM_RANGES), i, count = 0;

	/* What shares a page with other things is no RAM to the kernel. */
	for (i = 0; i < n; i++)
		if (whole_pages(&r[i].start, &r[i].end))
			r[count++] = r[i];
	if (count)
		return count;
	if (n >= 0)
		errno = ENODATA;
	if (errno == ENODATA)
		return source_refuse(s, "/proc/iomem names no System RAM");
	if (errno == EPERM)
		return source_refuse(s, "all addresses in /proc/iomem read as "
			"zero: needs CAP_SYS_ADMIN%s", capable(
			CAP_SYS_ADMIN_BIT) ? "" : ", which this process lacks: "
			"run as root, outside of containers");
	if (errno == ENOSPC)
		return source_refuse(s, "/proc/iomem has more than %d ranges "
			"of System RAM: raise IOMEM_RANGES", IOMEM_RANGES);
	if (errno == EBADMSG)
		return source_refuse(s, "/proc/iomem is not as kernels "
			"write it");
	return source_refuse(s, "/proc/iomem: %s", strerror(errno));
}

/* ---- opening ---- */

static const struct kind *
kind_find(const char *wanted)
{
	unsigned i;

	for (i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(wanted, kinds[i].name) ||
		    !strcmp(wanted, kinds[i].path))
			return &kinds[i];
	return NULL;
}

static int
source_init(struct source *s, const char *name, const char *kind,
	int (*open_it)(struct source *s))
{
	*s = (struct source){ .name = name, .kind = kind, .fd = -1,
		.machine = HOST_MACHINE, .extent = extents, .lost_range = lost,
		.hole = holes, .info = info };
	*info = 0;
	if (!open_it(s))
		return 0;
	if (s->fd >= 0)
		close(s->fd);
	return -1;
}

static int
source_probe(struct source *s, int verbose)
{
	static char why[ARRAY_LEN(kinds)][sizeof(s->why)];
	unsigned i;

	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *k = &kinds[i];

		if (!source_init(s, k->path, k->name, k->open)) {
			if (verbose > 0)
				warn("reading %s%s", root_dir, k->path);
			return 0;
		}
		memcpy(why[i], s->why, sizeof(s->why));
		if (verbose > 0)
			warn("not %s%s: %s", root_dir, k->path, s->why);
	}
	if (verbose >= 0)
		warn("no source of memory works");
	for (i = 0; !verbose && i < ARRAY_LEN(kinds); i++)
		warn("%s%s: %s", root_dir, kinds[i].path, why[i]);
	return -1;
}

int
source_open(struct source *s, const char *wanted, int verbose)
{
	const struct kind *k;

	if (!wanted)
		return source_probe(s, verbose);
	k = kind_find(wanted);
	if (!source_init(s, k ? k->path : wanted, k ? k->name : "file",
	    k ? k->open : file_open))
		return 0;
	if (verbose >= 0)
		warn("%s: %s", s->name, s->why);
	return -1;
}

/* ---- reading ---- */

static void
add_hole(struct source *s, u64 start, u64 end, int error)
{
	struct hole *last = s->holes ? &s->hole[s->holes - 1] : NULL;

	s->hole_pages += (end - start + page_size - 1) / page_size;
	if (last && last->end == start && last->error == error)
		last->end = end;
	else if (s->holes < HOLES)
		s->hole[s->holes++] = (struct hole){ start, end, error };
}

/* One page, or zeros. */
static void
read_page(struct source *s, u64 offset, u64 pos, u8 *buf, size_t n)
{
	ssize_t r = full_pread(s->fd, buf, n, offset);
	int error = r < 0 ? errno : 0;

	if (r == (ssize_t)n)
		return;
	/* A page of which a part could be read: the rest did not tell why. */
	memset(buf, 0, n);
	add_hole(s, pos, pos + n, error);
}

void
source_read(struct source *s, const struct extent *e, u64 pos, u8 *buf,
	size_t n)
{
	u64 offset = e->offset + (pos - e->start);
	size_t done = 0, part;

	while (done < n) {
		ssize_t r = full_pread(s->fd, buf + done, n - done,
			offset + done);

		if (r == (ssize_t)(n - done))
			return;
		/* Short or failed: the page it stopped at is read alone. */
		done += r > 0 ? (size_t)r & ~(size_t)(page_size - 1) : 0;
		part = n - done < page_size ? n - done : (size_t)page_size;
		read_page(s, offset + done, pos + done, buf + done, part);
		done += part;
	}
}

u64
source_corrupted(void)
{
	static char text[4096];
	u64 bytes;

	if (root_slurp("/proc/meminfo", text, sizeof(text)) < 0 ||
	    key_u64(text, "HardwareCorrupted", &bytes) < 0)
		return 0;
	return bytes;
}

int
source_try(struct source *s)
{
	u8 page[512];
	unsigned i;

	for (i = 0; i < 2 * s->extents; i++) {
		const struct extent *e = &s->extent[i / 2];
		u64 middle = (e->end - e->start) / 2;
		ssize_t r = pread(s->fd, page, sizeof(page),
			(off_t)(e->offset + (i & 1 ? 0 : middle)));

		if (r > 0)
			return 0;
		if (!r)
			errno = ENODATA;
	}
	return -1;
}
