/* tui.c - the live view: memstrack's columns and keys. It draws whole frames,
 * once a second or when a key asks for it; what does not change costs nothing
 * to think about. What is shown is in tui_rows.c, how in tui_screen.c.
 */
#include <poll.h>
#include <signal.h>

#include "memtrack.h"
#include "tui.h"

enum { REFRESH_NS = 1000000000, KEY_MS = 50 };
enum key {
	KEY_NONE = 256, KEY_UP, KEY_DOWN, KEY_LEFT, KEY_RIGHT, KEY_PAGE_UP,
	KEY_PAGE_DOWN, KEY_ESCAPE,
};

struct view view;

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

void
tui_run(u64 duration)
{
	u64 end = duration ? now_ns() + duration : ~0ull, due = 0;

	screen_open();
	while (!stop_signal && now_ns() < end && !screen_failed()) {
		trace_poll(KEY_MS);
		if (keys())
			break;
		if (now_ns() >= due) {
			due = now_ns() + REFRESH_NS;
			refresh();
		}
		screen_resized();
		if (view.dirty && !view.paused)
			screen_draw();
		else if (view.dirty)
			screen_draw_head();
	}
	screen_close();
}
