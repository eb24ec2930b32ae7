/* example.c - what libmembox offers, in one program.
 *
 *	make lib CC=gcc
 *	export PKG_CONFIG_PATH=lib
 *	gcc docs/example.c $(pkg-config --cflags --libs membox) -o example
 *
 * example regions PID   the largest regions, as they come from the kernel
 * example sample PID    four snapshots, 50 ms apart, of which two are kept
 * example memory FILE   RAM into FILE as a sequence of records of our own:
 *                       "RAM", start and end of a range, then its pages
 */
#include <errno.h>
#include <membox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
fail(const char *what)
{
	fprintf(stderr, "example: %s: %s\n", what, strerror(errno));
	return 1;
}

static int
show_regions(int pid)
{
	struct membox_regions *r = membox_regions_open(pid, MEMBOX_SMAPS);
	struct membox_region g;
	uint64_t rss = 0;
	int n;

	if (!r)
		return fail("regions");
	while ((n = membox_regions_next(r, &g)) > 0) {
		rss += g.rss;
		if (g.rss >= 65536)
			printf("%llx %s %llu %s %s %s\n",
				(unsigned long long)g.start, g.perm,
				(unsigned long long)g.rss, g.type, g.subtype,
				g.path);
	}
	membox_regions_close(r);
	printf("rss %llu\n", (unsigned long long)rss);
	return n < 0 ? fail("regions") : 0;
}

static void
on_snapshot(void *arg, const struct membox_snapshot *s)
{
	int *calls = arg;

	__atomic_add_fetch(calls, 1, __ATOMIC_SEQ_CST);
	printf("pid %d: %zu regions, rss %llu\n", s->pid, s->count,
		(unsigned long long)s->total_rss);
}

static int
sample(int pid)
{
	int calls = 0, error = 0;
	struct membox_sampler_options options = {
		.pid = pid, .flags = MEMBOX_SMAPS, .interval_ms = 50,
		.keep = 2, .callback = on_snapshot, .arg = &calls,
	};
	struct membox_sampler *s = membox_sampler_start(&options);
	struct membox_snapshot *last, *before;

	if (!s)
		return fail("sampler");
	while (membox_sampler_count(s) < 4 && membox_sampler_running(s, &error))
		usleep(10000);
	last = membox_sampler_get(s, 0);
	before = membox_sampler_get(s, 1);
	if (last && before && !membox_sampler_get(s, 2))
		printf("grown by %lld\n",
			(long long)(last->total_rss - before->total_rss));
	membox_snapshot_free(last);
	membox_snapshot_free(before);
	membox_sampler_stop(s);
	errno = error;
	return error ? fail("sampler") : calls < 4;
}

/* The caller's own record header. */
static size_t
record(void *arg, uint64_t start, uint64_t end, unsigned char *out)
{
	(void)arg;
	memcpy(out, "RAM\n\0\0\0\0", 8);
	memcpy(out + 8, &start, 8);
	memcpy(out + 16, &end, 8);
	return 24;
}

static int
save_memory(const char *file)
{
	static char buf[1 << 20];
	struct membox_memory_options options = { .header = record };
	struct membox_memory *m = membox_memory_open(&options);
	FILE *f;
	ssize_t n;

	if (!m)
		return fail("memory");
	f = fopen(file, "wb");
	if (!f)
		return fail(file);
	while ((n = membox_memory_read(m, buf, sizeof(buf))) > 0)
		if (fwrite(buf, 1, (size_t)n, f) != (size_t)n)
			return fail(file);
	printf("%llu bytes of RAM, %llu could not be read\n",
		(unsigned long long)membox_memory_size(m),
		(unsigned long long)membox_memory_holes(m));
	membox_memory_close(m);
	return fclose(f) || n < 0 ? fail(file) : 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "regions"))
		return show_regions(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "sample"))
		return sample(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "memory"))
		return save_memory(argv[2]);
	fprintf(stderr, "usage: example regions|sample PID | memory FILE\n");
	return 2;
}
