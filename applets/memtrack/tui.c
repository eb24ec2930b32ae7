/* tui.c - the live view: memstrack's columns and keys, by ANSI sequences that
 * any terminal and serial console knows. It draws whole frames, once a second
 * or when a key asks for it; what does not change costs nothing to think about.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>

#include "memtrack.h"

enum {
	ROWS_MAX = 4096, OPEN_MAX = 512, HISTORY = 60, HEAD_ROWS = 4,
	FILTER_MAX = 40, REFRESH_NS = 1000000000, KEY_MS = 50,
	PEAK_SHOWN = 256,	/* pages: of what holds none now */
	RESOLVE_EVERY = 5,	/* refreshes, while trees are open */
};
enum key {
	KEY_NONE = 256, KEY_UP, KEY_DOWN, KEY_LEFT, KEY_RIGHT, KEY_PAGE_UP,
	KEY_PAGE_DOWN, KEY_ESCAPE,
};
enum order { ORDER_PAGES, ORDER_PEAK, ORDER_RATE, ORDERS };
static const char *const order_names[ORDERS] = { "pages", "peak", "rate" };

static struct row {
	u64 path;		/* what it is, over refreshes */
	u64 frame;		/* 0: a task or module */
	u64 live, peak;
	s64 rate;		/* pages a second */
	u32 index;
	u16 depth;
	u8 children, open;
} rows[ROWS_MAX];
static u32 row_count;

static u64 opened[OPEN_MAX];	/* paths of what is unfolded */
static u32 open_count;
static struct view {
	enum tree_of of;
	enum order order;
	u32 selected, top;	/* rows */
	int left;		/* columns of text scrolled away */
	int paused, typing, dirty;
	int cols, lines;
	char filter[FILTER_MAX + 1];
} view;
static u64 history[HISTORY];	/* total, a refresh each */
static u32 history_count;
static u64 before[2][ROWS_MAX];	/* live at the last refresh, by index */
static s64 rates[2][ROWS_MAX];
static struct termios saved;
static struct out screen;
static char screen_buf[65536];
static volatile int resized;

/* ---- what is shown ---- */

static u64
mix(u64 path, u64 part)
{
	return (path ^ part) * 0x9e3779b97f4a7c15 + 1;
}

static u32
open_find(u64 path)
{
	u32 i;

	for (i = 0; i < open_count && opened[i] != path; i++)
		;
	return i;
}

static void
open_toggle(u64 path)
{
	u32 i = open_find(path);

	if (i < open_count)
		opened[i] = opened[--open_count];
	else if (open_count < OPEN_MAX)
		opened[open_count++] = path;
}

static void
add_row(const struct row *r)
{
	if (row_count < ROWS_MAX)
		rows[row_count++] = *r;
}

static void
add_children(u32 node, u64 path, u16 depth, u32 index)
{
	const struct node *n;
	u32 id;

	for (id = tree_node(node)->child; id; id = n->sibling) {
		u64 here;
		n = tree_node(id);
		if (!n->live && view.order != ORDER_PEAK)
			continue;
		here = mix(path, n->frame);
		struct row r = { here, n->frame, n->live, n->peak, 0, index,
			depth, n->child != 0,
			open_find(here) < open_count };
		add_row(&r);
		if (r.open)
			add_children(id, here, (u16)(depth + 1), index);
	}
}

static int
is_filtered(u32 index)
{
	size_t n;
	const char *name = report_name(view.of, index, &n);

	return *view.filter &&
		!memmem(name, n, view.filter, strlen(view.filter));
}

static int
by_rate(const void *a, const void *b, const void *arg)
{
	s64 x = rates[view.of][*(const u32 *)a];
	s64 y = rates[view.of][*(const u32 *)b];

	(void)arg;
	return x > y ? -1 : x < y;
}

static void
build_rows(void)
{
	static u32 index[ROWS_MAX];
	u64 keep = view.selected && view.selected < row_count
		? rows[view.selected].path : 0;
	enum sort_key key = view.order == ORDER_PEAK ? SORT_PEAK : SORT_ALLOC;
	u32 n = report_sorted(view.of, key, index, ROWS_MAX), i;

	if (view.order == ORDER_RATE)
		sort_items(index, n, sizeof(*index), by_rate, NULL);
	row_count = 0;
	for (i = 0; i < n; i++) {
		const struct use *u = report_use(view.of, index[i]);
		u64 path = mix(view.of + 1, index[i]);
		struct row r = { path, 0, u->live, u->peak,
			rates[view.of][index[i]], index[i], 0, 1,
			open_find(path) < open_count };
		if (is_filtered(index[i]) || (!r.live && !r.rate &&
		    view.order != ORDER_PEAK && r.peak < PEAK_SHOWN))
			continue;
		add_row(&r);
		if (r.open) {
			tree_build(view.of, index[i], key);
			add_children(1, path, 1, index[i]);
		}
	}
	/* The cursor stays on what it is on, or on top. */
	for (i = 0; keep && i < row_count; i++)
		if (rows[i].path == keep)
			view.selected = i;
	if (view.selected >= row_count)
		view.selected = row_count ? row_count - 1 : 0;
}

static void
sample(enum tree_of of, u32 count, u64 ns)
{
	u32 i;

	for (i = 0; i < count && i < ROWS_MAX; i++) {
		u64 live = of == TREE_MODULE || task_at(i)
			? report_use(of, i)->live : 0;
		rates[of][i] = (s64)(live - before[of][i]) * 1000000000 /
			(s64)(ns ? ns : 1);
		before[of][i] = live;
	}
}

/* Once a second: rates, history, and names when trees are open. */
static void
refresh(void)
{
	static u64 last;
	static unsigned turn;
	u64 now = now_ns();

	sample(TREE_TASK, task_count(), now - last);
	sample(TREE_MODULE, module_count(), now - last);
	last = now;
	memmove(history + 1, history, (HISTORY - 1) * sizeof(*history));
	history[0] = total.live;
	if (history_count < HISTORY)
		history_count++;
	if (open_count && turn++ % RESOLVE_EVERY == 0)
		syms_resolve();
	trace_count_lost();
	view.dirty = 1;
}

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

static void
draw(void)
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

/* ---- keys ---- */

static int
byte_in(int ms)
{
	struct pollfd p = { 0, POLLIN, 0 };
	unsigned char c;

	if (poll(&p, 1, ms) <= 0)
		return KEY_NONE;
	if (read(0, &c, 1) == 1)
		return c;
	stop_signal = SIGHUP;	/* the terminal is gone */
	return KEY_NONE;
}

/* "\033[A", "\033OA", "\033[5~": what follows the escape. */
static int
escape_in(void)
{
	static const struct {
		char c;
		int key;
	} keys[] = {
		{ 'A', KEY_UP }, { 'B', KEY_DOWN }, { 'C', KEY_RIGHT },
		{ 'D', KEY_LEFT }, { '5', KEY_PAGE_UP }, { '6', KEY_PAGE_DOWN },
	};
	int c = byte_in(KEY_MS);
	size_t i;

	if (c != '[' && c != 'O')
		return KEY_ESCAPE;
	c = byte_in(KEY_MS);
	for (i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].c == c) {
			if (c == '5' || c == '6')
				byte_in(KEY_MS);
			return keys[i].key;
		}
	while (c >= '0' && c <= '?')	/* one that is not known */
		c = byte_in(KEY_MS);
	return KEY_NONE;
}

static int
key_in(void)
{
	int c = byte_in(0);

	return c == '\033' ? escape_in() : c;
}

static void
key_filter(int key)
{
	size_t n = strlen(view.filter);

	if (key == '\r' || key == '\n')
		view.typing = 0;
	else if (key == KEY_ESCAPE)
		view.typing = view.filter[0] = 0;
	else if ((key == 127 || key == 8) && n)
		view.filter[n - 1] = 0;
	else if (key >= ' ' && key < 127 && n < FILTER_MAX) {
		view.filter[n] = (char)key;
		view.filter[n + 1] = 0;
	}
}

static void
move(int by)
{
	s64 to = (s64)view.selected + by;

	if (to >= row_count)
		to = (s64)row_count - 1;
	view.selected = to < 0 ? 0 : (u32)to;
}

/* 1: the end is asked for. */
static int
key_command(int key)
{
	int page = view.lines - HEAD_ROWS;

	switch (key) {
	case 'q': case 'Q':
		return 1;
	case 'm': case 'M':
		view.of = view.of == TREE_TASK ? TREE_MODULE : TREE_TASK;
		view.selected = view.top = 0;
		row_count = 0;
		break;
	case 'r': case 'R':
		syms_resolve();
		break;
	case 'p': case 'P':
		view.paused = !view.paused;
		break;
	case 's': case 'S':
		view.order = (view.order + 1) % ORDERS;
		break;
	case '/':
		view.typing = 1;
		view.filter[0] = 0;
		break;
	case ' ':
		if (view.selected < row_count)
			open_toggle(rows[view.selected].path);
		syms_resolve();
		break;
	case KEY_UP: move(-1); break;
	case KEY_DOWN: move(1); break;
	case KEY_PAGE_UP: move(-page); break;
	case KEY_PAGE_DOWN: move(page); break;
	case KEY_LEFT: view.left -= view.left >= 8 ? 8 : view.left; break;
	case KEY_RIGHT: view.left += 8; break;
	}
	return 0;
}

static int
keys(void)
{
	int key, end = 0;

	while (!end && (key = key_in()) != KEY_NONE) {
		if (view.typing)
			key_filter(key);
		else
			end = key_command(key);
		view.dirty = 1;
	}
	return end;
}

/* ---- the terminal ---- */

static void
note_resize(int sig)
{
	(void)sig;
	resized = 1;
}

static void
terminal_open(void)
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

static void
terminal_close(void)
{
	out_str(&screen, "\033[?25h\033[?1049l");
	out_flush(&screen);
	tcsetattr(0, TCSADRAIN, &saved);
}

void
tui_run(u64 duration)
{
	u64 end = duration ? now_ns() + duration : ~0ull, due = 0;

	terminal_open();
	while (!stop_signal && now_ns() < end && !screen.err) {
		trace_poll(KEY_MS);
		if (keys())
			break;
		if (now_ns() >= due) {
			due = now_ns() + REFRESH_NS;
			refresh();
		}
		if (resized) {
			resized = 0;
			out_str(&screen, "\033[2J");
			view.dirty = 1;
		}
		if (view.dirty && !view.paused)
			draw();
		else if (view.dirty) {
			out_str(&screen, "\033[H");
			put_head();
			out_flush(&screen);
			view.dirty = 0;
		}
	}
	terminal_close();
}
