/* memmaps-floor NAME - reads /proc/PID/NAME of every process and does nothing
 * with it; memmaps-floor pages PID START END - pagemap of the range, and
 * kpageflags and kpagecount of its pages, where they follow each other in one
 * read. Prints "CPU_SECONDS BYTES". */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char buf[1 << 16];
static unsigned long long bytes, entries[8192], other[8192];

static void
read_all(const char *pid, const char *name)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.16s/%.32s", pid, name);
	fd = open(path, O_RDONLY);
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		bytes += n;
	close(fd);
}

static void
read_pages(const char *pid, unsigned long long start, unsigned long long end)
{
	const unsigned long long pfn_mask = (1ull << 55) - 1;
	int flags = open("/proc/kpageflags", O_RDONLY);
	int count = open("/proc/kpagecount", O_RDONLY), fd;
	ssize_t n, i, k;

	snprintf(buf, sizeof(buf), "/proc/%.16s/pagemap", pid);
	fd = open(buf, O_RDONLY);
	for (start /= 4096, end /= 4096; start < end; start += n) {
		n = end - start < 8192 ? end - start : 8192;
		n = pread(fd, entries, n * 8, start * 8) / 8;
		if (n <= 0)
			return;
		for (i = 0; i < n; i = k) {
			unsigned long long pfn = entries[i] & pfn_mask;

			for (k = i + 1; k < n && (entries[k] & pfn_mask) ==
			     pfn + (k - i); k++)
				;
			bytes += pread(flags, other, (k - i) * 8, pfn * 8);
			bytes += pread(count, other, (k - i) * 8, pfn * 8);
		}
	}
}

int
main(int argc, char **argv)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	struct rusage u;

	if (argc == 5)
		read_pages(argv[2], strtoull(argv[3], NULL, 16),
			strtoull(argv[4], NULL, 16));
	while (argc == 2 && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			read_all(e->d_name, argv[1]);
	getrusage(RUSAGE_SELF, &u);
	printf("%.6f %llu\n", (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6,
		bytes);
	return 0;
}
