/* The flow floor: digests against known values and against each other, every
 * codec through the ring of blocks and back, sinks that fail or hang. */
#include <lz4.h>
#include <zlib.h>

#include "flow.h"
#include "tests/unit/unit.h"

static u8 data[3 << 20], result[4 << 20], plain[4 << 20];
static u32 seed = 1;

static u32
next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* Zero pages, text and noise. */
static void
fill_data(void)
{
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (i >> 12) % 3 == 0 ? 0 : (i >> 12) % 3 == 1
			? (u8)("a line of text\n"[i % 15]) : (u8)next_random();
}

/* ---- digests ---- */

static int
sha_is(const void *p, size_t n, size_t step, const char *hex)
{
	char got[SHA256_HEX];
	u8 sum[SHA256_SIZE];
	struct sha256 s;
	size_t i, part;

	sha256_open(&s);
	for (i = 0; i < n; i += part) {
		part = n - i < step ? n - i : step;
		sha256_add(&s, (const u8 *)p + i, part);
	}
	sha256_close(&s, sum);
	return !strcmp(sha256_hex(got, sum), hex);
}

static void
test_sha256(void)
{
	static const char long_text[] =
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	u32 a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, b[8];
	size_t step;
	int same = 1;

	ok(sha_is("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb924"
		"27ae41e4649b934ca495991b7852b855"), "sha256 of nothing");
	ok(sha_is("abc", 3, 3, "ba7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad"), "sha256 of abc");
	for (step = 1; step < 70; step++)
		same &= sha_is(long_text, 56, step,
			"248d6a61d20638b8e5c026930c3e6039"
			"a33ce45964ff2167f6ecedd419db06c1");
	ok(same, "sha256 of two blocks, in pieces of any size");
	memcpy(b, a, sizeof(a));
	sha256_blocks(a, data, 1000);
	sha256_blocks_ni(b, data, sha256_ni() ? 1000 : 0);
	ok(!sha256_ni() || !memcmp(a, b, sizeof(a)),
		"the processor's sha256 (%s) and ours agree",
		sha256_ni() ? "there" : "not there");
}

static u32
xxh32_of(const void *p, size_t n, size_t step)
{
	struct xxh32 x;
	size_t i, part;

	xxh32_open(&x);
	for (i = 0; i < n; i += part) {
		part = n - i < step ? n - i : step;
		xxh32_add(&x, (const u8 *)p + i, part);
	}
	return xxh32_close(&x);
}

static void
test_xxh32(void)
{
	static const char text[] = "Nobody inspects the spammish repetition";
	size_t step;
	int same = 1;

	ok(xxh32_of("", 0, 1) == 0x02cc5d05, "xxh32 of nothing");
	ok(xxh32_of("abc", 3, 3) == 0x32d153ff, "xxh32 of abc");
	for (step = 1; step < 40; step++)
		same &= xxh32_of(text, 39, step) == 0xe2293b2f;
	ok(same, "xxh32 of a line, in pieces of any size");
}

/* ---- a sink in memory ---- */

struct memory {
	struct flow flow;
	size_t used, fails_at;
	int ended;
};

static int
memory_put(struct flow *f, const void *p, size_t n)
{
	struct memory *m = (struct memory *)f;

	if (m->used + n > (m->fails_at ? m->fails_at : sizeof(result))) {
		errno = ENOSPC;
		return -1;
	}
	memcpy(result + m->used, p, n);
	m->used += n;
	return 0;
}

static int
memory_end(struct flow *f)
{
	((struct memory *)f)->ended++;
	return 0;
}

static void
memory_open(struct memory *m, size_t fails_at)
{
	*m = (struct memory){ .flow = { memory_put, flow_zero_by_put,
		memory_end }, .fails_at = fails_at };
}

/* ---- what readers make of it ---- */

static u32
le32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

/* Bytes of plain, or -1. */
static long
unlz4(size_t n, u64 size)
{
	const u8 *p = result + (size ? 15 : 7), *end = result + n;
	size_t used = 0;
	u64 told;

	if (le32(result) != 0x184d2204)
		return -1;
	memcpy(&told, result + 6, 8);
	if (size && (!(result[4] & 8) || told != size))
		return -1;
	for (; le32(p); p += le32(p) & 0x7fffffff, p += 4) {
		int len = (int)(le32(p) & 0x7fffffff), r = len;

		if (p + 4 + len + 8 > end)
			return -1;
		if (le32(p) >> 31)
			memcpy(plain + used, p + 4, (size_t)len);
		else
			r = LZ4_decompress_safe((const char *)p + 4,
				(char *)plain + used, len, 256 << 10);
		if (r < 0)
			return -1;
		used += (size_t)r;
	}
	return p + 8 == end && le32(p + 4) == xxh32_of(plain, used, used + 1)
		? (long)used : -1;
}

static void *
take(void *opaque, unsigned n, unsigned size)
{
	(void)opaque;
	return calloc(n, size);
}

static void
leave(void *opaque, void *p)
{
	(void)opaque;
	free(p);
}

static long
gunzip(size_t n)
{
	z_stream z = { .zalloc = take, .zfree = leave, .next_in = result,
		.avail_in = (unsigned)n, .next_out = plain,
		.avail_out = sizeof(plain) };
	int r = Z_STREAM_END;

	inflateInit2(&z, 31);
	while (r == Z_STREAM_END && z.avail_in) {
		r = inflate(&z, Z_FINISH);
		if (r == Z_STREAM_END && z.avail_in)
			inflateReset(&z);
	}
	inflateEnd(&z);
	return r == Z_STREAM_END && !z.avail_in
		? (long)(sizeof(plain) - z.avail_out) : -1;
}

static long
undo(const struct codec *c, size_t n, u64 size)
{
	if (c == &codec_lz4)
		return unlz4(n, size);
	if (c == &codec_gzip)
		return gunzip(n);
	memcpy(plain, result, n);
	return (long)n;
}

/* ---- the ring ---- */

/* Puts data in pieces of odd sizes, some in the place that is offered, with
 * zeros in the middle: expected in plain after undo. */
static int
put_all(struct flow *f, size_t size, size_t zeros)
{
	size_t i = 0, room;

	while (i < size) {
		size_t n = 1 + next_random() % 200000;
		u8 *place = next_random() & 1 ? flow_place(f, 4096, &room)
			: NULL;

		if (n > size - i)
			n = size - i;
		if (place) {
			n = n < room ? n : room;
			memcpy(place, data + i, n);
		}
		if (flow_put(f, place ? place : data + i, n) < 0)
			return -1;
		i += n;
	}
	return flow_zero(f, zeros);
}

static int
round_trip(const struct codec *c, unsigned threads, size_t size, size_t zeros,
	u64 told)
{
	struct memory m;
	struct blocks b;
	struct digest d;
	size_t i;

	memory_open(&m, 0);
	if (blocks_open(&b, &m.flow, c, threads, told) < 0)
		return 0;
	digest_open(&d, &b.flow);
	if (put_all(&d.flow, size, zeros) < 0 || flow_end(&d.flow) < 0)
		return 0;
	if (m.ended != 1 || b.out != m.used || b.in != size + zeros ||
	    d.bytes != size + zeros ||
	    undo(c, m.used, told) != (long)(size + zeros))
		return 0;
	for (i = 0; i < zeros; i++)
		if (plain[size + i])
			return 0;
	return !memcmp(plain, data, size);
}

static void
test_blocks(const struct codec *c, const char *name)
{
	static const size_t sizes[] = {
		0, 1, 4096, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1,
		sizeof(data),
	};
	unsigned t, i;
	int good = 1;

	for (i = 0; i < ARRAY_LEN(sizes); i++)
		for (t = 1; t <= 5; t += 2)
			good &= round_trip(c, t, sizes[i], 0, 0) &&
				round_trip(c, t, sizes[i], 300001,
				sizes[i] + 300001);
	ok(good, "%s: any size, 1 to 5 threads, gives back the same", name);
}

/* A chain that fails leaves its threads at work: its place is not given back. */
struct chain {
	struct memory m;
	struct blocks b;
};

static void
test_failing_sink(const struct codec *c, const char *name)
{
	struct chain *k = calloc(1, sizeof(*k));
	int r;

	memory_open(&k->m, 100000);
	r = blocks_open(&k->b, &k->m.flow, c, 2, 0);
	if (!r)
		r = put_all(&k->b.flow, sizeof(data), 0);
	if (!r)
		r = flow_end(&k->b.flow);
	ok(r < 0 && errno == ENOSPC && !k->m.ended,
		"%s: the sink's error reaches the one who puts", name);
}

static void
test_stop(void)
{
	struct chain *k = calloc(1, sizeof(*k));
	int r;

	memory_open(&k->m, 0);
	blocks_open(&k->b, &k->m.flow, NULL, 0, 0);
	stop_signal = 2;
	r = put_all(&k->b.flow, sizeof(data), 0);
	ok(r < 0 && errno == EINTR, "a stop signal ends a put");
	stop_signal = 0;
}

/* ---- the descriptor ---- */

static int
sink_run(struct sink *s, int *fd)
{
	*fd = fileno(tmpfile());
	sink_open(s, *fd);
	return *fd;
}

static void
test_sink(void)
{
	struct sink s;
	struct stat st;
	u64 begin;
	u8 byte = 1;
	int fd;

	sink_run(&s, &fd);
	s.sparse = s.drop = 1;
	s.limit = 8193;
	ok(!flow_put(&s.flow, data, 4096) && !flow_zero(&s.flow, 40 << 20) &&
		!flow_put(&s.flow, data, 4096) && !flow_zero(&s.flow, 100) &&
		!flow_end(&s.flow) && !fstat(fd, &st) &&
		st.st_size == (40 << 20) + 8292 && s.bytes == (u64)st.st_size &&
		st.st_blocks * 512 < 1 << 20 &&
		pread(fd, &byte, 1, st.st_size - 1) == 1 && !byte,
		"zeros are holes, also at the end");
	ok(!flow_put(&s.flow, data, 1) && flow_put(&s.flow, data, 1) < 0 &&
		errno == EFBIG, "the limit counts data, not holes");
	sink_run(&s, &fd);
	s.rate = 1 << 20;
	begin = now_ns();
	ok(!flow_put(&s.flow, data, 100 << 10) &&
		now_ns() - begin > 90000000, "a rate is kept");
}

int
main(void)
{
	fill_data();
	test_sha256();
	test_xxh32();
	test_blocks(NULL, "no codec");
	test_blocks(&codec_lz4, "lz4");
	test_blocks(&codec_gzip, "gzip");
	test_failing_sink(NULL, "no codec");
	test_failing_sink(&codec_lz4, "lz4");
	test_sink();
	test_stop();
	/* Threads of chains that failed wait for ever: leave them. */
	fflush(stdout);
	_exit(unit_failed);
}
