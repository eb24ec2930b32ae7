/* tui.h - what only the files of the live view share. */
#ifndef MEMTRACK_TUI_H
#define MEMTRACK_TUI_H

enum { ROWS_MAX = 4096, HISTORY = 60, HEAD_ROWS = 4, FILTER_MAX = 40 };

/* ---- tui.c ---- */

enum order { ORDER_PAGES, ORDER_PEAK, ORDER_RATE, ORDERS };
extern struct view {
	enum tree_of of;
	enum order order;
	u32 selected, top;	/* rows */
	int left;		/* columns of text scrolled away */
	int paused, typing, dirty;
	int cols, lines;
	char filter[FILTER_MAX + 1];
} view;

/* ---- tui_rows.c ---- */

extern struct row {
	u64 path;		/* what it is, over refreshes */
	u64 frame;		/* 0: a task or module */
	u64 live, peak;
	s64 rate;		/* pages a second */
	u32 index;
	u16 depth;
	u8 children, open;
} rows[ROWS_MAX];
extern u32 row_count;
extern u64 history[HISTORY];	/* total, a refresh each; the last first */
extern u32 history_count;
void open_toggle(u64 path);	/* unfolds or folds */
void build_rows(void);
/* Once a second: rates, history, and names when trees are open. */
void refresh(void);

/* ---- tui_screen.c ---- */

void screen_open(void);
void screen_close(void);
int screen_failed(void);	/* nobody takes what is drawn */
void screen_resized(void);	/* clears it, if it was */
void screen_draw(void);
void screen_draw_head(void);	/* alone: the rest is paused */

#endif
