/* memstats-ref - RSS and USS of groups of processes, the plain way: lists of
 * page numbers, each page looked for in every other list. Knows nothing of
 * membox; slow on purpose.
 *
 * usage: memstats-ref PID[,PID]... [PID[,PID]...]...
 * prints for each group "RSS_PAGES USS_PAGES SWAP_SLOTS SWAP_USS_SLOTS"
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PAGES = 1 << 20, MAX_PROCS = 1024, SWAP = 1 };
struct list {
	int pid, group;
	size_t first, count;
};
static uint64_t all[MAX_PAGES];	/* pfn * 2, or swap entry * 2 + 1 */
static size_t used;
static struct list lists[MAX_PROCS];
static int list_count, kpageflags;

static int
cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int
is_zero_page(uint64_t pfn)
{
	uint64_t flags = 0;

	if (pread(kpageflags, &flags, 8, (off_t)(pfn * 8)) != 8)
		return 1;	/* no RAM */
	return flags >> 24 & 1;
}

static void
add_entry(uint64_t e, int shared)
{
	if (used == MAX_PAGES)
		abort();
	if (e >> 63) {
		uint64_t pfn = e & ((1ull << 55) - 1);

		if (shared && !(e >> 61 & 1))
			return;
		if (!is_zero_page(pfn))
			all[used++] = pfn * 2;
	} else if (e >> 62 & 1 && !(e >> 58 & 1) && (e & 31) < 20) {
		all[used++] = (e & ((1ull << 55) - 1)) * 2 + SWAP;
	}
}

static void
read_process(int pid)
{
	struct list *l = &lists[list_count++];
	char path[64], line[4096];
	FILE *maps;
	int fd;
	size_t i, n;

	l->pid = pid;
	l->group = -1;
	l->first = used;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY);
	while (maps && fgets(line, sizeof(line), maps)) {
		char *at;
		uint64_t from = strtoull(line, &at, 16), e;
		uint64_t to = strtoull(at + 1, &at, 16);

		if (strstr(line, "[vsyscall]") || strstr(line, "[vvar"))
			continue;
		for (; from < to; from += 4096)
			if (pread(fd, &e, 8, (off_t)(from / 4096 * 8)) == 8)
				add_entry(e, at[4] == 's');
	}
	if (maps)
		fclose(maps);
	close(fd);
	qsort(all + l->first, used - l->first, 8, cmp);
	for (i = n = l->first; i < used; i++)
		if (i == l->first || all[i] != all[n - 1])
			all[n++] = all[i];
	used = n;
	l->count = n - l->first;
}

static int
has(const struct list *l, uint64_t page)
{
	return !!bsearch(&page, all + l->first, l->count, 8, cmp);
}

/* Counts a page in the first list of the group that has it. */
static void
count_group(int group, uint64_t kind, long *total, long *own)
{
	int i, k;
	size_t j;

	*total = *own = 0;
	for (i = 0; i < list_count; i++) {
		if (lists[i].group != group)
			continue;
		for (j = 0; j < lists[i].count; j++) {
			uint64_t page = all[lists[i].first + j];
			int outside = 0;

			if (page % 2 != kind)
				continue;
			for (k = 0; k < i; k++)
				if (lists[k].group == group &&
				    has(&lists[k], page))
					break;
			if (k < i)
				continue;
			for (k = 0; k < list_count && !outside; k++)
				outside = lists[k].group != group &&
					has(&lists[k], page);
			++*total;
			*own += !outside;
		}
	}
}

int
main(int argc, char **argv)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int g, i;

	kpageflags = open("/proc/kpageflags", O_RDONLY);
	while ((e = readdir(d)))
		if (atoi(e->d_name) > 0 && atoi(e->d_name) != getpid())
			read_process(atoi(e->d_name));
	for (g = 1; g < argc; g++) {
		char *at = argv[g];

		for (; *at; at += *at == ',') {
			int pid = (int)strtol(at, &at, 10);

			for (i = 0; i < list_count; i++)
				if (lists[i].pid == pid)
					lists[i].group = g;
		}
	}
	for (g = 1; g < argc; g++) {
		long rss, uss, swap, swap_uss;

		count_group(g, 0, &rss, &uss);
		count_group(g, SWAP, &swap, &swap_uss);
		printf("%ld %ld %ld %ld\n", rss, uss, swap, swap_uss);
	}
	return 0;
}
