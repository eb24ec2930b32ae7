/* support.c - the input as a file, for targets that read one. */
#include <sys/mman.h>

#include "fuzz.h"

enum { FILES = 8 };
static char dir[] = "/tmp/membox-fuzz.XXXXXX";
static struct {
	char path[PATH_MAX];
	const char *name;
	int fd;
} files[FILES];
static unsigned count;

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

/* The files, and their folders as these get empty. */
static void
cleanup(void)
{
	char *slash;

	while (count--) {
		char *path = files[count].path;

		unlink(path);
		while ((slash = strrchr(path, '/')) && slash != path) {
			*slash = 0;
			if (rmdir(path))
				break;
		}
	}
}

static int
make(const char *name)
{
	char *path = files[count].path, *s;

	must(count < FILES);
	snprintf(path, PATH_MAX, "%s/%s", dir, name);
	for (s = path + sizeof(dir); (s = strchr(s, '/')); s++) {
		*s = 0;
		must(!mkdir(path, 0700) || errno == EEXIST);
		*s = '/';
	}
	files[count].name = name;
	files[count].fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(files[count].fd >= 0);
	return files[count++].fd;
}

void
fuzz_root(const char *name, const u8 *data, size_t size)
{
	unsigned i;

	if (!count) {
		must(mkdtemp(dir));
		must(!root_set(dir));
		atexit(cleanup);
	}
	for (i = 0; i < count && strcmp(files[i].name, name); i++)
		;
	fill(i < count ? files[i].fd : make(name), data, size);
}

size_t
fuzz_part(const u8 **data, size_t *size)
{
	const u8 *end = memchr(*data, 0, *size);
	size_t n = end ? (size_t)(end - *data) : *size;

	*data += n + !!end;
	*size -= n + !!end;
	return n;
}
