/* json.c - valid JSON whatever the names are (RFC 8259). */
#include "../view.h"

void
json_open(struct json *j, struct out *out, int indent)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
	j->indent = indent;
	j->empty[0] = 1;
}

static void
json_line(struct json *j)
{
	if (!j->indent)
		return;
	out_char(j->out, '\n');
	out_pad(j->out, j->indent * j->depth);
}

/* What stands before a value or key: a comma, a line break, or nothing after
 * a key. */
static void
json_lead(struct json *j)
{
	if (j->after_key) {
		j->after_key = 0;
		return;
	}
	if (!j->depth)
		return;
	if (!j->empty[j->depth])
		out_char(j->out, ',');
	j->empty[j->depth] = 0;
	json_line(j);
}

static void
json_begin(struct json *j, char open, char close)
{
	json_lead(j);
	out_char(j->out, open);
	if (j->depth < JSON_DEPTH - 1)
		j->depth++;
	j->empty[j->depth] = 1;
	j->closing[j->depth] = close;
}

void
json_object(struct json *j)
{
	json_begin(j, '{', '}');
}

void
json_array(struct json *j)
{
	json_begin(j, '[', ']');
}

void
json_close(struct json *j)
{
	int empty = j->empty[j->depth];
	char close = j->closing[j->depth--];

	if (!empty)
		json_line(j);
	out_char(j->out, close);
	if (!j->depth)
		out_char(j->out, '\n');
}

/* One character from s; returns the bytes taken. */
static size_t
json_char(struct out *o, const char *s, size_t n)
{
	size_t len = utf8_len(s, n);

	if (!len) {
		out_str(o, "\\ufffd");
		return 1;
	}
	if (*s == '"' || *s == '\\')
		out_fmt(o, "\\%c", *s);
	else if (utf8_printable(s, len))
		out_put(o, s, len);
	else if (*s == '\n')
		out_str(o, "\\n");
	else if (*s == '\t')
		out_str(o, "\\t");
	else if (len == 1)
		out_fmt(o, "\\u%04x", (u8)*s);
	else	/* valid, but not to be shown raw: still itself in JSON */
		out_put(o, s, len);
	return len;
}

static void
json_quoted(struct out *o, const char *s, size_t n)
{
	size_t i = 0, run;

	out_char(o, '"');
	while (i < n) {
		run = ascii_run(s + i, n - i);
		out_put(o, s + i, run);
		i += run;
		if (i < n)
			i += json_char(o, s + i, n - i);
	}
	out_char(o, '"');
}

void
json_key(struct json *j, const char *key)
{
	json_lead(j);
	json_quoted(j->out, key, strlen(key));
	out_str(j->out, j->indent ? ": " : ":");
	j->after_key = 1;
}

void
json_strn(struct json *j, const char *s, size_t n)
{
	json_lead(j);
	json_quoted(j->out, s, n);
}

void
json_str(struct json *j, const char *s)
{
	json_strn(j, s, strlen(s));
}

void
json_u64(struct json *j, u64 v)
{
	char buf[FMT_FIXED_MAX];

	json_lead(j);
	out_put(j->out, buf, fmt_u64(buf, v, 10));
}

void
json_s64(struct json *j, s64 v)
{
	json_lead(j);
	out_fmt(j->out, "%ld", v);
}

void
json_fixed(struct json *j, u64 v, unsigned digits)
{
	char buf[FMT_FIXED_MAX];

	json_lead(j);
	out_str(j->out, fmt_fixed(buf, v, digits));
}

void
json_bool(struct json *j, int v)
{
	json_lead(j);
	out_str(j->out, v ? "true" : "false");
}

void
json_null(struct json *j)
{
	json_lead(j);
	out_str(j->out, "null");
}

int
json_is_utf8(const char *s, size_t n)
{
	size_t i = 0, len;

	while (i < n && (len = utf8_len(s + i, n - i)))
		i += len;
	return i == n;
}

void
json_khex(struct json *j, const char *key, const char *s, size_t n)
{
	size_t i;

	json_lead(j);
	out_fmt(j->out, "\"%s_hex\":%s\"", key, j->indent ? " " : "");
	for (i = 0; i < n; i++)
		out_fmt(j->out, "%02x", (u8)s[i]);
	out_char(j->out, '"');
}

void
json_kstrn(struct json *j, const char *key, const char *s, size_t n)
{
	json_key(j, key);
	json_strn(j, s, n);
	if (!json_is_utf8(s, n))
		json_khex(j, key, s, n);
}

void
json_kstr(struct json *j, const char *key, const char *s)
{
	json_kstrn(j, key, s, strlen(s));
}

void
json_ku64(struct json *j, const char *key, u64 v)
{
	json_key(j, key);
	json_u64(j, v);
}

void
json_kbool(struct json *j, const char *key, int v)
{
	json_key(j, key);
	json_bool(j, v);
}
