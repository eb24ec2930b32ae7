/* sha256_ni.c - SHA-256 by the instructions that x86 has for it: some six
 * times as fast as C. Other processors take the C way. */
#include "../flow.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

int
sha256_ni(void)
{
	unsigned a, b, c, d, sse;

	if (!__get_cpuid(1, &a, &b, &sse, &d) ||
	    !__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return 0;
	return (sse & bit_SSE4_1) && (sse & bit_SSSE3) && (b & bit_SHA);
}

/* Four rounds at a time; the schedule's last sixteen words are m[0..3]. */
__attribute__((target("sha,sse4.1,ssse3"))) static void
block(__m128i *abef, __m128i *cdgh, const u8 *p)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b,
		0x0405060700010203);
	__m128i m[4], s0 = *abef, s1 = *cdgh, k;
	unsigned i;

#pragma GCC unroll 16
	for (i = 0; i < 16; i++) {
		__m128i *w = &m[i & 3];

		if (i < 4)
			*w = _mm_shuffle_epi8(_mm_loadu_si128(
				(const void *)(p + 16 * i)), swap);
		else
			*w = _mm_sha256msg2_epu32(_mm_add_epi32(
				_mm_sha256msg1_epu32(*w, m[(i + 1) & 3]),
				_mm_alignr_epi8(m[(i + 3) & 3],
					m[(i + 2) & 3], 4)), m[(i + 3) & 3]);
		k = _mm_add_epi32(*w, _mm_load_si128(
			(const void *)(sha256_round + 4 * i)));
		s1 = _mm_sha256rnds2_epu32(s1, s0, k);
		s0 = _mm_sha256rnds2_epu32(s0, s1, _mm_shuffle_epi32(k, 0x0e));
	}
	*abef = _mm_add_epi32(*abef, s0);
	*cdgh = _mm_add_epi32(*cdgh, s1);
}

/* The instructions want the eight words as ABEF and CDGH, high word first. */
__attribute__((target("sha,sse4.1,ssse3"))) void
sha256_blocks_ni(u32 state[8], const u8 *p, size_t blocks)
{
	__m128i low = _mm_loadu_si128((const void *)state);
	__m128i high = _mm_loadu_si128((const void *)(state + 4));
	__m128i abef, cdgh;

	low = _mm_shuffle_epi32(low, 0xb1);
	high = _mm_shuffle_epi32(high, 0x1b);
	abef = _mm_alignr_epi8(low, high, 8);
	cdgh = _mm_blend_epi16(high, low, 0xf0);
	for (; blocks; blocks--, p += 64)
		block(&abef, &cdgh, p);
	low = _mm_shuffle_epi32(abef, 0x1b);
	high = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((void *)state, _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}
#else
int
sha256_ni(void)
{
	return 0;
}

void
sha256_blocks_ni(u32 state[8], const u8 *p, size_t blocks)
{
	sha256_blocks(state, p, blocks);
}
#endif
