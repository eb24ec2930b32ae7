/* A whole /proc/kcore beside an iomem that is sound: what memdump takes for RAM
 * are whole pages, sorted, apart, and RAM of iomem. */
#include "applets/memdump/memdump.h"
#include "fuzz.h"

static const char iomem[] =
	"00001000-0009fbff : System RAM\n"
	"00100000-007fffff : System RAM\n"
	"  00200000-003fffff : Kernel code\n"
	"00a00000-00dfffff : System RAM\n";
static const struct range ram[] = {
	{ 0x1000, 0x9f000 }, { 0x100000, 0x800000 }, { 0xa00000, 0xe00000 },
};

/* The kcore is the input; iomem stands beside it. */
static void
machine(const u8 *data, size_t size)
{
	static int made;
	const char *path = "/proc/iomem";
	int dir, fd;

	fuzz_root("proc/kcore", data, size);
	if (made++)
		return;
	dir = root_at(&path);
	fd = openat(dir, path, O_WRONLY | O_CREAT, 0600);
	must(!full_write(fd, iomem, sizeof(iomem) - 1));
	close(fd);
}

static int
within(const struct extent *e)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(ram); i++)
		if (e->start >= ram[i].start && e->end <= ram[i].end)
			return 1;
	return 0;
}

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct extent extents[EXTENTS];
	static struct range lost[EXTENTS];
	static struct hole holes[HOLES];
	static char info[INFO_MAX];
	struct source s = { .name = "kcore", .kind = "kcore", .fd = -1,
		.extent = extents, .lost_range = lost, .hole = holes,
		.info = info };
	unsigned i;

	*info = 0;
	machine(data, size);
	/* Most inputs end in a refusal, as no page can be read: what was found
	 * until then must be right as well. */
	must(kcore_open(&s) || s.extents);
	must(s.extents <= EXTENTS);
	for (i = 0; i < s.extents; i++) {
		must(s.extent[i].start < s.extent[i].end);
		must(!(s.extent[i].start % page_size));
		must(!(s.extent[i].end % page_size));
		must(within(&s.extent[i]));
		must(!i || s.extent[i - 1].end <= s.extent[i].start);
	}
	must(strlen(info) < sizeof(info));
	if (s.fd >= 0)
		close(s.fd);
	return 0;
}
