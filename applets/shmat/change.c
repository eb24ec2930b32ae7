/* change.c - what makes, fills, advises and removes segments. */
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "shmat.h"

#define HUGE_SHIFT 26		/* of log2 of the page size, in shmget's flags */
enum { HUGE_FLAG = 04000 };

static int
huge_flags(const char *size)
{
	u64 bytes;

	if (!size)
		return 0;
	if (parse_size(size, &bytes) < 0 || !bytes || bytes & (bytes - 1))
		usage_die("--huge: '%s' is not a page size like 2M or 1G", size);
	return HUGE_FLAG | (__builtin_ctzll(bytes) << HUGE_SHIFT);
}

static int
mode_of(const char *text)
{
	u64 v = 0;
	const char *s;

	for (s = text; s && *s >= '0' && *s <= '7' && v < 01000; s++)
		v = v << 3 | (u64)(*s - '0');
	if (text && (*s || !*text || v > 0777))
		usage_die("--mode: '%s' is not an octal mode like 600", text);
	return text ? (int)v : 0600;
}

int
verb_create(char **words)
{
	static struct out o;
	u64 size, key = IPC_PRIVATE;
	int id;

	if (!words[0] || words[1])
		usage_die("create: one SIZE");
	root_refuse("create");
	size = xparse_size("create", words[0]);
	if (!size)
		return warn("create: size 0: a segment has at least a byte");
	if (opts.key)
		key = xparse_u64("--key", opts.key);
	if (key > UINT32_MAX)
		usage_die("--key: %s has more than 32 bits", opts.key);
	id = shmget((key_t)key, size, IPC_CREAT | IPC_EXCL |
		mode_of(opts.mode) | huge_flags(opts.huge));
	if (id < 0 && errno == EEXIST)
		return warn("create: a segment of key %s exists", opts.key);
	if (id < 0 && errno == ENOMEM && opts.huge)
		return warn("create: too few free huge pages of %s (see "
			"/sys/kernel/mm/hugepages/*/nr_hugepages)", opts.huge);
	if (id < 0 && errno == EINVAL)
		return warn("create: %s is more than /proc/sys/kernel/shmmax, "
			"or no size of huge page", words[0]);
	if (id < 0)
		return warn("create:");
	out_open(&o, 1);
	out_fmt(&o, "%d\n", id);
	return out_finish(&o, "standard output");
}

/* From fd 0 straight into the segment: a broken page is an error of read. */
static int
fill(const struct shm_segment *seg, char *map, u64 offset)
{
	u64 at = offset;
	ssize_t n = 1;
	char more;

	while (at < seg->size && n > 0) {
		n = read(0, map + at, seg->size - at);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			at += (u64)n;
	}
	if (n < 0)
		return warn("segment %d: read of the input into offset %lu:",
			seg->id, at);
	note("%lu bytes written", at - offset);
	if (at == seg->size && full_read(0, &more, 1) > 0)
		return warn("segment %d: the input is longer than the %lu "
			"bytes from offset %lu: the rest was not written",
			seg->id, seg->size - offset, offset);
	return 0;
}

int
verb_write(char **words)
{
	struct shm_segment seg;
	u64 offset = 0;
	char *map;
	int r;

	if (!words[0] || (words[1] && words[2]))
		usage_die("write: ID [OFFSET] < DATA");
	root_refuse("write");
	if (words[1])
		offset = xparse_size("write: OFFSET", words[1]);
	if (segment_find(words[0], &seg))
		return EXIT_FAILED;
	if (offset >= seg.size)
		return warn("segment %d: offset %lu lies past its end, %lu",
			seg.id, offset, seg.size);
	map = segment_attach(&seg, 0);
	if (!map)
		return EXIT_FAILED;
	r = fill(&seg, map, offset);
	shmdt(map);
	return r;
}

static const struct {
	const char *name;
	int advice;
	u8 write;		/* needs the segment attached for writing */
	u8 mapped;		/* is about pages that are mapped */
} advices[] = {
	{ "normal", MADV_NORMAL }, { "random", MADV_RANDOM },
	{ "sequential", MADV_SEQUENTIAL }, { "willneed", MADV_WILLNEED },
	{ "dontneed", MADV_DONTNEED }, { "remove", MADV_REMOVE, 1 },
	{ "hwpoison", 100, 1 }, { "soft_offline", 101, 1 },
	{ "free", MADV_FREE }, { "cold", 20, 0, 1 },
	{ "pageout", 21, 0, 1 },
	{ "populate_read", 22 }, { "populate_write", 23, 1 },
	{ "hugepage", MADV_HUGEPAGE }, { "nohugepage", MADV_NOHUGEPAGE },
	{ "collapse", 25 },
};

/* Who breaks a page on purpose is sent this for having it mapped. */
static void
survive(int signal)
{
	(void)signal;
}

int
verb_advise(char **words)
{
	struct shm_segment seg;
	char *map;
	size_t i;
	u64 at;
	int r;

	if (!words[0] || !words[1] || words[2])
		usage_die("advise: ID ADVICE");
	root_refuse("advise");
	for (i = 0; i < ARRAY_LEN(advices); i++)
		if (!strcmp(advices[i].name, words[1]))
			break;
	if (i == ARRAY_LEN(advices))
		usage_die("advise: '%s' is no advice (see --help)", words[1]);
	if (segment_find(words[0], &seg))
		return EXIT_FAILED;
	map = segment_attach(&seg, advices[i].write ? 0 : SHM_RDONLY);
	if (!map)
		return EXIT_FAILED;
	signal(SIGBUS, survive);
	for (at = 0; advices[i].mapped && at < segment_pages(&seg);
	     at += SEGMENT_BATCH)
		segment_map(&seg, map, at, SEGMENT_BATCH);
	r = madvise(map, segment_pages(&seg) * page_size, advices[i].advice);
	if (r)
		warn("segment %d: advice %s:", seg.id, words[1]);
	shmdt(map);
	return r ? EXIT_FAILED : EXIT_DONE;
}

static int
may_remove(const struct shm_segment *seg)
{
	char size[FMT_SIZE_MAX], answer[16] = "";

	if (opts.yes || !term_is(0))
		return 1;
	note("remove segment %d, key 0x%08x, %s, %lu attached? [y/N]", seg->id,
		seg->key, fmt_size(size, seg->size), seg->nattch);
	if (read(0, answer, sizeof(answer) - 1) < 0)
		return 0;
	return *answer == 'y' || *answer == 'Y';
}

int
verb_rm(char **words)
{
	struct shm_segment seg;
	int failed = 0;

	if (!words[0])
		usage_die("rm: which? ID or 0xKEY");
	root_refuse("rm");
	for (; *words; words++) {
		if (segment_find(*words, &seg)) {
			failed = EXIT_FAILED;
			continue;
		}
		if (!may_remove(&seg))
			continue;
		if (shmctl(seg.id, IPC_RMID, NULL) < 0)
			failed = warn("segment %d: remove:", seg.id);
	}
	return failed;
}
