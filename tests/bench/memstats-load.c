/* memstats-load - processes with known memory, and what it costs at least to
 * read their page tables.
 *
 * memstats-load fork N SHARED_MIB PRIVATE_MIB	children sharing their parent's
 * memory, each with some of its own; half attach one System V segment
 * memstats-load maps N VMAS	children with many small mappings
 * memstats-load sparse PAGES	one process, 1 TiB of which few pages are there
 *	Each prints "ready" and stays until its input ends.
 * memstats-load floor		reads every process's maps and page map, mappings
 * that touch in one read, and does nothing with them: prints
 * "SECONDS ENTRIES"; CPU time
 * memstats-load bare PID	asks PAGEMAP_SCAN what is there of its biggest
 * mapping and reads that: prints the CPU seconds
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <dirent.h>
#include <unistd.h>

#define MIB (1024ul * 1024)
enum { PAGE = 4096 };
static int start[2];

static char *
fill(size_t n, int seed)
{
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t i;

	if (p == MAP_FAILED)
		abort();
	madvise(p, n, MADV_NOHUGEPAGE);
	for (i = 0; i < n; i += PAGE)
		p[i] = (char)(seed + 1);
	return p;
}

/* Children wait here until the parent is gone. */
static void
stay(void)
{
	char c;

	close(start[1]);
	while (read(start[0], &c, 1) > 0)
		;
	_exit(0);
}

static void
wait_ready(int ready, int n)
{
	char c;

	while (n-- && read(ready, &c, 1) == 1)
		;
	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
}

static void
fork_load(int n, size_t shared, size_t private)
{
	int ready[2], i, id = shmget(IPC_PRIVATE, 64 * MIB, 0600 | IPC_CREAT);
	char *segment = id < 0 ? NULL : shmat(id, NULL, 0);

	if (segment && segment != (void *)-1)
		memset(segment, 1, 64 * MIB);
	shmctl(id, IPC_RMID, NULL);
	fill(shared, 0);
	if (pipe(ready) || pipe(start))
		abort();
	for (i = 0; i < n; i++)
		if (!fork()) {
			if (i % 2 && segment)
				shmdt(segment);
			fill(private, i);
			if (write(ready[1], "r", 1) != 1)
				abort();
			stay();
		}
	wait_ready(ready[0], n);
}

static void
maps_load(int n, int vmas)
{
	int ready[2], i, k;

	if (pipe(ready) || pipe(start))
		abort();
	for (i = 0; i < n; i++)
		if (!fork()) {
			for (k = 0; k < vmas; k++) {
				char *p = fill(2 * PAGE, k);
				mprotect(p, PAGE, PROT_READ | (k % 2
					? PROT_WRITE : 0));
			}
			if (write(ready[1], "r", 1) != 1)
				abort();
			stay();
		}
	wait_ready(ready[0], n);
}

static void
sparse_load(int pages)
{
	size_t size = 1ul << 40;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int i;

	if (p == MAP_FAILED)
		abort();
	for (i = 0; i < pages; i++)
		p[(size / pages * i) & ~(size_t)(PAGE - 1)] = 1;
	wait_ready(-1, 0);
}

static unsigned long entries;

static void
read_run(int fd, unsigned long from, unsigned long to)
{
	static char buf[65536];

	from = from / PAGE * 8;
	to = to / PAGE * 8;
	while (from < to) {
		size_t want = to - from < sizeof(buf) ? to - from : sizeof(buf);
		ssize_t n = pread(fd, buf, want, (off_t)from);

		if (n <= 0)
			return;
		entries += (unsigned long)n / 8;
		from += (unsigned long)n;
	}
}

static void
floor_process(const char *pid)
{
	static char line[8192];
	unsigned long from, to, start_at = 0, end = 0;
	char path[300];
	FILE *maps;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%s/pagemap", pid);
	fd = open(path, O_RDONLY);
	while (maps && fd >= 0 && fgets(line, sizeof(line), maps)) {
		char *at;

		if (strstr(line, "[vsyscall]"))
			continue;
		from = strtoul(line, &at, 16);
		to = strtoul(at + 1, NULL, 16);
		/* what memstats leaves to PAGEMAP_SCAN costs nothing here */
		if (to - from > 1ul << 36)
			continue;
		if (from != end) {
			read_run(fd, start_at, end);
			start_at = from;
		}
		end = to;
	}
	read_run(fd, start_at, end);
	if (maps)
		fclose(maps);
	if (fd >= 0)
		close(fd);
}

static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* struct pm_scan_arg and struct page_region of linux/fs.h, Linux 6.7 */
struct scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, any_of, return_mask;
};
struct region {
	uint64_t start, end, categories;
};
enum { REGIONS = 512, PRESENT = 8, SWAPPED = 16 };

static void
scan_range(int fd, uint64_t start, uint64_t end)
{
	static struct region regions[REGIONS];
	struct scan s = { sizeof(s), 0, start, end, start,
		(uintptr_t)regions, REGIONS, 0, 0, 0, PRESENT | SWAPPED,
		PRESENT };
	int n, i;

	while ((n = ioctl(fd, _IOWR('f', 16, struct scan), &s)) > 0) {
		for (i = 0; i < n; i++)
			read_run(fd, regions[i].start, regions[i].end);
		s.start = s.walk_end;
	}
}

static void
bare(const char *pid)
{
	unsigned long from, to, start_at = 0, end = 0;
	double t;
	char path[300];
	FILE *maps;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%s/pagemap", pid);
	fd = open(path, O_RDONLY);
	while (maps && fscanf(maps, "%lx-%lx%*[^\n]", &from, &to) == 2)
		if (to - from > end - start_at && to >> 63 == 0) {
			start_at = from;
			end = to;
		}
	t = cpu_seconds();
	scan_range(fd, start_at, end);
	printf("%.6f\n", cpu_seconds() - t);
}

static void
floor_all(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while ((e = readdir(d)))
		if (*e->d_name >= '1' && *e->d_name <= '9')
			floor_process(e->d_name);
	printf("%.6f %lu\n", cpu_seconds(), entries);
}

int
main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "fork"))
		fork_load(atoi(argv[2]), atoi(argv[3]) * MIB,
			atoi(argv[4]) * MIB);
	else if (argc == 4 && !strcmp(argv[1], "maps"))
		maps_load(atoi(argv[2]), atoi(argv[3]));
	else if (argc == 3 && !strcmp(argv[1], "sparse"))
		sparse_load(atoi(argv[2]));
	else if (argc == 2 && !strcmp(argv[1], "floor"))
		floor_all();
	else if (argc == 3 && !strcmp(argv[1], "bare"))
		bare(argv[2]);
	else
		return 2;
	return 0;
}
