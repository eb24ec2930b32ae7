/* t-memidle - memidle's parts that need no kernel: filters, the bitmap over
 * files that play the kernel, reuse distances against brute force, damaged
 * traces. */
#include <sys/mman.h>
#include <sys/wait.h>

#include "unit.h"
#include "applets/memidle/memidle.h"

/* ---- filters ---- */

static int
wants(const char *expr, const char *line)
{
	char copy[256], text[128];
	struct vma v;

	strcpy(copy, line);
	strcpy(text, expr);
	vma_filter_parse(text);
	return !vma_parse(copy, strlen(copy), &v) && vma_filter_wants(&v);
}

static void
test_filter(void)
{
	static const char heap[] =
		"55d0c8a00000-55d0c8a21000 rw-p 00000000 00:00 0    [heap]";
	static const char lib[] =
		"7f0000000000-7f0000200000 r-xp 00000000 08:01 12 /lib/a.so";
	static const char anon[] =
		"7f1000000000-7f1010000000 rw-p 00000000 00:00 0 ";
	static const char shm[] =
		"7f2000000000-7f2000001000 rw-s 00000000 00:01 9 /dev/shm/a b";

	ok(wants("heap", heap) && !wants("heap", lib), "heap");
	ok(wants("heap or file", lib), "or");
	ok(!wants("heap and file", heap), "and");
	ok(wants("heap writable", heap) && !wants("heap executable", heap),
		"juxtaposed words are and");
	ok(wants("not file and longer(1M)", anon) &&
		!wants("not file and longer(1M)", heap), "not, longer");
	ok(!wants("longer(256M)", anon) && wants("longer(255M)", anon),
		"longer is longer");
	ok(wants("!(heap|file) & anon", anon), "signs");
	ok(wants("heap or file and executable", heap) &&
		!wants("(heap or file) and executable", heap), "precedence");
	ok(wants("name(*.so)", lib) && !wants("name(*.so)", heap), "name");
	ok(wants("name(/dev/shm/a b)", shm) && wants("shared", shm),
		"a name with a blank");
	ok(wants("readable writable executable or stack or heap", heap),
		"many words");
}

static int
filter_status(const char *expr)
{
	int status, pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 2);
		applet_usage = "usage: memidle\n";
		vma_filter_parse(expr);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_filter_errors(void)
{
	static const char *const bad[] = {
		"", "heap and", "(heap", "heap)", "foo", "longer", "longer()",
		"longer(x)", "name(", "not", "or heap", "heapx", "((((((((((("
		"(((((((((((((((((((((((((heap",
	};
	unsigned i, wrong = 0;

	for (i = 0; i < ARRAY_LEN(bad); i++)
		if (filter_status(bad[i]) != EXIT_USAGE) {
			printf("\t'%s': %d\n", bad[i], filter_status(bad[i]));
			wrong++;
		}
	ok(!wrong, "%zu bad filters exit 2", ARRAY_LEN(bad));
}

/* ---- the bitmap ---- */

enum { FRAMES = 4 * 512 + 100 };	/* the last word is not whole */
static u64 flags[FRAMES];
static u64 bits[FRAMES / 64 + 1];
static char dir[] = "/tmp/t-memidle.XXXXXX";

static void
put_file(const char *name, const void *data, size_t n)
{
	char path[128];
	int fd;

	fmt_str(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
		exit(1);
	close(fd);
}

static void
get_file(const char *name, void *data, size_t n)
{
	char path[128];
	int fd;

	fmt_str(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	memset(data, 0, n);
	if (fd < 0 || pread(fd, data, n, 0) < 0)
		exit(1);
	close(fd);
}

static void
make_dirs(void)
{
	static const char *const names[] = {
		"proc", "sys", "sys/kernel", "sys/kernel/mm",
		"sys/kernel/mm/page_idle",
	};
	char path[128];
	unsigned i;

	if (!mkdtemp(dir))
		exit(1);
	for (i = 0; i < ARRAY_LEN(names); i++) {
		fmt_str(path, sizeof(path), "%s/%s", dir, names[i]);
		mkdir(path, 0700);
	}
}

static enum page_state
state_of(u64 pfn)
{
	u64 n = 1;

	return bitmap_state(pfn, &n);
}

static int
marked(u64 pfn)
{
	return bits[pfn / 64] >> pfn % 64 & 1;
}

#define BITMAP "sys/kernel/mm/page_idle/bitmap"

/* Block 0: single pages; block 1: a huge page; block 2: 16-page folios; block
 * 3: hugetlb; then the last ones. */
static void
fill_flags(void)
{
	const u64 lru = KPF(LRU) | KPF(ANON) | KPF(MMAP);
	unsigned i;

	for (i = 0; i < FRAMES; i++)
		flags[i] = lru;
	flags[5] = KPF(ZERO_PAGE);
	flags[6] = KPF(MMAP);		/* not on a list */
	for (i = 512; i < 1024; i++)
		flags[i] = lru | KPF(THP) | KPF(COMPOUND_TAIL);
	flags[512] = lru | KPF(THP) | KPF(COMPOUND_HEAD);
	for (i = 1024; i < 1536; i++)
		flags[i] = lru | (i % 16 ? KPF(COMPOUND_TAIL)
			: KPF(COMPOUND_HEAD));
	for (i = 1536; i < 2048; i++)
		flags[i] = KPF(HUGE) | KPF(MMAP) | (i % 512
			? KPF(COMPOUND_TAIL) : KPF(COMPOUND_HEAD));
}

static void
test_bitmap_set(void)
{
	unsigned i, wrong = 0;

	fill_flags();
	put_file("proc/kpageflags", flags, sizeof(flags));
	put_file(BITMAP, bits, FRAMES / 64 * 8);
	root_set(dir);
	bitmap_open(1);
	ok(bitmap_frames() == 5 * 512, "frames in blocks");
	for (i = 0; i < 64; i += 2)
		bitmap_want(i, 1);
	bitmap_want(5, 2);
	bitmap_want(100, 60);
	bitmap_want(512, 512);
	bitmap_want(1024 + 16 + 3, 4);	/* tails: their head is marked */
	bitmap_want(1024 + 64, 16);
	bitmap_want(1536, 512);
	bitmap_want(FRAMES - 50, 50);
	bitmap_set();
	get_file(BITMAP, bits, sizeof(bits));
	for (i = 0; i < 512; i++)
		wrong += marked(i) != (((i < 64 && i % 2 == 0) ||
			(i >= 100 && i < 160)) && i != 6);
	ok(!wrong, "exactly the wanted single pages are marked");
	for (i = wrong = 0; i < 512; i++)
		wrong += marked(512 + i) != (i == 0);
	ok(!wrong, "of a huge page only its head");
	for (i = wrong = 0; i < 512; i++)
		wrong += marked(1024 + i) && i != 16 && i != 64;
	ok(!wrong && marked(1040) && marked(1088),
		"of folios their heads, also when only tails are mapped");
	for (i = wrong = 0; i < 512; i++)
		wrong += marked(1536 + i);
	ok(!wrong, "of hugetlb nothing");
	ok(marked(FRAMES - 50) && marked(FRAMES - 1), "the last word too");
}

static void
test_bitmap_read(void)
{
	u64 n;

	/* the kernel cannot give the last word back */
	put_file(BITMAP, bits, sizeof(bits));
	bits[0] &= ~(1ull << 2 | 1ull << 4);	/* touched */
	bits[1024 / 64] &= ~(1ull << 16);
	put_file(BITMAP, bits, FRAMES / 64 * 8);
	{
		char path[128];

		fmt_str(path, sizeof(path), "%s/" BITMAP, dir);
		if (truncate(path, FRAMES / 64 * 8))
			exit(1);
	}
	bitmap_read();
	ok(state_of(0) == PAGE_IDLE && state_of(8) == PAGE_IDLE, "idle");
	ok(state_of(2) == PAGE_ACTIVE && state_of(4) == PAGE_ACTIVE,
		"touched");
	ok(state_of(5) == PAGE_UNTRACKED && state_of(6) == PAGE_UNTRACKED,
		"the zero page, and who is on no list, are untracked");
	ok(state_of(1) == PAGE_ACTIVE, "who came since was touched");
	n = 512;
	ok(state_of(512) == PAGE_IDLE && state_of(1023) == PAGE_IDLE &&
		bitmap_state(600, &n) == PAGE_IDLE && n == 40,
		"a huge page's tails are what its head is");
	ok(state_of(1024 + 16 + 3) == PAGE_ACTIVE &&
		state_of(1024 + 64 + 9) == PAGE_IDLE, "tails of folios");
	ok(state_of(1536 + 77) == PAGE_UNTRACKED, "hugetlb is untracked");
	ok(state_of(FRAMES - 1) == PAGE_UNKNOWN &&
		state_of(1ull << 40) == PAGE_UNKNOWN, "unknown");
	n = 64;
	ok(bitmap_state(100, &n) == PAGE_IDLE && n == 28,
		"a run ends with the word");
	ok(bitmap_first(0, 10) == 10 && bitmap_first(5, 10) == 5 &&
		bitmap_first(60, 500) == 500 && bitmap_first(0, 560) == 45,
		"shared frames are counted once");
	/* read again without a mark: what was touched stays so */
	bits[0] &= ~(1ull << 8);
	put_file(BITMAP, bits, FRAMES / 64 * 8);
	bitmap_read();
	ok(state_of(2) == PAGE_ACTIVE && state_of(8) == PAGE_ACTIVE &&
		state_of(0) == PAGE_IDLE, "cumulative");
	root_dir = "";
}

/* Frame 0 and the huge page were idle, 8 and the folio at 1040 were touched:
 * the next marking is about those, and about who came. */
static void
test_bitmap_again(void)
{
	unsigned i, wrong = 0;

	root_set(dir);
	memset(bits, 0, sizeof(bits));
	put_file(BITMAP, bits, FRAMES / 64 * 8);
	bitmap_clear();
	bitmap_want(0, 1);
	bitmap_want(8, 1);
	bitmap_want(11, 1);
	bitmap_want(512, 512);
	bitmap_want(1024 + 16 + 3, 4);
	bitmap_set();
	get_file(BITMAP, bits, sizeof(bits));
	for (i = 0; i < FRAMES; i++)
		wrong += marked(i) != (i == 8 || i == 11 || i == 1040);
	ok(!wrong, "what was idle is not marked again (%u)", wrong);
	bits[0] |= 1;
	bits[512 / 64] = 1;
	put_file(BITMAP, bits, FRAMES / 64 * 8);
	bitmap_read();
	ok(state_of(0) == PAGE_IDLE && state_of(1000) == PAGE_IDLE &&
		state_of(8) == PAGE_IDLE, "it is idle still");
	bits[0] = 1ull << 8;
	bits[512 / 64] = 0;
	put_file(BITMAP, bits, FRAMES / 64 * 8);
	bitmap_clear();
	bitmap_want(0, 1);
	bitmap_want(512, 512);
	bitmap_set();
	bitmap_read();
	ok(state_of(0) == PAGE_ACTIVE && state_of(1000) == PAGE_ACTIVE,
		"or touched");
	/* a huge page and a folio that were moved here, with their marks */
	bitmap_clear();
	bitmap_set();
	flags[512] |= KPF(IDLE);
	flags[1024] |= KPF(IDLE);
	put_file("proc/kpageflags", flags, sizeof(flags));
	bits[512 / 64] = bits[1024 / 64] = 1;
	put_file(BITMAP, bits, FRAMES / 64 * 8);
	bitmap_read();
	ok(state_of(512) == PAGE_IDLE && state_of(513) == PAGE_IDLE &&
		state_of(1023) == PAGE_IDLE && state_of(1026) == PAGE_IDLE &&
		state_of(1024) == PAGE_IDLE, "moved");
	ok(bitmap_folio_came(), "a folio that came is noted");
	bitmap_clear();
	bitmap_set();
	flags[512] &= ~KPF(IDLE);
	put_file("proc/kpageflags", flags, sizeof(flags));
	bitmap_read();
	ok(!bitmap_folio_came(), "none came");
	ok(state_of(8) == PAGE_ACTIVE && state_of(512) == PAGE_ACTIVE,
		"who was not wanted is new");
	root_dir = "";
}

/* ---- reuse distances and ages ---- */

enum { PAGES = 700, SAMPLES = 60 };
static u8 touched[SAMPLES][PAGES];

static u32 seed = 1;

static unsigned
chance(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static unsigned
log_bucket(unsigned v)
{
	unsigned b = 0;

	for (; v; v >>= 1)
		b++;
	return b;
}

/* By the definition: pages touched in samples strictly between, and in those
 * and both ends. */
static void
brute(unsigned p, unsigned i, unsigned j, unsigned *low, unsigned *high)
{
	unsigned q, k, between, within;

	*low = *high = 0;
	for (q = 0; q < PAGES; q++) {
		if (q == p)
			continue;
		between = within = 0;
		for (k = i; k <= j; k++)
			if (touched[k][q]) {
				within = 1;
				between |= k > i && k < j;
			}
		*low += between;
		*high += within;
	}
}

static void
brute_json(char *text, size_t size)
{
	unsigned lower[DISTANCES] = { 0 }, upper[DISTANCES] = { 0 };
	unsigned p, i, j, low, high, touches = 0, first = 0, n, b, some = 0;

	for (p = 0; p < PAGES; p++) {
		i = ~0u;
		for (j = 0; j < SAMPLES; j++) {
			if (!touched[j][p])
				continue;
			touches++;
			if (i == ~0u) {
				first++;
			} else {
				brute(p, i, j, &low, &high);
				lower[log_bucket(low)]++;
				upper[log_bucket(high)]++;
			}
			i = j;
		}
	}
	n = (unsigned)snprintf(text, size, "\"reuse\":{\"touches\":%u,"
		"\"first\":%u,\"distances\":[", touches, first);
	for (b = 0; b < DISTANCES; b++)
		if (lower[b] || upper[b])
			n += (unsigned)snprintf(text + n, size - n,
				"%s{\"below\":%llu,\"lower\":%u,\"upper\":%u}",
				some++ ? "," : "", 1ull << b, lower[b],
				upper[b]);
	snprintf(text + n, size - n, "]}");
}

static void
play(void)
{
	static char name[] = "x";
	struct mapping r = { .pid = 7, .start = 1000, .pages = PAGES,
		.name = name, .name_len = 1 };
	unsigned s, p;

	for (s = 0; s < SAMPLES; s++) {
		history_begin((s + 1) * 1000000000ull);
		history_region(&r);
		for (p = 0; p < PAGES; p++) {
			/* a third is hot, a third now and then, the rest rarely */
			touched[s][p] = p < PAGES / 3 ? chance(10) < 8
				: p < 2 * PAGES / 3 ? chance(10) < 2
				: p % 100 && chance(40) == 0;
			history_run(1000 + p, 1, touched[s][p] ? PAGE_ACTIVE
				: PAGE_IDLE);
		}
		history_end();
	}
}

static void
brute_ages(char *text, size_t size)
{
	unsigned count[3] = { 0 }, p, s, age;

	for (p = 0; p < PAGES; p++) {
		for (s = SAMPLES; s > 0 && !touched[s - 1][p]; s--)
			;
		age = SAMPLES - s;	/* seconds since the interval's end */
		count[age >= 10 ? 2 : age >= 2 ? 1 : 0]++;
	}
	snprintf(text, size, "\"ages\":[{\"idle_for\":0.000000,\"pages\":%u},"
		"{\"idle_for\":2.000000,\"pages\":%u},"
		"{\"idle_for\":10.000000,\"pages\":%u}]", count[0], count[1],
		count[2]);
}

static void
test_history(void)
{
	static char got[8192], want[8192];
	struct out o;
	struct json j;
	int fd = memfd_create("out", 0);

	idle.reuse = 1;
	idle.ages = "0,2s,10s";
	history_ages(idle.ages);
	history_open(PAGES);
	play();
	out_open(&o, fd);
	json_open(&j, &o, 0);
	json_object(&j);
	history_json(&j);
	json_close(&j);
	out_flush(&o);
	got[pread(fd, got, sizeof(got) - 1, 0)] = 0;
	brute_json(want, sizeof(want));
	ok(strstr(got, want), "reuse distances are those of brute force");
	if (!strstr(got, want))
		printf("\t%s\n\t%s\n", got, want);
	brute_ages(want, sizeof(want));
	ok(strstr(got, want), "ages are those of brute force");
	if (!strstr(got, want))
		printf("\t%s\n\t%s\n", got, want);
	idle.reuse = 0;
	idle.ages = NULL;
	close(fd);
}

/* ---- damaged traces ---- */

static u8 trace[65536];
static size_t trace_size;

static void
make_trace(const char *path)
{
	static char name[] = "/lib/some \xff thing";
	struct mapping r = { .pid = 7, .start = 1000, .pages = 5000,
		.perm = 3, .name = name, .name_len = sizeof(name) - 1 }, *m;
	struct sample s;
	unsigned i, p;
	int fd;

	idle.trace = path;
	idle.backend = BACKEND_PAGE_IDLE;
	measure_parse("faults,timestamp");
	emit_open();
	mit_create(path);
	for (i = 0; i < 5; i++) {
		s = (struct sample){ .number = i, .time = i * 1000000000ull };
		mit_begin(&s);
		m = &r;
		m->n = (struct counts){ 0 };
		mit_region(m);
		for (p = 0; p < 5000; p += 10) {
			mit_run(1000 + p, 3, PAGE_ACTIVE);
			mit_run(1003 + p, 5, PAGE_IDLE);
		}
		m->n.active = 1500;
		m->n.idle = 2500;
		m->n.present = 4000;
		mit_region_end(m);
		s.total = m->n;
		mit_end(&s);
	}
	mit_close(1);
	idle.trace = NULL;
	fd = open(path, O_RDONLY);
	trace_size = (size_t)read(fd, trace, sizeof(trace));
	close(fd);
}

/* The exit code of a reader with every report on; -1 when a signal ended it. */
static int
read_status(const u8 *data, size_t n)
{
	int status, pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		dup2(null, 2);
		idle.ages = "0,1s";
		history_ages(idle.ages);
		idle.reuse = idle.heat = idle.vmas = idle.advice = 1;
		idle.read = "trace";
		measure_count = 0;
		_exit(mit_read_bytes(data, n, "trace"));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Samples end with a check: so that what is behind it is tried too, it is made
 * right again. A record is type, 14 bits of length, body. */
static void
mend_checks(u8 *data, size_t n)
{
	size_t at = 8, start = 0, len;
	u32 hash;

	while (at + 3 <= n) {
		len = (data[at + 1] & 127) | (size_t)data[at + 2] << 7;
		if (at + 3 + len > n)
			return;
		if (data[at] == 'S')
			start = at;
		if (data[at] == 'E' && len == 4 && start) {
			size_t i;

			hash = 2166136261u;
			for (i = start; i < at; i++)
				hash = (hash ^ data[i]) * 16777619;
			memcpy(data + at + 3, &hash, 4);
		}
		at += 3 + len;
	}
}

static void
test_damage(void)
{
	static u8 copy[sizeof(trace)];
	unsigned i, k, signals = 0, other = 0, partial = 0;
	int status;

	for (i = 0; i < 400; i++) {
		memcpy(copy, trace, trace_size);
		for (k = chance(6) + 1; k; k--)
			copy[chance(3) ? chance((unsigned)trace_size)
				: chance(200)] = (u8)chance(256);
		if (i % 4)
			mend_checks(copy, trace_size);
		status = read_status(copy, trace_size);
		signals += status < 0;
		partial += status == EXIT_PARTIAL;
		other += status != EXIT_DONE && status != EXIT_FAILED &&
			status != EXIT_PARTIAL;
	}
	ok(!signals && !other, "400 damaged traces: a message, and no more");
	ok(partial > 50, "damage is found (%u)", partial);
	for (i = signals = other = 0; i < 40; i++) {
		status = read_status(trace, chance((unsigned)trace_size));
		signals += status < 0;
		other += status == EXIT_DONE;
	}
	ok(!signals && other <= 2, "40 cut traces are seen to be cut");
}

static void
test_trace(void)
{
	char path[] = "/tmp/t-memidle-trace.XXXXXX";
	int fd = mkstemp(path);

	close(fd);
	unlink(path);
	make_trace(path);
	ok(trace_size > 1000, "a trace of %zu bytes", trace_size);
	ok(read_status(trace, trace_size) == EXIT_DONE, "it is read");
	test_damage();
	unlink(path);
}

int
main(void)
{
	char command[64];

	page_init();
	applet_name = "memidle";
	make_dirs();
	test_filter();
	test_filter_errors();
	vma_filter_parse("readable or not readable");
	test_bitmap_set();
	test_bitmap_read();
	test_bitmap_again();
	test_trace();
	test_history();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	if (system(command))
		unit_failed = 1;
	return unit_failed;
}
