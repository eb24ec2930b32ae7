/* view.h - what people and machines see: rows in every format, JSON, progress,
 * pictures, the terminal. Knows no page and no process.
 */
#ifndef MEMBOX_VIEW_H
#define MEMBOX_VIEW_H

#include "base.h"

/* ---- json.c: one document, or one a line ---- */

enum { JSON_DEPTH = 16 };
struct json {
	struct out *out;
	int indent;		/* spaces a level; 0 = all on one line */
	int depth;
	u8 empty[JSON_DEPTH];	/* nothing stands at this level yet */
	u8 closing[JSON_DEPTH];
	int after_key;
};

/* Text that is not UTF-8 is written with U+FFFD for each bad byte; under a key
 * the exact bytes follow as KEY_hex. */
void json_open(struct json *j, struct out *out, int indent);
void json_object(struct json *j);	/* { */
void json_array(struct json *j);	/* [ */
void json_close(struct json *j);	/* the matching } or ]; a newline after
					 * the outermost */
void json_key(struct json *j, const char *key);
void json_str(struct json *j, const char *s);
void json_strn(struct json *j, const char *s, size_t n);
void json_u64(struct json *j, u64 v);
void json_s64(struct json *j, s64 v);
void json_fixed(struct json *j, u64 v, unsigned digits); /* v / 10^digits */
void json_bool(struct json *j, int v);
void json_null(struct json *j);
/* key and value in one call */
void json_kstr(struct json *j, const char *key, const char *s);
void json_kstrn(struct json *j, const char *key, const char *s, size_t n);
/* KEY_hex by itself, where the string stood in an array; and when it is due. */
void json_khex(struct json *j, const char *key, const char *s, size_t n);
int json_is_utf8(const char *s, size_t n);
void json_ku64(struct json *j, const char *key, u64 v);
void json_kbool(struct json *j, const char *key, int v);

/* ---- rows.c: one column table, five formats ---- */

enum rows_format { ROWS_TABLE, ROWS_JSON, ROWS_NDJSON, ROWS_CSV, ROWS_PROM };
enum col_type {
	COL_TEXT,		/* escaped in tables, quoted in csv */
	COL_COUNT,		/* plain integer */
	COL_BYTES,		/* a size: KiB.. in tables, bytes elsewhere */
	COL_HEX,		/* hex in tables and csv, integer in json */
	COL_ADDRESS,		/* the same with 0x, to be given back as it is */
	COL_FIXED,		/* value / 10^digits */
};
struct col {
	const char *name;	/* the key; a table's heading is its upper case */
	signed char width;	/* least width in a table; < 0 = left aligned;
				 * 0 = last column, not padded */
	u8 type;		/* enum col_type */
	u8 digits;		/* of COL_FIXED */
	u8 hidden;		/* not in tables */
	u8 label;		/* prom: a label (COL_TEXT is one always) */
};
struct rows {
	enum rows_format format;
	int bytes;		/* table: sizes as plain integers */
	const char *prefix;	/* prom: metric is PREFIX_COLUMN */
	struct out *out;
	struct json json;	/* ROWS_JSON: the caller may open objects and
				 * arrays around the rows with it */
	const struct col *cols;
	unsigned ncols, at;
	unsigned pass;		/* prom: column of this pass */
	unsigned cells;		/* of this row: shown, or (prom) labels */
	char value[FMT_FIXED_MAX];	/* prom: of this row, held for its end */
};
/* Fills every field; bytes 0, prefix "membox". */
void rows_open(struct rows *r, struct out *out, enum rows_format format,
	const struct col *cols, unsigned ncols);
/* while (rows_pass(&r)) give all rows; true once, but in prom (where a metric's
 * samples must stand together) once for each value column. Prints the heading
 * of table and csv, HELP and TYPE of prom. */
int rows_pass(struct rows *r);
/* The values of a row, in the columns' order. */
void rows_text(struct rows *r, const char *s);
void rows_textn(struct rows *r, const char *s, size_t n);
void rows_u64(struct rows *r, u64 v);	/* every type but COL_TEXT */
void rows_s64(struct rows *r, s64 v);	/* with its sign; a size as "+1.0 MiB" */
void rows_null(struct rows *r);		/* "-", null, empty, NaN */
void rows_end(struct rows *r);		/* the row is complete */
/* "table" "json" "ndjson" "csv" "prom"; -1 when it is none of them. */
int rows_format_of(const char *name, enum rows_format *format);

/* ---- progress.c: a line on stderr, only when that is a terminal ---- */

struct progress {
	const char *what;
	u64 total, done;	/* bytes (or items with unit) ; total 0 = unknown */
	u64 start, shown;	/* monotonic ns */
	const char *unit;	/* NULL = bytes */
	int on;
};
void progress_open(struct progress *p, const char *what, u64 total);
void progress_set(struct progress *p, u64 done);
void progress_close(struct progress *p);	/* clears the line */

/* ---- term.c ---- */

/* 1 when descriptor fd is a terminal (and NO_COLOR and TERM=dumb do not speak
 * against colour for the second). */
int term_is(int fd);
int term_color(int fd);
/* Columns and rows of the terminal at fd; 80 x 24 when it does not say. */
void term_size(int fd, int *cols, int *rows);

/* ---- png.c: a picture of up to 256 colours, written row by row ---- */

enum {
	PNG_LEVEL = 3, PNG_WINDOW = 15, PNG_MEMORY = 8,	/* of zlib */
	PNG_PIECE = 1024,	/* pixels taken at once */
	PNG_DATA = 16384,	/* bytes of an IDAT chunk */
	PNG_ZLIB = CFG_CODEC_GZIP ? 288 * 1024 : 256,
};
/* Too big for a stack: let it be static, or lie in an arena. */
struct png {
	int store;		/* set before png_open: do not compress; without
				 * CODEC_GZIP it never does */
	struct out *out;
	u32 width, rows;	/* rows: still to come */
	int bits;		/* a pixel */
	u32 adler;
	size_t used;
	u8 data[PNG_DATA];
	_Alignas(16) u8 zlib[PNG_ZLIB];
};
/* Begins a picture of width x height pixels on out: 2, 4, 16 or 256 colours are
 * stored in 1, 2, 4 or 8 bits. The palette is only read now. 0, or -1 with
 * EINVAL (a side of 0 or over 2^31 - 1, colors not in 1..256). */
int png_open(struct png *p, struct out *out, u32 width, u32 height,
	const u8 (*palette)[3], unsigned colors);
/* A note in the file (tEXt, Latin-1; key of 1..79 bytes); between png_open and
 * the first row. */
void png_text(struct png *p, const char *key, const char *text);
/* The next row from the top: width palette indexes, one a byte. 0, or -1 with
 * errno: an error of out, or EINVAL for a row too many. */
int png_row(struct png *p, const u8 *pixels);
/* Ends the picture; does not flush out. 0, or -1 with errno: an error of out,
 * or EINVAL when rows are missing. */
int png_close(struct png *p);

/* ---- font.c: text in a picture, ASCII, 5 x 7 dots ---- */

enum { FONT_WIDTH = 6, FONT_HEIGHT = 8 };	/* with the space between */
/* Puts line y (0 .. FONT_HEIGHT * scale - 1, from the top) of the text into a
 * row of width pixels, beginning at x: its dots become color, the rest stays.
 * What does not fit is cut. Bytes that are not printable ASCII show as boxes.
 * A character is FONT_WIDTH * scale pixels wide. */
void font_row(u8 *pixels, size_t width, size_t x, const char *text,
	unsigned y, unsigned scale, u8 color);

#endif
