/* measure.c - other measurements beside the pages: each is a few columns of
 * the sample, summed over the processes or, for diskio and psi, the system's
 * (psi: the cgroup's). */
#include "memidle.h"

struct col measure_cols[MEASURES_MAX];
unsigned measure_count;

static u64 *values;		/* of the measurement at work */
static const struct sample *sampled;

static void
take_timestamp(void)
{
	values[0] = sampled->wall / 1000000;
}

static void
take_uptime(void)
{
	char buf[64];
	const char *s = buf;
	u64 whole = 0, part = 0;

	if (root_slurp("/proc/uptime", buf, sizeof(buf)) <= 0)
		return;
	scan_u64(&s, &whole);
	s += *s == '.';
	scan_u64(&s, &part);
	values[0] = whole * 100 + part;
}

static void
take_stat(int pid, u64 *user, u64 *system, u64 *minor, u64 *major)
{
	struct procstat st;

	if (procstat_read(pid, &st) < 0)
		return;
	*user += st.utime;
	*system += st.stime;
	*minor += st.minflt;
	*major += st.majflt;
}

static void
cpu_process(int pid)
{
	u64 minor, major;

	take_stat(pid, &values[1], &values[2], &minor, &major);
}

static void
faults_process(int pid)
{
	u64 user, system;

	take_stat(pid, &user, &system, &values[0], &values[1]);
}

static void
statm_process(int pid)
{
	char buf[128];
	const char *s = buf;
	u64 size, resident;

	if (proc_slurp(pid, "statm", buf, sizeof(buf)) <= 0 ||
	    scan_u64(&s, &size) < 0 || scan_u64(&s, &resident) < 0)
		return;
	values[0] += size << page_shift;
	values[1] += resident << page_shift;
}

static void
add_keys(int pid, const char *file, const char *const *keys, unsigned n)
{
	char buf[1536];
	unsigned i;
	u64 v;

	if (proc_slurp(pid, file, buf, sizeof(buf)) <= 0)
		return;
	for (i = 0; i < n; i++)
		if (!key_u64(buf, keys[i], &v))
			values[i] += v;
}

static void
smaps_process(int pid)
{
	static const char *const keys[] = {
		"Rss", "Pss", "Private_Clean", "Private_Dirty",
	};

	add_keys(pid, "smaps_rollup", keys, ARRAY_LEN(keys));
}

static void
swap_process(int pid)
{
	static const char *const keys[] = { "Swap", "SwapPss" };

	add_keys(pid, "smaps_rollup", keys, ARRAY_LEN(keys));
}

static void
io_process(int pid)
{
	static const char *const keys[] = {
		"rchar", "wchar", "read_bytes", "write_bytes",
	};

	add_keys(pid, "io", keys, ARRAY_LEN(keys));
}

/* Whole disks only: partitions and what stands on disks would count twice. */
static int
is_disk(const char *name, size_t n)
{
	char path[128];
	const char *p = path;
	struct stat st;
	int at;

	fmt_str(path, sizeof(path), "/sys/block/%.*s/device", (int)n, name);
	at = root_at(&p);
	return !fstatat(at, p, &st, 0);
}

static void
take_diskio(void)
{
	char buf[512], *line;
	const char *s, *name;
	struct lines l;
	size_t n;
	u64 v[9];
	unsigned i;
	int fd = root_open("/proc/diskstats", O_RDONLY);

	if (fd < 0)
		return;
	lines_open(&l, fd, buf, sizeof(buf));
	while ((line = lines_next(&l, &n))) {
		s = line;
		scan_word(&s, &n);
		scan_word(&s, &n);
		name = scan_word(&s, &n);
		for (i = 0; name && i < 9 && !scan_u64(&s, &v[i]); i++)
			;
		if (i < 9 || !is_disk(name, n))
			continue;
		values[0] += v[2] * 512;
		values[1] += v[6] * 512;
	}
	close(fd);
}

static void
take_wss(void)
{
	values[0] = sampled->total.active << page_shift;
}

/* some avg10=0.12 avg60=0.00 avg300=0.00 total=1234 */
static void
psi_line(const char *s, u64 *average, u64 *total)
{
	const char *p = s ? strstr(s, "avg10=") : NULL;
	u64 part = 0;

	if (!p)
		return;
	p += 6;
	scan_u64(&p, average);
	p += *p == '.';
	scan_u64(&p, &part);
	*average = *average * 100 + part;
	p = strstr(p, "total=");
	if (p) {
		p += 6;
		scan_u64(&p, total);
	}
}

static void
take_psi(void)
{
	static char path[PATH_MAX / 2];
	char buf[256];
	ssize_t n;

	if (idle.kind == TARGET_CGROUP)
		fmt_str(path, sizeof(path), "%s/memory.pressure", idle.cgroup);
	else
		fmt_str(path, sizeof(path), "/proc/pressure/memory");
	n = root_slurp(path, buf, sizeof(buf));
	if (n <= 0)
		return;
	psi_line(buf, &values[0], &values[1]);
	psi_line(strstr(buf, "full"), &values[2], &values[3]);
}

#define BYTES(name) { name, 10, COL_BYTES }
#define COUNT(name) { name, 8, COL_COUNT }
#define FIXED(name, digits) { name, 10, COL_FIXED, digits }

static const struct measure {
	const char *name;
	void (*once)(void);
	void (*process)(int pid);
	struct col cols[4];
} all[] = {
	{ "timestamp", take_timestamp, NULL, { FIXED("timestamp", 3) } },
	{ "uptime", take_uptime, cpu_process, { FIXED("uptime", 2),
		FIXED("cpu_user", 2), FIXED("cpu_system", 2) } },
	{ "statm", NULL, statm_process, { BYTES("vm_size"),
		BYTES("vm_resident") } },
	{ "smaps", NULL, smaps_process, { BYTES("rss"), BYTES("pss"),
		BYTES("private_clean"), BYTES("private_dirty") } },
	{ "swap", NULL, swap_process, { BYTES("vm_swap"),
		BYTES("swap_pss") } },
	{ "processio", NULL, io_process, { BYTES("rchar"), BYTES("wchar"),
		BYTES("read_bytes"), BYTES("write_bytes") } },
	{ "diskio", take_diskio, NULL, { BYTES("disk_read"),
		BYTES("disk_written") } },
	{ "faults", NULL, faults_process, { COUNT("minflt"),
		COUNT("majflt") } },
	{ "wss", take_wss, NULL, { BYTES("wss") } },
	{ "psi", take_psi, NULL, { FIXED("psi_some10", 2),
		COUNT("psi_some_us"), FIXED("psi_full10", 2),
		COUNT("psi_full_us") } },
};
static const struct measure *chosen[ARRAY_LEN(all)];
static unsigned chosen_count;

static unsigned
width_of(const struct measure *m)
{
	unsigned n = 0;

	while (n < 4 && m->cols[n].name)
		n++;
	return n;
}

static void
measure_add(const char *name, size_t n)
{
	unsigned i, k;

	for (i = 0; i < ARRAY_LEN(all); i++)
		if (!strncmp(all[i].name, name, n) && !all[i].name[n])
			break;
	if (i == ARRAY_LEN(all))
		usage_die("--measure: '%.*s' is none of timestamp uptime statm "
			"smaps swap processio diskio faults wss psi", (int)n,
			name);
	for (k = 0; k < chosen_count; k++)
		if (chosen[k] == &all[i])
			return;
	chosen[chosen_count++] = &all[i];
	for (k = 0; k < width_of(&all[i]); k++)
		measure_cols[measure_count++] = all[i].cols[k];
}

void
measure_parse(const char *list)
{
	size_t n;

	do {
		n = strcspn(list, ",");
		measure_add(list, n);
		list += n;
	} while (*list++);
}

void
measure_take(struct sample *s)
{
	unsigned i, k;

	sampled = s;
	values = s->measures;
	for (i = 0; i < chosen_count; i++) {
		if (chosen[i]->once)
			chosen[i]->once();
		for (k = 0; chosen[i]->process && k < watched_count; k++)
			if (!watched[k].gone)
				chosen[i]->process(watched[k].pid);
		values += width_of(chosen[i]);
	}
}
