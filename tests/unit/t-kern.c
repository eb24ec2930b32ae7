/* t-kern - libcore/kern: lines of the kernel, whole, hostile and mutated. */
#include "unit.h"

static void
test_stat(void)
{
	static const char line[] =
		"1234 (a) R (b\n) S 1 1234 1230 0 -1 4194560 100 0 5 0 7 8 0 0 "
		"20 0 3 0 55555 1048576 256 18446744073709551615 1 1 0 0 0 0 0";
	struct procstat st;

	ok(!procstat_parse(line, strlen(line), &st), "stat parses");
	ok(!strcmp(st.comm, "a) R (b\n") && st.state == 'S',
		"comm ends at the last parenthesis");
	ok(st.pid == 1234 && st.ppid == 1 && st.session == 1230 &&
		st.flags == 4194560 && st.minflt == 100 && st.majflt == 5 &&
		st.utime == 7 && st.stime == 8 && st.threads == 3 &&
		st.starttime == 55555 && st.vsize == 1048576 && st.rss == 256,
		"fields");
	ok(procstat_parse("12 (a S", 7, &st) < 0, "no parenthesis");
	ok(procstat_parse("12 (a) S 1", 10, &st) < 0, "cut");
}

static void
test_vma(void)
{
	char line[] = "7f0000000000-7f0000001000 r-xs 00002000 fd:1f "
		"123456789012345678           /a b (deleted)";
	char bad[] = "7f0000001000-7f0000000000 r-xs 0 0:0 1";
	char anon[] = "1000-2000 rw-p 00000000 00:00 0 ";
	struct vma v;

	ok(!vma_parse(line, strlen(line), &v), "maps line parses");
	ok(v.start == 0x7f0000000000 && v.end == 0x7f0000001000 &&
		v.offset == 0x2000 && v.major == 0xfd && v.minor == 0x1f &&
		v.inode == 123456789012345678 &&
		v.perm == (VMA_READ | VMA_EXEC | VMA_SHARED), "fields");
	ok(!strcmp(v.path, "/a b (deleted)") && v.path_len == 14, "path");
	ok(vma_parse(bad, strlen(bad), &v) < 0, "end before start");
	ok(!vma_parse(anon, strlen(anon), &v) && !v.path_len, "no path");
}

/* Every byte changed, every length cut: no read past the end (ASan). */
static void
test_mutations(void)
{
	static const char good[] = "55d0c8a00000-55d0c8a21000 rw-p 00000000 "
		"08:01 42 /bin/x";
	size_t i, n = strlen(good);
	unsigned c, parsed = 0;

	for (i = 0; i < n; i++)
		for (c = 0; c < 256; c += 3) {
			char *copy = malloc(n + 1);
			struct procstat st;
			struct vma v;

			memcpy(copy, good, n + 1);
			copy[i] = (char)c;
			parsed += !vma_parse(copy, strlen(copy), &v);
			copy[i] = 0;
			parsed += !vma_parse(copy, i, &v);
			procstat_parse(copy, n, &st);
			free(copy);
		}
	ok(parsed > 0, "mutated maps lines (%u still parse)", parsed);
}

static void
test_self(void)
{
	static char buf[8192];
	struct pids pids;
	struct procstat st;
	struct maps m;
	struct vma v;
	const char *key, *text;
	int pid, found = 0, n = 0;
	u64 rss = 0, rollup = 0, kb;
	u32 uid;

	ok(!pids_open(&pids), "open /proc");
	while (pids_next(&pids, &pid) > 0)
		found |= pid == getpid();
	pids_close(&pids);
	ok(found, "/proc lists this process");
	ok(!procstat_read(getpid(), &st) && st.pid == getpid() &&
		st.ppid == getppid(), "own stat");
	ok(!proc_uid(getpid(), &uid) && uid == getuid(), "own uid");
	ok(!maps_open(&m, getpid(), "smaps", buf, sizeof(buf)), "open smaps");
	while (maps_next(&m, &v) > 0) {
		n++;
		while (smaps_field(&m, &key, &text))
			if (!strcmp(key, "Rss") && !scan_u64(&text, &kb))
				rss += kb * KIB;
	}
	maps_close(&m);
	ok(proc_slurp(getpid(), "smaps_rollup", buf, sizeof(buf)) > 0 &&
		!key_u64(buf, "Rss", &rollup), "smaps_rollup");
	ok(n > 3 && rss > rollup / 2 && rss < rollup * 2,
		"sum of smaps Rss is near smaps_rollup's");
}

static void
test_pagemap(void)
{
	static _Alignas(4096) volatile char page[4096];
	int fd = proc_open(getpid(), "pagemap", O_RDONLY);
	u64 entry = 0, start, vpn;
	struct pagemap_region r[4];
	ssize_t n;

	page_init();
	page[0] = 1;
	vpn = (u64)(uintptr_t)page >> page_shift;
	ok(pagemap_read(fd, vpn, &entry, 1) == 1 && entry & PM_PRESENT,
		"a touched page is present");
	start = vpn << page_shift;
	n = pagemap_scan(fd, &start, (vpn + 1) << page_shift,
		PAGE_IS_PRESENT_, PAGE_IS_PRESENT_, r, 4);
	if (n < 0)
		ok(errno == ENOTTY || errno == EINVAL,
			"a kernel without PAGEMAP_SCAN says so");
	else
		ok(n == 1 && r[0].end - r[0].start == page_size &&
			start == (vpn + 1) << page_shift, "PAGEMAP_SCAN");
	close(fd);
}

/* A captured page map: two pieces of data, 32 blocks of the file system apart,
 * and a hole to its end. root_set is for good: the last test. */
static void
test_captured_pagemap(void)
{
	const u64 block = 65536, entries = block / 8, count = 64 * entries;
	char name[] = "/tmp/membox-t-kern.XXXXXX";
	int fd = mkstemp(name);
	struct pagemap_region r[4];
	u64 e = PM_PRESENT | 5, start = 0, end = count << page_shift;
	ssize_t n;

	unlink(name);
	ok(fd >= 0 && !ftruncate(fd, (off_t)(count * 8)) &&
		pwrite(fd, &e, 8, (off_t)(block * 8)) == 8 &&
		pwrite(fd, &e, 8, (off_t)(block * 40)) == 8 &&
		!root_set("/tmp"), "a captured page map");
	n = pagemap_scan(fd, &start, end, PAGE_IS_PRESENT_, 0, r, 4);
	ok(n >= 1 && r[0].start <= 8 * entries << page_shift &&
		r[0].end > 8 * entries << page_shift &&
		r[n - 1].start <= 40 * entries << page_shift &&
		r[n - 1].end > 40 * entries << page_shift && start == end,
		"its holes: %zd runs", n);
	if (n == 2) {
		start = (8 * entries + 1) << page_shift;
		n = pagemap_scan(fd, &start, end, PAGE_IS_PRESENT_, 0, r, 1);
		ok(n == 1 && r[0].start == (8 * entries + 1) << page_shift &&
			start == r[0].end, "from within a run, one at a time");
	}
	start = 50 * entries << page_shift;
	ok(!pagemap_scan(fd, &start, end, PAGE_IS_PRESENT_, 0, r, 4) &&
		start == end, "nothing behind");
	start = 50 * entries << page_shift;
	ok(pagemap_scan(fd, &start, end + page_size, PAGE_IS_PRESENT_, 0, r, 4)
		< 0 && errno == ENODATA, "behind its end");
	close(fd);
}

int
main(void)
{
	test_stat();
	test_vma();
	test_mutations();
	test_self();
	test_pagemap();
	test_captured_pagemap();
	return unit_failed;
}
