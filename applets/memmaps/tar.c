/* tar.c - headers, and what needs more than a header: long link targets and
 * holes ("PAX Format, Version 1.0" of GNU tar's manual). */
#include "tar.h"

enum { BLOCK = TAR_BLOCK, RECORD_MAX = PATH_MAX + 64 };

struct header {		/* POSIX ustar */
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12];
	char checksum[8], type, link[100], magic[8], user[32], group[32];
	char major[8], minor[8], prefix[155], fill[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "one block");

void (*tar_out)(const void *data, size_t n);
static u64 member_bytes;	/* of the member's data so far */

static void
octal(char *field, size_t n, u64 v)
{
	field[--n] = 0;
	while (n--) {
		field[n] = (char)('0' + (v & 7));
		v >>= 3;
	}
}

/* Sizes from 8 GiB on are binary, the first bit set. */
static void
put_size(char *field, u64 v)
{
	int i;

	if (v < 1ull << 33) {
		octal(field, 12, v);
		return;
	}
	for (i = 11; i >= 0; i--, v >>= 8)
		field[i] = (char)v;
	field[0] |= (char)0x80;
}

static void
put_header(const char *name, char type, u64 size, const char *link)
{
	struct header h = { .type = type, .magic = "ustar\00000" };
	const u8 *bytes = (const u8 *)&h;
	u32 sum = 0;
	size_t i;

	memcpy(h.name, name, strnlen(name, sizeof(h.name)));
	memcpy(h.link, link, strnlen(link, sizeof(h.link)));
	octal(h.mode, 8, type == '5' ? 0700 : type == '2' ? 0777 : 0600);
	octal(h.uid, 8, 0);
	octal(h.gid, 8, 0);
	put_size(h.size, size);
	octal(h.mtime, 12, wall_ns() / 1000000000);
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (i = 0; i < BLOCK; i++)
		sum += bytes[i];
	octal(h.checksum, 7, sum);
	member_bytes = 0;
	tar_out(&h, sizeof(h));
}

void
tar_data(const void *data, size_t n)
{
	member_bytes += n;
	tar_out(data, n);
}

void
tar_pad(void)
{
	static const u8 zeros[BLOCK];

	if (member_bytes % BLOCK)
		tar_out(zeros, BLOCK - member_bytes % BLOCK);
	member_bytes = 0;
}

void
tar_begin(const char *name, u64 size)
{
	put_header(name, '0', size, "");
}

void
tar_file(const char *name, const void *data, size_t n)
{
	tar_begin(name, n);
	tar_data(data, n);
	tar_pad();
}

void
tar_directory(const char *name)
{
	put_header(name, '5', 0, "");
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. Appends to text. */
static size_t
add_record(char *text, size_t used, const char *key, const char *value)
{
	size_t n = strlen(key) + strlen(value) + 3, len = n + 1;
	char digits[FMT_FIXED_MAX];

	while (n + fmt_u64(digits, len, 10) != len)
		len++;
	return used + (size_t)fmt_str(text + used, RECORD_MAX - used,
		"%lu %s=%s\n", (u64)len, key, value);
}

static void
put_extended(const char *text, size_t n)
{
	put_header("pax", 'x', n, "");
	tar_data(text, n);
	tar_pad();
}

void
tar_link(const char *name, const char *target)
{
	static char text[RECORD_MAX];

	if (strlen(target) > 100)
		put_extended(text, add_record(text, 0, "linkpath", target));
	put_header(name, '2', 0, target);
}

static u64
map_size(const struct extent *e, size_t count)
{
	char digits[FMT_FIXED_MAX];
	u64 n = fmt_u64(digits, count, 10) + 1;
	size_t i;

	for (i = 0; i < count; i++)
		n += fmt_u64(digits, e[i].offset, 10) +
			fmt_u64(digits, e[i].size, 10) + 2;
	return (n + BLOCK - 1) / BLOCK * BLOCK;
}

static void
put_number(u64 v)
{
	char digits[FMT_FIXED_MAX];
	size_t n = fmt_u64(digits, v, 10);

	digits[n++] = '\n';
	tar_data(digits, n);
}

void
tar_begin_sparse(const char *name, u64 size, const struct extent *e,
	size_t count)
{
	static char text[RECORD_MAX];
	char digits[FMT_FIXED_MAX];
	u64 stored = map_size(e, count);
	size_t n = 0, i;

	for (i = 0; i < count; i++)
		stored += e[i].size;
	fmt_u64(digits, size, 10);
	n = add_record(text, n, "GNU.sparse.major", "1");
	n = add_record(text, n, "GNU.sparse.minor", "0");
	n = add_record(text, n, "GNU.sparse.name", name);
	n = add_record(text, n, "GNU.sparse.realsize", digits);
	put_extended(text, n);
	put_header("GNUSparseFile/pagemap", '0', stored, "");
	put_number(count);
	for (i = 0; i < count; i++) {
		put_number(e[i].offset);
		put_number(e[i].size);
	}
	tar_pad();
}

void
tar_end(void)
{
	static const u8 zeros[2 * BLOCK];

	tar_out(zeros, sizeof(zeros));
}
