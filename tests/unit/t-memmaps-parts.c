/* memmaps' own parts: the way from a place in a picture to a page and back,
 * and the reader of its JSON, which must say no to anything else. */
#include <sys/wait.h>

#include "applets/memmaps/picture.h"
#include "applets/memmaps/watch.h"
#include "tests/unit/unit.h"

/* Every pixel has one place, and neighbours on the curve are neighbours in the
 * picture, within a block and from a block to the one on its right. */
static void
canvas(u64 pixels, u32 width)
{
	struct canvas c;
	s64 *place;
	u64 i, found = 0, jumps = 0;
	u32 x, y, side;

	canvas_fit(&c, pixels, width);
	side = 1u << c.shift;
	place = malloc(pixels * sizeof(*place));
	for (i = 0; i < pixels; i++)
		place[i] = -1;
	for (y = 0; y < c.height; y++)
		for (x = 0; x < c.width; x++) {
			s64 at = canvas_at(&c, x, y);

			if (at == CANVAS_NONE)
				continue;
			if ((u64)at < pixels && place[at] < 0)
				found++;
			place[at] = (s64)y << 32 | x;
		}
	for (i = 1; i < pixels && found == pixels; i++) {
		s64 dx = (s64)(u32)place[i] - (u32)place[i - 1];
		s64 dy = (place[i] >> 32) - (place[i - 1] >> 32);

		if (!(dx * dx + dy * dy == 1) &&
		    i % ((u64)side * side * c.columns))
			jumps++;
	}
	ok(found == pixels && !jumps && (!width || c.width <= width) &&
		(u64)c.width * c.height < 2 * pixels + side * side,
		"%llu pixels in %u x %u", (unsigned long long)pixels, c.width,
		c.height);
	free(place);
}

static char *
slurp(const char *path, size_t *n)
{
	static char text[1 << 17];
	int fd = open(path, O_RDONLY);

	*n = (size_t)full_read(fd, text, sizeof(text));
	close(fd);
	return text;
}

/* In a process of its own, for load_json exits: its status. */
static int
load_status(const char *text, size_t n, size_t *regions)
{
	static const char path[] = "/tmp/membox-t-memmaps";
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), status;
	int fds[2];
	pid_t pid;

	full_write(fd, text, n);
	close(fd);
	*regions = 0;
	if (pipe(fds) < 0)
		return -1;
	pid = fork();
	if (!pid) {
		struct store s;

		close(2);
		store_open(&s);
		load_json(path, &s);
		(void)!write(fds[1], &s.count, sizeof(s.count));
		_exit(0);
	}
	close(fds[1]);
	(void)!read(fds[0], regions, sizeof(*regions));
	close(fds[0]);
	waitpid(pid, &status, 0);
	unlink(path);
	return status;
}

static void
load(void)
{
	size_t n, regions, i;
	int bad = 0, refused = 0, status;
	char *text = slurp("tests/cli/memmaps/full.json", &n);
	char spoiled[4096];
	u32 seed = 1;

	status = load_status(text, n, &regions);
	ok(!status && regions == 34, "regions come back from --all --full");
	text = slurp("tests/cli/memmaps/all.ndjson", &n);
	status = load_status(text, n, &regions);
	ok(!status && regions == 4, "and from a line each");
	text = slurp("tests/cli/memmaps/memc.json", &n);
	status = load_status(text, n, &regions);
	ok(!status && regions == 29, "and from memc's");
	for (i = 0; i < 300; i++) {
		size_t at, size = n < sizeof(spoiled) ? n : sizeof(spoiled);

		memcpy(spoiled, text, size);
		seed = seed * 1103515245 + 12345;
		at = (seed >> 8) % size;
		spoiled[at] = "\"{}[]:,\\u0\xff\0"[(seed >> 20) % 12];
		if (i & 1)
			size = at + 1;
		status = load_status(spoiled, size, &regions);
		bad += !WIFEXITED(status) || WEXITSTATUS(status) > 1;
		refused += WEXITSTATUS(status) == 1;
	}
	ok(!bad && refused > 150, "300 spoiled files: %d refused, none breaks it",
		refused);
}

int
main(void)
{
	static const u64 sizes[] = { 1, 2, 15, 16, 17, 255, 1000, 4096, 65537,
		131072, 300000 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(sizes); i++)
		canvas(sizes[i], 0);
	canvas(2000, 80);
	canvas(10000, 211);
	load();
	return unit_failed;
}
