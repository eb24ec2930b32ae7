/* term.c - what the terminal is. */
#include <stdlib.h>
#include <sys/ioctl.h>

#include "../view.h"

int
term_is(int fd)
{
	struct winsize w;

	return !ioctl(fd, TIOCGWINSZ, &w);
}

int
term_color(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return term_is(fd) && !(no && *no) && term && strcmp(term, "dumb");
}

void
term_size(int fd, int *cols, int *rows)
{
	struct winsize w = { 0 };

	*cols = 80;
	*rows = 24;
	if (ioctl(fd, TIOCGWINSZ, &w))
		return;
	if (w.ws_col)
		*cols = w.ws_col;
	if (w.ws_row)
		*rows = w.ws_row;
}
