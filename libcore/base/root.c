/* root.c - /proc and /sys of this machine, or of a tree captured from
 * another. */
#include "../base.h"

const char *root_dir = "";
static int root_fd = AT_FDCWD;

int
root_set(const char *dir)
{
	if (!strcmp(dir, "/"))
		return 0;
	root_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -1;
	root_dir = dir;
	return 0;
}

int
root_at(const char **path)
{
	if (*root_dir)
		*path += strspn(*path, "/");
	return root_fd;
}

int
root_open(const char *path, int flags)
{
	int at = root_at(&path);

	return openat(at, path, flags | O_CLOEXEC);
}

ssize_t
root_slurp(const char *path, char *buf, size_t size)
{
	int fd = root_open(path, O_RDONLY);
	ssize_t n;

	buf[0] = 0;
	if (fd < 0)
		return -1;
	n = fd_slurp(fd, buf, size);
	close(fd);
	return n;
}

void
root_refuse(const char *what)
{
	if (*root_dir)
		usage_die("%s needs the live system: not with --root", what);
}
