/* sha256.c - SHA-256 in C, and the choice of the processor's own. */
#include "../flow.h"

const u32 sha256_round[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static u32
rotate(u32 x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static u32
load_be(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/* w[0..15] become the next sixteen words of the schedule. */
static u32
schedule(u32 *w, unsigned i)
{
	u32 a = w[(i + 1) & 15], b = w[(i + 14) & 15];

	return w[i & 15] += w[(i + 9) & 15] +
		(rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
		(rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
}

static void
block(u32 state[8], const u8 *p)
{
	u32 w[16], s[8];
	unsigned i;

	memcpy(s, state, sizeof(s));
	for (i = 0; i < 64; i++) {
		u32 a = s[(64 - i) & 7], e = s[(68 - i) & 7], t;
		u32 b = s[(65 - i) & 7], c = s[(66 - i) & 7];
		u32 f = s[(69 - i) & 7], g = s[(70 - i) & 7];

		t = i < 16 ? (w[i] = load_be(p + 4 * i)) : schedule(w, i);
		t += s[(71 - i) & 7] + sha256_round[i] + (g ^ (e & (f ^ g))) +
			(rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25));
		s[(67 - i) & 7] += t;
		s[(71 - i) & 7] = t + ((a & b) | (c & (a | b))) +
			(rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22));
	}
	for (i = 0; i < 8; i++)
		state[i] += s[i];
}

void
sha256_blocks(u32 state[8], const u8 *p, size_t blocks)
{
	for (; blocks; blocks--, p += 64)
		block(state, p);
}

static void
blocks_any(u32 state[8], const u8 *p, size_t blocks)
{
	static int ni = -1;

	if (ni < 0)
		ni = sha256_ni();
	(ni ? sha256_blocks_ni : sha256_blocks)(state, p, blocks);
}

void
sha256_open(struct sha256 *s)
{
	*s = (struct sha256){ .state = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	} };
}

void
sha256_add(struct sha256 *s, const void *data, size_t n)
{
	size_t used = s->total & 63, part;
	const u8 *p = data;

	s->total += n;
	if (used) {
		part = n < 64 - used ? n : 64 - used;
		memcpy(s->held + used, p, part);
		if (used + part < 64)
			return;
		blocks_any(s->state, s->held, 1);
		p += part;
		n -= part;
	}
	if (n >= 64)
		blocks_any(s->state, p, n / 64);
	memcpy(s->held, p + n / 64 * 64, n & 63);
}

void
sha256_close(struct sha256 *s, u8 digest[SHA256_SIZE])
{
	static const u8 padding[64] = { 0x80 };
	u64 bits = s->total * 8;
	u8 length[8];
	unsigned i;

	for (i = 0; i < 8; i++)
		length[i] = (u8)(bits >> (56 - 8 * i));
	sha256_add(s, padding, 1 + ((119 - (s->total & 63)) & 63));
	sha256_add(s, length, 8);
	for (i = 0; i < SHA256_SIZE; i++)
		digest[i] = (u8)(s->state[i / 4] >> (24 - i % 4 * 8));
}

char *
sha256_hex(char *hex, const u8 digest[SHA256_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned i;

	for (i = 0; i < SHA256_SIZE; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[2 * SHA256_SIZE] = 0;
	return hex;
}
