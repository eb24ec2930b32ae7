/* io.c - transfers that finish. */
#include "../base.h"

ssize_t
full_read(int fd, void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = read(fd, (char *)buf + done, n - done);
		if (r > 0)
			done += r;
		else if (!r)
			break;
		else if (errno != EINTR)
			return done ? (ssize_t)done : -1;
	}
	return done;
}

ssize_t
full_pread(int fd, void *buf, size_t n, u64 offset)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = pread(fd, (char *)buf + done, n - done,
			(off_t)(offset + done));
		if (r > 0)
			done += r;
		else if (!r)
			break;
		else if (errno != EINTR)
			return done ? (ssize_t)done : -1;
	}
	return done;
}

int
full_write(int fd, const void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = write(fd, (const char *)buf + done, n - done);
		if (r >= 0)
			done += r;
		else if (errno != EINTR)
			return -1;
	}
	return 0;
}

ssize_t
fd_slurp(int fd, char *buf, size_t size)
{
	ssize_t n = full_read(fd, buf, size - 1);

	buf[n < 0 ? 0 : n] = 0;
	return n;
}
