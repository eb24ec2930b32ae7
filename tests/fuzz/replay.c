/* replay.c - a fuzz target's main without libFuzzer: each file of the corpus,
 * then mutations of it, the same in every run.
 *
 * usage: fuzz-NAME [-m MUTATIONS] DIR|FILE...
 */
#include <dirent.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 20 };

static u8 input[INPUT_MAX], other[INPUT_MAX];
static unsigned long mutations = 100, runs, files;
static u64 state;

static u64
next(void)
{
	/* xorshift64 */
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* A few changes of the kind that break parsers: bits, numbers at their limits,
 * a tail lost, a piece moved. */
static size_t
mutate(u8 *p, size_t n)
{
	static const u8 edge[] = { 0, 1, 0x7f, 0x80, 0xff, '0', '-', '\n' };
	unsigned changes = 1 + next() % 6;
	size_t from, to, len;

	while (n && changes--)
		switch (next() % 5) {
		case 0:
			p[next() % n] ^= (u8)(1u << next() % 8);
			break;
		case 1:
			p[next() % n] = edge[next() % sizeof(edge)];
			break;
		case 2:
			len = 1 + next() % 8;
			from = next() % n;
			memset(p + from, edge[next() % 5],
				len < n - from ? len : n - from);
			break;
		case 3:
			if (next() % 4 == 0)
				n = next() % n;
			break;
		case 4:
			from = next() % n;
			to = next() % n;
			len = next() % 64;
			if (len <= n - from && len <= n - to)
				memmove(p + to, p + from, len);
			break;
		}
	return n;
}

static void
run_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : full_read(fd, input, sizeof(input));
	unsigned long i;

	if (n < 0) {
		perror(path);
		exit(1);
	}
	close(fd);
	files++;
	LLVMFuzzerTestOneInput(input, (size_t)n);
	state = 0x9e3779b97f4a7c15 + (u64)n;
	for (i = 0; i < mutations; i++) {
		memcpy(other, input, (size_t)n);
		LLVMFuzzerTestOneInput(other, mutate(other, (size_t)n));
	}
	runs += 1 + mutations;
}

static void
run_dir(DIR *d, const char *path)
{
	static char name[PATH_MAX];
	struct dirent *e;

	while ((e = readdir(d)))
		if (*e->d_name != '.') {
			snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
			run_file(name);
		}
	closedir(d);
}

int
main(int argc, char **argv)
{
	int i = 1;
	DIR *d;

	if (argc > 2 && !strcmp(argv[1], "-m")) {
		mutations = strtoul(argv[2], NULL, 10);
		i = 3;
	}
	LLVMFuzzerTestOneInput(input, 0);
	for (; i < argc; i++) {
		d = opendir(argv[i]);
		if (d)
			run_dir(d, argv[i]);
		else
			run_file(argv[i]);
	}
	printf("%lu files, %lu runs\n", files, runs);
	return 0;
}
