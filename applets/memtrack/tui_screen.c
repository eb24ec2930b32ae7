/* tui_screen.c - the live view's drawing, by ANSI sequences that any terminal
 * and serial console knows, and the terminal's state before and after.
 */
#include <signal.h>
#include <stdlib.h>
#include <termios.h>

#include "memtrack.h"
#include "tui.h"

static const char *const order_names[ORDERS] = { "pages", "peak", "rate" };

static struct termios saved;
static struct out screen;
static char screen_buf[65536];
static volatile int resized;

/* ---- drawing ---- */

/* n columns of s from column skip on; the rest of them blank. */
static void
put_clipped(const char *s, size_t len, int skip, int n)
{
	size_t i = 0, c;

	for (; i < len && n > 0; i += c) {
		c = utf8_len(s + i, len - i);
		c = c ? c : 1;
		if (skip-- > 0)
			continue;
		out_put(&screen, s + i, c);
		n--;
	}
}

static void
put_line(const char *s)
{
	put_clipped(s, strlen(s), 0, view.cols);
	out_str(&screen, "\033[K\r\n");
}

static int
is_utf8_locale(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *v;
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if ((v = getenv(names[i])) && *v)
			return strstr(v, "UTF-8") || strstr(v, "utf8");
	return 0;
}

/* The total over the last minute, oldest first, in eight heights. */
static void
put_sparkline(int width)
{
	static const char plain[] = " .:-=+*#";
	u64 most = 1;
	int i, utf8 = is_utf8_locale();

	if (width > (int)history_count)
		width = (int)history_count;
	for (i = 0; i < width; i++)
		if (history[i] > most)
			most = history[i];
	for (i = width - 1; i >= 0; i--) {
		unsigned level = (unsigned)(history[i] * 7 / most);
		if (utf8)
			out_fmt(&screen, "\xe2\x96%c", (char)(0x81 + level));
		else
			out_char(&screen, plain[level]);
	}
}

static void
put_head(void)
{
	char line[160], size[FMT_SIZE_MAX];
	int n;

	fmt_str(line, sizeof(line), "%s'q': quit, 'r': reload symbols, 'm': "
		"switch processes/modules, 'p': %s",
		view.paused ? "[PAUSED] " : "",
		view.paused ? "resume" : "pause UI");
	put_line(line);
	n = fmt_str(line, sizeof(line), "Pages being tracked: %lu (%luMB)  ",
		(unsigned long)total.live,
		(unsigned long)((total.live << page_shift) / MIB));
	put_clipped(line, (size_t)n, 0, view.cols);
	put_sparkline(view.cols - n);
	out_str(&screen, "\033[K\r\n");
	fmt_str(line, sizeof(line), "Sort 's': %s  Filter '/': %s%s  Peak: %s  "
		"Lost: %lu", order_names[view.order], view.filter,
		view.typing ? "_" : "",
		fmt_size(size, total.peak << page_shift),
		(unsigned long)counts.lost);
	put_line(line);
	put_line(view.of == TREE_TASK
		? "   PID   |    Pages   |    Peak    |  Pages/s | Process "
		"Command Line"
		: "         |    Pages   |    Peak    |  Pages/s | Module Name");
}

/* The text of the last column, escaped, into buf; its length. */
static size_t
row_text(const struct row *r, char *buf, size_t size)
{
	char name[256];
	struct out o;	/* a text that is longer is cut: the line is, too */
	const char *s;
	size_t n;
	int i;

	out_open(&o, -1);
	out_buffer(&o, buf, size);
	for (i = 1; i < r->depth && i < 40; i++)
		out_str(&o, "| ");
	if (r->frame) {
		out_str(&o, !r->children ? "|  " : r->open ? "|- " : "|+ ");
		s = sym_name(r->frame, name, sizeof(name));
		out_escaped(&o, s, strlen(s));
	} else {
		s = report_name(view.of, r->index, &n);
		out_escaped(&o, s, n);
	}
	return o.used;
}

static void
put_row(const struct row *r, int selected)
{
	char line[160], text[512];
	size_t len = row_text(r, text, sizeof(text));
	char rate[24] = "";
	int n;

	if (!r->frame)
		fmt_str(rate, sizeof(rate), "%ld", (long)r->rate);
	if (r->frame)
		n = fmt_str(line, sizeof(line), "         | %10lu | %10lu | "
			"%8s | ", (unsigned long)r->live,
			(unsigned long)r->peak, "");
	else if (view.of == TREE_MODULE)
		n = fmt_str(line, sizeof(line), "     [M] | %10lu | %10lu | "
			"%8s | ", (unsigned long)r->live,
			(unsigned long)r->peak, rate);
	else
		n = fmt_str(line, sizeof(line), "%8d | %10lu | %10lu | %8s | ",
			task_at(r->index) ? task_at(r->index)->pid : 0,
			(unsigned long)r->live, (unsigned long)r->peak, rate);
	if (selected)
		out_str(&screen, "\033[7m");
	put_clipped(line, (size_t)n, 0, view.cols);
	put_clipped(text, len, view.left, view.cols - n);
	out_str(&screen, "\033[0m\033[K");
}

void
screen_draw(void)
{
	u32 room, i;

	term_size(1, &view.cols, &view.lines);
	room = view.lines > HEAD_ROWS ? (u32)(view.lines - HEAD_ROWS) : 1;
	build_rows();
	if (view.selected < view.top)
		view.top = view.selected;
	if (view.selected >= view.top + room)
		view.top = view.selected - room + 1;
	out_str(&screen, "\033[H");
	put_head();
	for (i = view.top; i < view.top + room; i++) {
		if (i < row_count)
			put_row(&rows[i], i == view.selected);
		else
			out_str(&screen, "\033[K");
		if (i + 1 < view.top + room)
			out_str(&screen, "\r\n");
	}
	out_flush(&screen);
	view.dirty = 0;
}

/* ---- the terminal ---- */

static void
note_resize(int sig)
{
	(void)sig;
	resized = 1;
}

void
screen_open(void)
{
	struct sigaction on_resize = { .sa_handler = note_resize };
	struct termios raw;

	tcgetattr(0, &saved);
	raw = saved;
	/* Signals stay: Ctrl-C ends as everywhere. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(0, TCSANOW, &raw);
	sigaction(SIGWINCH, &on_resize, NULL);
	out_open(&screen, 1);
	out_buffer(&screen, screen_buf, sizeof(screen_buf));
	out_str(&screen, "\033[?1049h\033[?25l\033[2J");
}

void
screen_close(void)
{
	out_str(&screen, "\033[?25h\033[?1049l");
	out_flush(&screen);
	tcsetattr(0, TCSADRAIN, &saved);
}

int
screen_failed(void)
{
	return screen.err;
}

void
screen_resized(void)
{
	if (!resized)
		return;
	resized = 0;
	out_str(&screen, "\033[2J");
	view.dirty = 1;
}

void
screen_draw_head(void)
{
	out_str(&screen, "\033[H");
	put_head();
	out_flush(&screen);
	view.dirty = 0;
}
