/* support.c - the input as a file, for targets that read one. */
#include <sys/mman.h>

#include "fuzz.h"

static char dir[] = "/tmp/membox-fuzz.XXXXXX";
static char file[PATH_MAX];

static void
fill(int fd, const u8 *data, size_t size)
{
	must(!ftruncate(fd, 0));
	must(pwrite(fd, data, size, 0) == (ssize_t)size);
}

int
fuzz_fd(const u8 *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("input", MFD_CLOEXEC);
	must(fd >= 0);
	fill(fd, data, size);
	must(!lseek(fd, 0, SEEK_SET));
	return fd;
}

static void
cleanup(void)
{
	char *slash;

	unlink(file);
	while ((slash = strrchr(file, '/')) && slash != file) {
		*slash = 0;
		if (rmdir(file))
			break;
	}
}

void
fuzz_root(const char *name, const u8 *data, size_t size)
{
	static int fd = -1;
	char *s;

	if (fd < 0) {
		must(mkdtemp(dir));
		snprintf(file, sizeof(file), "%s/%s", dir, name);
		for (s = file + sizeof(dir); (s = strchr(s, '/')); s++) {
			*s = 0;
			must(!mkdir(file, 0700));
			*s = '/';
		}
		fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		must(fd >= 0);
		must(!root_set(dir));
		atexit(cleanup);
	}
	fill(fd, data, size);
}
