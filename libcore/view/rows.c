/* rows.c - a row is given once; how it looks is decided here. */
#include "../view.h"

void
rows_open(struct rows *r, struct out *out, enum rows_format format,
	const struct col *cols, unsigned ncols)
{
	memset(r, 0, sizeof(*r));
	r->format = format;
	r->prefix = "membox";
	r->out = out;
	r->cols = cols;
	r->ncols = ncols;
	json_open(&r->json, out, 0);
}

int
rows_format_of(const char *name, enum rows_format *format)
{
	static const char *const names[] = {
		[ROWS_TABLE] = "table", [ROWS_JSON] = "json",
		[ROWS_NDJSON] = "ndjson", [ROWS_CSV] = "csv",
		[ROWS_PROM] = "prom",
	};
	unsigned i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(name, names[i])) {
			*format = i;
			return 0;
		}
	return -1;
}

static int
is_label(const struct col *c)
{
	return c->label || c->type == COL_TEXT;
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

/* Columns on the terminal, roughly: a sequence of UTF-8 is one. */
static int
shown_width(const char *s, size_t n)
{
	int w = 0;
	size_t i = 0, len;

	while (i < n) {
		len = s[i] == '\\' ? 0 : utf8_printable(s + i, n - i);
		w += len ? 1 : 4;
		i += len ? len : 1;
	}
	return w;
}

static void
table_cell(struct rows *r, const char *s, size_t n)
{
	int width = r->cols[r->at].width;
	int plain = ascii_run(s, n) == n;
	int fill = (width < 0 ? -width : width) -
		(plain ? (int)n : shown_width(s, n));

	if (r->cols[r->at].hidden)
		return;
	if (r->cells++)
		out_char(r->out, ' ');
	if (width > 0)
		out_pad(r->out, fill);
	if (plain)
		out_put(r->out, s, n);
	else
		out_escaped(r->out, s, n);
	if (width < 0)
		out_pad(r->out, fill);
}

static void
csv_cell(struct rows *r, const char *s, size_t n)
{
	size_t i;

	if (r->at)
		out_char(r->out, ',');
	for (i = 0; i < n && !strchr("\",\r\n", s[i]); i++)
		;
	if (i == n) {
		out_put(r->out, s, n);
		return;
	}
	out_char(r->out, '"');
	for (i = 0; i < n; i++) {
		if (s[i] == '"')
			out_char(r->out, '"');
		out_char(r->out, s[i]);
	}
	out_char(r->out, '"');
}

static void
heading(struct rows *r)
{
	char name[64];
	size_t n, i;

	for (r->at = 0; r->at < r->ncols; r->at++) {
		n = (size_t)fmt_str(name, sizeof(name), "%s",
			r->cols[r->at].name);
		if (r->format == ROWS_CSV) {
			csv_cell(r, name, n);
			continue;
		}
		for (i = 0; i < n; i++)
			name[i] = upper(name[i]);
		table_cell(r, name, n);
	}
	out_str(r->out, r->format == ROWS_CSV ? "\r\n" : "\n");
	r->at = r->cells = 0;
}

/* prom: the next value column, its HELP and TYPE; 0 after the last. */
static int
prom_pass(struct rows *r)
{
	const char *name, *unit;

	while (r->pass < r->ncols && is_label(&r->cols[r->pass]))
		r->pass++;
	if (r->pass == r->ncols)
		return 0;
	name = r->cols[r->pass].name;
	unit = r->cols[r->pass].type == COL_BYTES ? "_bytes" : "";
	out_fmt(r->out, "# HELP %s_%s%s Column %s of membox.\n", r->prefix,
		name, unit, name);
	out_fmt(r->out, "# TYPE %s_%s%s gauge\n", r->prefix, name, unit);
	r->pass++;
	return 1;
}

int
rows_pass(struct rows *r)
{
	if (r->format == ROWS_PROM)
		return prom_pass(r);
	if (r->pass++)
		return 0;
	if (r->format == ROWS_TABLE || r->format == ROWS_CSV)
		heading(r);
	return 1;
}

static void
json_begin_row(struct rows *r)
{
	if (!r->at)
		json_object(&r->json);
}

/* The metric's name and "{" before the first label; the value, which may stand
 * between labels, is held until the row's end. What is no UTF-8 stands as in
 * tables: two rows that differ must have labels that differ, or the reader
 * refuses them all. */
static void
prom_label(struct rows *r, const char *s, size_t n)
{
	const struct col *value = &r->cols[r->pass - 1];
	size_t i = 0, len;

	if (!r->cells++)
		out_fmt(r->out, "%s_%s%s{", r->prefix, value->name,
			value->type == COL_BYTES ? "_bytes" : "");
	else
		out_char(r->out, ',');
	out_fmt(r->out, "%s=\"", r->cols[r->at].name);
	for (; i < n; i += len) {
		len = utf8_len(s + i, n - i);
		if (!len || !s[i] || s[i] == '\\') {
			out_fmt(r->out, "\\\\x%02x", (u8)s[i]);
			len = 1;
		} else if (s[i] == '\n') {
			out_str(r->out, "\\n");
		} else {
			if (s[i] == '"')
				out_char(r->out, '\\');
			out_put(r->out, s + i, len);
		}
	}
	out_char(r->out, '"');
}

void
rows_textn(struct rows *r, const char *s, size_t n)
{
	switch (r->format) {
	case ROWS_TABLE:
		table_cell(r, s, n);
		break;
	case ROWS_CSV:
		csv_cell(r, s, n);
		break;
	case ROWS_PROM:
		prom_label(r, s, n);
		break;
	default:
		json_begin_row(r);
		json_kstrn(&r->json, r->cols[r->at].name, s, n);
	}
	r->at++;
}

void
rows_text(struct rows *r, const char *s)
{
	rows_textn(r, s, strlen(s));
}

/* A number as text; sizes for people only in tables. */
static size_t
number_text(const struct rows *r, u64 v, char *buf)
{
	const struct col *c = &r->cols[r->at];

	if (c->type == COL_FIXED)
		fmt_fixed(buf, v, c->digits);
	else if (c->type == COL_ADDRESS)
		fmt_str(buf, FMT_FIXED_MAX, "%#lx", v);
	else if (c->type == COL_HEX)
		return fmt_u64(buf, v, 16);
	else if (c->type == COL_BYTES && r->format == ROWS_TABLE && !r->bytes)
		fmt_size(buf, v);
	else
		return fmt_u64(buf, v, 10);
	return strlen(buf);
}

static void
json_number(struct rows *r, u64 v)
{
	const struct col *c = &r->cols[r->at];

	json_begin_row(r);
	json_key(&r->json, c->name);
	if (c->type == COL_FIXED)
		json_fixed(&r->json, v, c->digits);
	else
		json_u64(&r->json, v);
}

/* A number's text, in every format but JSON. */
static void
number_cell(struct rows *r, const char *buf, size_t n)
{
	if (r->format == ROWS_TABLE)
		table_cell(r, buf, n);
	else if (r->format == ROWS_CSV)
		csv_cell(r, buf, n);
	else if (is_label(&r->cols[r->at]))
		prom_label(r, buf, n);
	else if (r->at == r->pass - 1)
		memcpy(r->value, buf, n + 1);
}

static int
is_json(const struct rows *r)
{
	return r->format == ROWS_JSON || r->format == ROWS_NDJSON;
}

void
rows_u64(struct rows *r, u64 v)
{
	char buf[FMT_FIXED_MAX];

	if (is_json(r))
		json_number(r, v);
	else
		number_cell(r, buf, number_text(r, v, buf));
	r->at++;
}

void
rows_s64(struct rows *r, s64 v)
{
	const struct col *c = &r->cols[r->at];
	char buf[1 + FMT_FIXED_MAX], *sign = buf;

	if (is_json(r)) {
		json_begin_row(r);
		json_key(&r->json, c->name);
		json_s64(&r->json, v);
		r->at++;
		return;
	}
	if (v < 0)
		*sign++ = '-';
	else if (v && c->type == COL_BYTES && r->format == ROWS_TABLE)
		*sign++ = '+';
	number_cell(r, buf, sign - buf +
		number_text(r, v < 0 ? -(u64)v : (u64)v, sign));
	r->at++;
}

void
rows_null(struct rows *r)
{
	const struct col *c = &r->cols[r->at];

	if (r->format == ROWS_TABLE) {
		table_cell(r, "-", 1);
	} else if (r->format == ROWS_CSV) {
		csv_cell(r, "", 0);
	} else if (r->format == ROWS_PROM) {
		if (is_label(c))
			prom_label(r, "", 0);
		else if (r->at == r->pass - 1)
			strcpy(r->value, "NaN");
	} else {
		json_begin_row(r);
		json_key(&r->json, c->name);
		json_null(&r->json);
	}
	r->at++;
}

/* A row without labels is NAME VALUE. */
static void
prom_end(struct rows *r)
{
	const struct col *value = &r->cols[r->pass - 1];

	if (r->cells)
		out_fmt(r->out, "} %s\n", r->value);
	else
		out_fmt(r->out, "%s_%s%s %s\n", r->prefix, value->name,
			value->type == COL_BYTES ? "_bytes" : "", r->value);
}

void
rows_end(struct rows *r)
{
	if (r->format == ROWS_TABLE)
		out_char(r->out, '\n');
	else if (r->format == ROWS_CSV)
		out_str(r->out, "\r\n");
	else if (r->format == ROWS_PROM)
		prom_end(r);
	else
		json_close(&r->json);
	r->at = r->cells = 0;
}
