/* preads - the floor: read ranges of a file by pread, and nothing else
 *
 * usage: preads FILE BLOCK OFFSET LENGTH [OFFSET LENGTH]...
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	static char buf[1 << 20];
	int fd = argc > 4 ? open(argv[1], O_RDONLY) : -1, i;
	size_t block = fd < 0 ? 0 : strtoul(argv[2], NULL, 0);

	if (!block || block > sizeof(buf))
		return 1;
	for (i = 3; i + 1 < argc; i += 2) {
		off_t at = strtoll(argv[i], NULL, 0);
		off_t end = at + strtoll(argv[i + 1], NULL, 0);

		while (at < end) {
			size_t n = end - at < (off_t)block ? (size_t)(end - at)
				: block;

			if (pread(fd, buf, n, at) != (ssize_t)n)
				return perror(argv[1]), 1;
			at += (off_t)n;
		}
	}
	return 0;
}
