/* load.c - regions back from the JSON that memmaps (or memc) wrote: one
 * process, all, or a line each; indented or not. */
#include "store.h"
#include "watch.h"

enum { TEXT_MAX = 2 * REGION_PATH_MAX, DEPTH_MAX = 32 };

static struct {
	const char *file;
	int fd;
	char buf[16384];
	size_t at, end;
	u64 offset;		/* in the file, of buf */
	char text[TEXT_MAX];	/* of the last string or number */
	size_t size;
	char key[64];
	struct store *store;
	struct region region;
	char path[REGION_PATH_MAX];
	int pid;
	u64 regions;
	int has_rss;
} in;

static _Noreturn void
bad(const char *why)
{
	die("%s: byte %lu: %s: not a file of memmaps --json", in.file,
		in.offset + in.at, why);
}

/* The next byte without taking it; -1 at the end. */
static int
peek(void)
{
	ssize_t n;

	if (in.at == in.end) {
		in.offset += in.end;
		in.at = in.end = 0;
		n = full_read(in.fd, in.buf, sizeof(in.buf));
		if (n < 0)
			die("read %s:", in.file);
		in.end = (size_t)n;
		if (!n)
			return -1;
	}
	return (u8)in.buf[in.at];
}

static int
take(void)
{
	int c = peek();

	if (c >= 0)
		in.at++;
	return c;
}

static int
take_blanks(void)
{
	int c;

	while ((c = peek()) == ' ' || c == '\n' || c == '\t' || c == '\r')
		in.at++;
	return c;
}

static void
add_byte(unsigned c)
{
	if (in.size == sizeof(in.text) - 1)
		bad("a string too long");
	in.text[in.size++] = (char)c;
}

static unsigned
take_hex4(void)
{
	unsigned v = 0, i;

	for (i = 0; i < 4; i++) {
		int c = take();
		const char *digits = "0123456789abcdef", *d;

		if (c <= 0 || !(d = strchr(digits, c | (c > '9' ? 0x20 : 0))))
			bad("a bad \\u");
		v = v << 4 | (unsigned)(d - digits);
	}
	return v;
}

static void
add_utf8(unsigned c)
{
	if (c < 0x80) {
		add_byte(c);
	} else if (c < 0x800) {
		add_byte(0xc0 | c >> 6);
		add_byte(0x80 | (c & 63));
	} else if (c < 0x10000) {
		add_byte(0xe0 | c >> 12);
		add_byte(0x80 | (c >> 6 & 63));
		add_byte(0x80 | (c & 63));
	} else {
		add_byte(0xf0 | c >> 18);
		add_byte(0x80 | (c >> 12 & 63));
		add_byte(0x80 | (c >> 6 & 63));
		add_byte(0x80 | (c & 63));
	}
}

static void
take_escape(void)
{
	static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	int c = take();
	const char *p = c > 0 ? strchr(letters, c) : NULL;
	unsigned v;

	if (p) {
		add_byte((u8)bytes[p - letters]);
		return;
	}
	if (c != 'u')
		bad("a bad escape");
	v = take_hex4();
	if (v >> 10 == 0x36) {	/* the first half of a pair */
		if (take() != '\\' || take() != 'u')
			bad("half a pair");
		v = 0x10000 + ((v & 0x3ff) << 10) + (take_hex4() & 0x3ff);
	}
	add_utf8(v);
}

static void
take_string(void)
{
	int c;

	if (take() != '"')
		bad("no string");
	in.size = 0;
	while ((c = take()) != '"') {
		if (c < 0)
			bad("cut short");
		if (c == '\\')
			take_escape();
		else
			add_byte((unsigned)c);
	}
	in.text[in.size] = 0;
}

/* A number, true, false or null: as text. */
static void
take_word(void)
{
	int c;

	in.size = 0;
	while ((c = peek()) >= 0 && !strchr(" \n\t\r,]}:", c))
		add_byte((unsigned)take());
	in.text[in.size] = 0;
	if (!in.size)
		bad("no value");
}

/* ---- what the keys mean ---- */

static u64
number(void)
{
	u64 v;

	if (parse_u64(in.text, &v) < 0)
		bad("a bad number");
	return v;
}

static u8
index_in(const char *const *names, unsigned count, unsigned otherwise)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (!strcmp(names[i], in.text))
			return (u8)i;
	return (u8)otherwise;
}

static void
set_path(const char *s, size_t n)
{
	if (n >= sizeof(in.path))
		n = sizeof(in.path) - 1;
	memcpy(in.path, s, n);
	in.path[n] = 0;
	in.region.vma.path_len = n;
}

static void
set_hex_path(void)
{
	size_t i;

	for (i = 0; i + 1 < in.size; i += 2) {
		char pair[5] = { '0', 'x', in.text[i], in.text[i + 1] };
		u64 byte;

		if (parse_u64(pair, &byte) < 0)
			bad("bad hex");
		in.text[i / 2] = (char)byte;
	}
	set_path(in.text, in.size / 2);
}

static void
set_perm(void)
{
	struct vma *v = &in.region.vma;

	v->perm = (in.text[0] == 'r' ? VMA_READ : 0) |
		(in.size > 1 && in.text[1] == 'w' ? VMA_WRITE : 0) |
		(in.size > 2 && in.text[2] == 'x' ? VMA_EXEC : 0) |
		(in.size > 3 && in.text[3] == 's' ? VMA_SHARED : 0);
}

static void
region_value(void)
{
	struct region *g = &in.region;

	if (!strcmp(in.key, "start"))
		g->vma.start = number();
	else if (!strcmp(in.key, "end"))
		g->vma.end = number();
	else if (!strcmp(in.key, "type"))
		g->type = index_in(region_type_names, REGION_TYPES,
			REGION_UNKNOWN);
	else if (!strcmp(in.key, "subtype"))
		g->kind = index_in(region_kind_names, REGION_KINDS, KIND_NONE);
	else if (!strcmp(in.key, "perm"))
		set_perm();
	else if (!strcmp(in.key, "pathname"))
		set_path(in.text, in.size);
	else if (!strcmp(in.key, "pathname_hex"))
		set_hex_path();
	else if (!strcmp(in.key, "rss_kb")) {
		g->kb[SMAPS_RSS] = number();
		in.has_rss = 1;
	} else if (!strcmp(in.key, "pss_kb"))
		g->kb[SMAPS_PSS] = number();
	else if (!strcmp(in.key, "swap_kb"))
		g->kb[SMAPS_SWAP] = number();
}

/* ---- structure ---- */

static void
begin_region(void)
{
	in.region = (struct region){ .vma.path = in.path };
	in.path[0] = 0;
}

static void
end_region(void)
{
	if (in.region.vma.end <= in.region.vma.start)
		bad("a region without an extent");
	store_add(in.store, in.pid, &in.region);
	in.regions++;
}

static void
scalar(int in_region)
{
	if (peek() == '"')
		take_string();
	else
		take_word();
	if (in_region)
		region_value();
	else if (!strcmp(in.key, "pid"))
		in.pid = (int)number();
}

/* A value of any kind. What nests is kept in a string of brackets; region: the
 * depth of the region's object, in the array under "regions". */
static void
take_value(void)
{
	char nest[DEPTH_MAX];
	int depth = 0, list = 0, c;

	do {
		c = take_blanks();
		if (c < 0)
			bad("cut short");
		if (c == '{' || c == '[') {
			if (depth == DEPTH_MAX)
				bad("nested too deep");
			nest[depth++] = (char)take();
			if (c == '[' && !list && !strcmp(in.key, "regions"))
				list = depth;
			if (c == '{' && list && depth == list + 1)
				begin_region();
			in.key[0] = 0;
		} else if (c == '}' || c == ']') {
			if (!depth || nest[depth - 1] != (c == '}' ? '{' : '['))
				bad("a wrong bracket");
			take();
			if (list && depth == list + 1)
				end_region();
			if (depth == list)
				list = 0;
			depth--;
		} else if (c == ',') {
			take();
		} else if (depth && nest[depth - 1] == '{' && !in.key[0]) {
			take_string();
			fmt_str(in.key, sizeof(in.key), "%s", in.text);
			if (take_blanks() != ':')
				bad("no ':'");
			take();
		} else {
			scalar(list && depth == list + 1);
			in.key[0] = 0;
		}
	} while (depth);
}

int
load_json(const char *file, struct store *store)
{
	in.file = file;
	in.store = store;
	in.at = in.end = 0;
	in.offset = in.regions = 0;
	in.has_rss = 0;
	in.key[0] = 0;
	in.fd = open(file, O_RDONLY | O_CLOEXEC);
	if (in.fd < 0)
		die("open %s:", file);
	while (take_blanks() >= 0)
		take_value();
	close(in.fd);
	if (!in.regions)
		bad("no regions");
	return in.has_rss;
}
