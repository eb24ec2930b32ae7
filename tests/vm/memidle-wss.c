/* memidle-wss - the working set by the per-page way, to compare with
 *
 * usage: memidle-wss PID MS [COMMAND [ARGUMENT]...]
 *
 * For each page of each mapping of 32 MiB or more: a call for its entry of
 * pagemap, a call that marks its whole word of the idle bitmap; the TLB flushed
 * by 4 to clear_refs; MS milliseconds; for each page again its entry and its
 * word. Prints the pages present, those that were accessed, and the CPU time it
 * took in microseconds; then that of COMMAND, whose output goes to stderr.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int pagemap, bitmap;
static unsigned long present, active;

static unsigned long
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000ul + t.tv_nsec / 1000;
}

/* The frame of a page, 0 when it has none. */
static uint64_t
frame(unsigned long page)
{
	uint64_t e;

	lseek(pagemap, page * 8, SEEK_SET);
	if (read(pagemap, &e, 8) != 8 || !(e >> 63))
		return 0;
	return e & ((1ull << 55) - 1);
}

static void
mark(unsigned long page)
{
	uint64_t ones = ~0ull, pfn = frame(page);

	lseek(bitmap, pfn / 64 * 8, SEEK_SET);
	if (pfn)
		write(bitmap, &ones, 8);
}

static void
look(unsigned long page)
{
	uint64_t word, pfn = frame(page);

	if (!pfn)
		return;
	present++;
	lseek(bitmap, pfn / 64 * 8, SEEK_SET);
	/* the last word, when it is not whole, cannot be read */
	if (read(bitmap, &word, 8) == 8)
		active += !(word >> pfn % 64 & 1);
}

static void
each_page(const char *pid, void (*visit)(unsigned long page))
{
	char path[64], line[4096];
	unsigned long a, b;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &a, &b) == 2 && b - a >= 32ul << 20)
			for (; a < b; a += 4096)
				visit(a / 4096);
	if (maps)
		fclose(maps);
}

static unsigned long
command_us(char **argv)
{
	struct rusage u;
	int pid = fork(), status;

	if (!pid) {
		dup2(2, 1);
		execvp(*argv, argv);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &u) != pid || status)
		return 0;
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000ul +
		u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

int
main(int argc, char **argv)
{
	char path[64];
	int flush;

	if (argc < 3)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[1]);
	pagemap = open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%s/clear_refs", argv[1]);
	flush = open(path, O_WRONLY);
	bitmap = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	if (pagemap < 0 || bitmap < 0 || flush < 0)
		return 1;
	each_page(argv[1], mark);
	write(flush, "4", 1);
	usleep(atoi(argv[2]) * 1000);
	each_page(argv[1], look);
	printf("%lu %lu %lu %lu\n", present, active, cpu_us(),
		argc > 3 ? command_us(argv + 3) : 0);
	return 0;
}
