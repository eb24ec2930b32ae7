/* bitmap.c - the kernel's idle page bitmap (mm/page_idle.c).
 *
 * For each page frame there are two bits of ours:
 *
 *	marked result
 *	   1     0	marked idle; after the read: it was accessed
 *	   0     1	after the read: still idle
 *	   1     1	cannot be tracked
 *	   0     0	not ours, or the tail of a large folio
 *
 * The kernel tracks folios, by the frame of their head, and only those on an
 * LRU list; for all others its bit is 0, which looks like an access. So before
 * marking, /proc/kpageflags is asked what each frame is. A word of the bitmap
 * is visited once, with a mask that holds our frames and nobody else's.
 *
 * Whoever is found idle is marked still, and without an accessed bit: the
 * reading has just seen to both. So the next interval of such a frame begins
 * there, and of the next marking's work only what was active is left.
 */
#include "frames.h"

enum { MERGE = 4 };		/* frames: a gap that costs less than a call */

static struct arena arena;
static u64 *marked, *result, *seen;
static u64 frames;		/* that we have bits for */
static u64 readable = ~0ull;	/* frames from here on cannot be read back */
static int folio_came;

/* ---- bits ---- */

static int
bit_get(const u64 *bits, u64 pfn)
{
	return bits[pfn / 64] >> pfn % 64 & 1;
}

static void
bit_set(u64 *bits, u64 pfn)
{
	bits[pfn / 64] |= 1ull << pfn % 64;
}

/* The part of n bits from pfn on that lies in pfn's word; *n becomes their
 * number. */
static u64
word_part(u64 pfn, u64 *n)
{
	u64 room = 64 - pfn % 64;

	if (*n > room)
		*n = room;
	return (*n == 64 ? ~0ull : (1ull << *n) - 1) << pfn % 64;
}

void
bitmap_want(u64 pfn, u64 n)
{
	u64 part, mask;

	for (; n && pfn < frames; n -= part, pfn += part) {
		part = n;
		mask = word_part(pfn, &part);
		marked[pfn / 64] |= mask;
	}
}

static int
is_full(const u64 *w)
{
	u64 all = ~0ull;
	int i;

	for (i = 0; i < WORDS; i++)
		all &= w[i];
	return !~all;
}

static int
is_empty(const u64 *w)
{
	u64 any = 0;
	int i;

	for (i = 0; i < WORDS; i++)
		any |= w[i];
	return !any;
}

/* ---- what is there ---- */

void
bitmap_open(int many)
{
	u64 bytes;

	/* in blocks; room for memory that is plugged in later has no bits:
	 * its pages are unknown */
	frames = (frames_open() + BLOCK - 1) / BLOCK * BLOCK;
	bytes = frames / 8;
	if (arena_open(&arena, bytes * (many ? 3 : 2)) < 0)
		die("memory for two bits a page frame:");
	marked = arena_take(&arena, bytes);
	result = arena_take(&arena, bytes);
	seen = many ? arena_take(&arena, bytes) : NULL;
}

/* At most: bits of frames that are no RAM are never touched. */
u64
bitmap_memory(void)
{
	u64 ram = (u64)sysconf(_SC_PHYS_PAGES);

	return ram < frames ? arena.size / frames * ram +
		arena.size % frames * ram / frames : arena.size;
}

u64
bitmap_frames(void)
{
	return frames;
}

/* What was found idle stays in result until bitmap_set. */
void
bitmap_clear(void)
{
	u64 i;

	for (i = 0; i < frames / 64; i++)
		if (marked[i] | result[i]) {
			result[i] &= ~marked[i];
			marked[i] = 0;
		}
}

/* ---- set ---- */

/* The tail's head is tracked in its stead. */
static void
want_head(u64 pfn)
{
	u64 head = head_of(pfn);

	if (head >= frames)
		return;
	bit_set(marked, head);
	if (!flags_tracked(flags_at(head)))
		bit_set(result, head);
}

static void
classify(u64 pfn, u64 flags)
{
	u64 bit = 1ull << pfn % 64;

	if (flags & KPF(COMPOUND_TAIL)) {
		marked[pfn / 64] &= ~bit;
		want_head(pfn);
	} else if (!flags_tracked(flags)) {
		result[pfn / 64] |= bit;
	}
}

int
flags_tracked(u64 f)
{
	return f & KPF(LRU) &&
		!(f & (KPF(HUGE) | KPF(ZERO_PAGE) | KPF(NOPAGE)));
}

/* What most frames are: nothing to note. */
static int
is_plain(u64 f)
{
	return (f & (KPF(LRU) | KPF(COMPOUND_TAIL) | KPF(HUGE) |
		KPF(ZERO_PAGE) | KPF(NOPAGE))) == KPF(LRU);
}

/* The next wanted frame at or after i in the block; BLOCK when there is
 * none. */
static unsigned
next_wanted(const u64 *w, unsigned i)
{
	u64 rest;

	for (; i < BLOCK; i = (i / 64 + 1) * 64) {
		rest = w[i / 64] >> i % 64;
		if (rest)
			return i + (unsigned)__builtin_ctzll(rest);
	}
	return BLOCK;
}

/* Frames are asked for in runs, over gaps that cost less than a call. */
static void
classify_block(u64 pfn)
{
	static u64 flags[BLOCK];
	u64 copy[WORDS];
	unsigned first, last, next, i;
	ssize_t n;

	memcpy(copy, marked + pfn / 64, sizeof(copy));
	for (first = next_wanted(copy, 0); first < BLOCK; first = next) {
		last = first;
		while ((next = next_wanted(copy, last + 1)) < BLOCK &&
		       next - last <= MERGE)
			last = next;
		n = bitmap_flags(pfn + first, flags, last - first + 1);
		for (i = first; i <= last; i++)
			if (copy[i / 64] >> i % 64 & 1 &&
			    ((ssize_t)(i - first) >= n ||
			     !is_plain(flags[i - first])))
				classify(pfn + i, (ssize_t)(i - first) < n
					? flags[i - first] : KPF(NOPAGE));
	}
}

/* 1 when the block was one huge page. */
static int
classify_huge(u64 pfn, u64 *mask)
{
	int huge;

	if (!is_full(marked + pfn / 64) || !(huge = huge_at(pfn)))
		return 0;
	memset(mask, 0, BLOCK / 8);
	if (huge == 1)
		mask[0] = 1;
	else
		memset(result + pfn / 64, 0xff, BLOCK / 8);
	return 1;
}

/* Takes the wanted frames that are marked still out of marked. */
static void
take_kept(u64 *m, u64 *r, u64 *kept)
{
	int i;

	for (i = 0; i < WORDS; i++) {
		kept[i] = m[i] & r[i];
		m[i] &= ~kept[i];
		r[i] = 0;
	}
}

static void
set_block(u64 pfn)
{
	u64 *m = marked + pfn / 64, *r = result + pfn / 64;
	u64 mask[WORDS], kept[WORDS];
	int i;

	take_kept(m, r, kept);
	if (!is_empty(m)) {
		if (!classify_huge(pfn, mask)) {
			classify_block(pfn);
			for (i = 0; i < WORDS; i++)
				mask[i] = m[i] & ~(r[i] | kept[i]);
		}
		write_mask(pfn, mask);
	}
	for (i = 0; i < WORDS; i++)
		m[i] |= kept[i];
}

void
bitmap_set(void)
{
	u64 pfn;

	forget_flags();
	for (pfn = 0; pfn < frames; pfn += BLOCK)
		if (!is_empty(marked + pfn / 64) ||
		    !is_empty(result + pfn / 64)) {
			set_block(pfn);
			throttle();
		}
}

/* ---- read ---- */

/* A huge page's tails read as 0. */
static int
only_head(const u64 *got)
{
	return got[0] == 1 && !(got[1] | got[2] | got[3] | got[4] | got[5] |
		got[6] | got[7]);
}

static void
read_block(u64 pfn)
{
	u64 *m = marked + pfn / 64, *r = result + pfn / 64;
	u64 mask[WORDS], got[WORDS], still, end;
	int i;

	for (i = 0; i < WORDS; i++) {
		/* what was idle before is asked again */
		still = r[i] & ~m[i];
		m[i] |= still;
		r[i] &= ~still;
		mask[i] = m[i] & ~r[i];
	}
	end = read_words(pfn, mask, got);
	if (end < readable)
		readable = end;
	if (only_head(got) && is_full(mask) && huge_at(pfn) == 1)
		memset(got, 0xff, sizeof(got));
	for (i = 0; i < WORDS; i++) {
		still = mask[i] & got[i];
		m[i] &= ~still;
		r[i] |= still;
	}
}

void
bitmap_read(void)
{
	u64 pfn;

	for (pfn = 0; pfn < frames; pfn += BLOCK)
		if (!is_empty(marked + pfn / 64) ||
		    !is_empty(result + pfn / 64)) {
			read_block(pfn);
			throttle();
		}
	forget_flags();
	folio_came = 0;
	if (seen)
		memset(seen, 0, frames / 8);
}

/* ---- states ---- */

int
bitmap_folio_came(void)
{
	return folio_came;
}

/* A folio that was not there when the others were marked came since, and so was
 * accessed, or was moved here. One that came is on its way to the LRU lists
 * for a while. */
static enum page_state
state_of_new(u64 head, u64 f)
{
	folio_came |= !!(f & KPF(COMPOUND_HEAD));
	if (f & KPF(IDLE) && still_idle(head)) {
		bit_set(result, head);
		return PAGE_IDLE;
	}
	bit_set(marked, head);
	if (flags_tracked(f) || (f & KPF(ANON) && !(f & KPF(HUGE))))
		return PAGE_ACTIVE;
	bit_set(result, head);
	return PAGE_UNTRACKED;
}

/* Of a frame without bits: a tail, or new. */
static enum page_state
state_of_folio(u64 pfn)
{
	u64 head = flags_at(pfn) & KPF(COMPOUND_TAIL) ? head_of(pfn) : pfn;

	if (head >= frames)
		return PAGE_UNKNOWN;
	if (bit_get(result, head))
		return bit_get(marked, head) ? PAGE_UNTRACKED : PAGE_IDLE;
	return bit_get(marked, head) ? PAGE_ACTIVE
		: state_of_new(head, flags_at(head));
}

/* How many bits from pfn on, up to n, are as pfn's is in both maps. */
static u64
alike(u64 pfn, u64 n)
{
	u64 m = marked[pfn / 64] >> pfn % 64, r = result[pfn / 64] >> pfn % 64;
	u64 differ = (m ^ -(m & 1)) | (r ^ -(r & 1));
	u64 room = 64 - pfn % 64, same;

	same = differ ? (u64)__builtin_ctzll(differ) : 64;
	if (same > room)
		same = room;
	return same < n ? same : n;
}

enum page_state
bitmap_state(u64 pfn, u64 *n)
{
	int m, r;

	if (pfn >= frames || pfn >= readable) {
		*n = 1;
		return PAGE_UNKNOWN;
	}
	m = bit_get(marked, pfn);
	r = bit_get(result, pfn);
	if (!m && !r) {
		*n = 1;
		return state_of_folio(pfn);
	}
	*n = alike(pfn, *n);
	if (*n > readable - pfn)
		*n = readable - pfn;
	return !r ? PAGE_ACTIVE : m ? PAGE_UNTRACKED : PAGE_IDLE;
}

u64
bitmap_first(u64 pfn, u64 n)
{
	u64 part, mask, new = 0;

	if (!seen || pfn >= frames)
		return n;
	for (; n && pfn < frames; n -= part, pfn += part) {
		part = n;
		mask = word_part(pfn, &part);
		new += (u64)__builtin_popcountll(mask & ~seen[pfn / 64]);
		seen[pfn / 64] |= mask;
	}
	return new + n;
}
