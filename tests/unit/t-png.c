/* The PNG writer and the font: the file is taken apart again here by zlib's
 * inflate. */
#include "tests/unit/unit.h"
#include "zlib.h"

static struct png png;
static struct out out;
static u8 file[4 << 20], pixels[2 << 20], idat[4 << 20];
static size_t file_size, idat_size;

static u32
be32(const u8 *b)
{
	return (u32)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

/* Walks the chunks; their CRCs must be right. Gathers IDAT. 1 = all good. */
static int
take_apart(void)
{
	size_t at = 8;

	idat_size = 0;
	if (memcmp(file, "\x89PNG\r\n\x1a\n", 8))
		return 0;
	while (at + 12 <= file_size) {
		u32 n = be32(file + at);

		if (n > file_size - at - 12 || be32(file + at + 8 + n) !=
		    crc32(0, file + at + 4, n + 4))
			return 0;
		if (!memcmp(file + at + 4, "IDAT", 4)) {
			memcpy(idat + idat_size, file + at + 8, n);
			idat_size += n;
		}
		at += n + 12;
	}
	return at == file_size && !memcmp(file + at - 8, "IEND", 4);
}

static u8
pixel_at(u32 x, u32 y, unsigned colors)
{
	return (u8)((x * 7 + y * 13 + (x ^ y)) % colors);
}

/* zlib is built without an allocator of its own. */
static void *
take(void *opaque, unsigned n, unsigned size)
{
	(void)opaque;
	return calloc(n, size);
}

static void
give_back(void *opaque, void *p)
{
	(void)opaque;
	free(p);
}

static int
same_pixels(u32 width, u32 height, unsigned colors, int bits)
{
	z_stream z = { .next_in = idat, .avail_in = (unsigned)idat_size,
		.next_out = pixels, .avail_out = sizeof(pixels),
		.zalloc = take, .zfree = give_back };
	size_t stride = 1 + ((size_t)width * bits + 7) / 8;
	u32 x, y;
	int r;

	inflateInit(&z);
	r = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (r != Z_STREAM_END || z.total_out != stride * height)
		return 0;
	for (y = 0; y < height; y++)
		for (x = 0; x < width; x++) {
			const u8 *row = pixels + y * stride;
			unsigned shift = 8 - bits - x * bits % 8;
			u8 v = row[1 + x * bits / 8] >> shift &
				((1 << bits) - 1);

			if (row[0] || v != pixel_at(x, y, colors))
				return 0;
		}
	return 1;
}

static void
round_trip(u32 width, u32 height, unsigned colors, int bits, int store)
{
	static u8 row[20000], palette[256][3];
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600), bad = 0;
	u32 x, y;

	out_open(&out, fd);
	png.store = store;
	bad |= png_open(&png, &out, width, height, (const void *)palette,
		colors);
	png_text(&png, "Title", "a test");
	for (y = 0; y < height; y++) {
		for (x = 0; x < width; x++)
			row[x] = pixel_at(x, y, colors);
		bad |= png_row(&png, row);
	}
	bad |= png_close(&png) | out_flush(&out);
	file_size = (size_t)full_pread(fd, file, sizeof(file), 0);
	close(fd);
	ok(!bad && take_apart() && be32(file + 16) == width &&
		be32(file + 20) == height && file[24] == bits &&
		file[25] == 3 && same_pixels(width, height, colors, bits),
		"%u x %u, %u colours, %s", width, height, colors,
		store ? "stored" : "deflated");
}

static void
refusals(void)
{
	static const u8 palette[2][3];
	u8 row[2] = { 0 };

	out_open(&out, open("/dev/full", O_WRONLY));
	ok(png_open(&png, &out, 0, 1, palette, 2) < 0 && errno == EINVAL,
		"no picture without width");
	ok(png_open(&png, &out, 1, 1, palette, 257) < 0 && errno == EINVAL,
		"no more than 256 colours");
	ok(!png_open(&png, &out, 2, 2, palette, 2) && !png_row(&png, row),
		"open and first row");
	ok(png_close(&png) < 0 && errno == EINVAL, "a missing row is told");
	png_row(&png, row);
	ok(png_row(&png, row) < 0 && errno == EINVAL, "so is one too many");
	out_flush(&out);
	ok(png_close(&png) < 0 && errno == ENOSPC, "so is a full disk");
	close(out.fd);
}

/* "1L" twice as large, the L cut in its middle; a control character is a
 * box. */
static void
letters(void)
{
	static const char *const want[] = {
		"....##......##....", "....##......##....",
		"..####......##....", "..####......##....",
	};
	static const char box[] = "#####.\0#...#.";
	u8 row[18];
	unsigned y;
	int same = 1;

	for (y = 0; y < ARRAY_LEN(want); y++) {
		memset(row, '.', sizeof(row));
		font_row(row, 16, 0, "1L", y, 2, '#');
		same &= !memcmp(row, want[y], sizeof(row));
	}
	ok(same, "a letter's dots, scaled and cut");
	memset(row, '.', sizeof(row));
	font_row(row, 18, 0, "\001", 0, 1, '#');
	same = !memcmp(row, box, 6);
	memset(row, '.', sizeof(row));
	font_row(row, 18, 0, "\001", 3, 1, '#');
	ok(same && !memcmp(row, box + 7, 6), "a control character is a box");
}

int
main(void)
{
	static const struct { u32 w, h; unsigned colors; int bits; } all[] = {
		{ 1, 1, 1, 1 }, { 17, 9, 2, 1 }, { 33, 40, 4, 2 },
		{ 1025, 3, 5, 4 }, { 1024, 64, 16, 4 }, { 2049, 300, 17, 8 },
		{ 20000, 50, 256, 8 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		round_trip(all[i].w, all[i].h, all[i].colors, all[i].bits, 0);
		round_trip(all[i].w, all[i].h, all[i].colors, all[i].bits, 1);
	}
	refusals();
	letters();
	return unit_failed;
}
