/* body.c - regions as JSON text, kept until it is known what stands before
 * them. A region is put together from ready pieces, the keys with what stands
 * before them: it costs the kernel 0.3 us (3 with smaps), so this must not cost
 * another 0.3. */
#include "emit.h"

enum {
	BODY_SIZE = 1 << 20,
	REGION_ROOM = 4096,	/* a region without its path */
	PATH_ROOM = 8,		/* bytes for each of the path: \u001b, hex */
	PIECE_SIZE = 64,	/* copied whole, whatever its length */
};

enum piece_id {
	P_START, P_END, P_TYPE, P_SIZE = P_TYPE + REGION_TYPES, P_PATH, P_SMAPS,
	P_SUBTYPE = P_SMAPS + SMAPS_KEYS, P_OFFSET, P_DEVICE, P_INODE, P_CLOSE,
	PIECES
};
struct piece {
	char text[PIECE_SIZE];
	u8 n;
};
static struct piece pieces[PIECES];

static const char *const smaps_names[SMAPS_KEYS] = {
	[SMAPS_KERNEL_PAGE] = "kernel_page_size_kb",
	[SMAPS_MMU_PAGE] = "mmu_page_size_kb",
	[SMAPS_RSS] = "rss_kb", [SMAPS_PSS] = "pss_kb",
	[SMAPS_PSS_DIRTY] = "pss_dirty_kb",
	[SMAPS_SHARED_CLEAN] = "shared_clean_kb",
	[SMAPS_SHARED_DIRTY] = "shared_dirty_kb",
	[SMAPS_PRIVATE_CLEAN] = "private_clean_kb",
	[SMAPS_PRIVATE_DIRTY] = "private_dirty_kb",
	[SMAPS_REFERENCED] = "referenced_kb",
	[SMAPS_ANONYMOUS] = "anonymous_kb",
	[SMAPS_KSM] = "ksm_kb",
	[SMAPS_LAZY_FREE] = "lazy_free_kb",
	[SMAPS_ANON_HUGE] = "anon_huge_pages_kb",
	[SMAPS_SHMEM_PMD] = "shmem_pmd_mapped_kb",
	[SMAPS_FILE_PMD] = "file_pmd_mapped_kb",
	[SMAPS_SHARED_HUGETLB] = "shared_hugetlb_kb",
	[SMAPS_PRIVATE_HUGETLB] = "private_hugetlb_kb",
	[SMAPS_SWAP] = "swap_kb",
	[SMAPS_SWAP_PSS] = "swap_pss_kb",
	[SMAPS_LOCKED] = "locked_kb",
	[SMAPS_THP_ELIGIBLE] = "thp_eligible",
	[SMAPS_PROTECTION_KEY] = "protection_key",
};
/* memc's, in memc's order; the others follow under --full. */
static const u8 memc_keys[] = {
	SMAPS_RSS, SMAPS_PSS, SMAPS_SHARED_CLEAN, SMAPS_SHARED_DIRTY,
	SMAPS_PRIVATE_CLEAN, SMAPS_PRIVATE_DIRTY, SMAPS_SWAP,
};
static const u8 full_keys[] = {
	SMAPS_KERNEL_PAGE, SMAPS_MMU_PAGE, SMAPS_PSS_DIRTY, SMAPS_REFERENCED,
	SMAPS_ANONYMOUS, SMAPS_KSM, SMAPS_LAZY_FREE, SMAPS_ANON_HUGE,
	SMAPS_SHMEM_PMD, SMAPS_FILE_PMD, SMAPS_SHARED_HUGETLB,
	SMAPS_PRIVATE_HUGETLB, SMAPS_SWAP_PSS, SMAPS_LOCKED,
	SMAPS_THP_ELIGIBLE, SMAPS_PROTECTION_KEY,
};

static struct {
	struct out out;		/* over text; never written to a file */
	struct json json;	/* onto out, for what has no ready piece */
	char text[BODY_SIZE];
} body;

/* ---- pieces ---- */

static void
piece_add(enum piece_id id, const char *s)
{
	struct piece *p = &pieces[id];

	p->n = (u8)(p->n + fmt_str(p->text + p->n, sizeof(p->text) - p->n,
		"%s", s));
}

/* The beginning of a line, depth deep. */
static void
piece_line(enum piece_id id, int depth)
{
	struct piece *p = &pieces[id];

	if (body.json.indent)
		p->n = (u8)(p->n + fmt_str(p->text + p->n, sizeof(p->text) -
			p->n, "\n%*s", depth * body.json.indent, ""));
}

/* before, which ends what came before; the key; what its value begins with. */
static void
piece_key(enum piece_id id, const char *before, const char *key,
	const char *value)
{
	piece_add(id, before);
	piece_line(id, body.json.depth);
	piece_add(id, "\"");
	piece_add(id, key);
	piece_add(id, body.json.indent ? "\": " : "\":");
	piece_add(id, value);
}

void
body_open(int indent, int depth)
{
	unsigned i;

	out_open(&body.out, -1);
	out_buffer(&body.out, body.text, sizeof(body.text));
	json_open(&body.json, &body.out, indent);
	body.json.depth = depth;
	piece_add(P_START, ",");
	piece_line(P_START, depth - 1);
	piece_key(P_START, "{", "start", "\"0x");
	piece_key(P_END, "\",", "end", "\"0x");
	for (i = 0; i < REGION_TYPES; i++) {
		piece_key(P_TYPE + i, "\",", "type", "\"");
		piece_add(P_TYPE + i, region_type_names[i]);
		piece_key(P_TYPE + i, "\",", "perm", "\"");
	}
	piece_key(P_SIZE, "\",", "size_kb", "");
	piece_key(P_PATH, ",", "pathname", "\"");
	for (i = 0; i < SMAPS_KEYS; i++)
		if (smaps_names[i])
			piece_key(P_SMAPS + i, ",", smaps_names[i], "");
	piece_key(P_SUBTYPE, ",", "subtype", "\"");
	piece_key(P_OFFSET, "\",", "offset", "");
	piece_key(P_DEVICE, ",", "device", "\"");
	piece_key(P_INODE, "\",", "inode", "");
	piece_line(P_CLOSE, depth - 1);
	piece_add(P_CLOSE, "}");
}

static inline char *
put_piece(char *p, unsigned id)
{
	memcpy(p, pieces[id].text, PIECE_SIZE);
	return p + pieces[id].n;
}

static inline char *
put_str(char *p, const char *s)
{
	while (*s)
		*p++ = *s++;
	return p;
}

static char *
put_u64(char *p, u64 v)
{
	char digits[20], *end = digits + sizeof(digits), *s = end;

	do
		*--s = (char)('0' + v % 10);
	while (v /= 10);
	while (s < end)
		*p++ = *s++;
	return p;
}

/* Eight hex digits at once: a byte for each four bits, the first lowest. */
static inline void
put_hex8(char *p, u64 v)
{
	const u64 ones = ~0ull / 255;

	v = (v | v << 16) & 0x0000ffff0000ffffull;
	v = (v | v << 8) & 0x00ff00ff00ff00ffull;
	v = (v | v << 4) & ones * 15;
	v += ones * '0' + ((v + ones * 6) >> 4 & ones) * ('a' - '0' - 10);
	v = __builtin_bswap64(v);
	memcpy(p, &v, sizeof(v));
}

/* Writes 16 bytes, of which the number's digits count. */
static inline char *
put_hex(char *p, u64 v)
{
	unsigned digits = v ? 16 - (unsigned)__builtin_clzll(v) / 4 : 1;

	v <<= 64 - 4 * digits;
	put_hex8(p, v >> 32);
	put_hex8(p + 8, v & ~0u);
	return p + digits;
}

static inline char *
put_number(char *p, unsigned id, u64 v)
{
	return put_u64(put_piece(p, id), v);
}

/* ---- regions ---- */

/* As it is, if nothing needs an escape; else by the JSON writer. */
static char *
put_path(char *start, const struct vma *v)
{
	char *p = put_piece(start, P_PATH);
	size_t i;

	for (i = 0; i < v->path_len; i++) {
		char c = v->path[i];

		if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
			break;
		*p++ = c;
	}
	*p++ = '"';
	if (i == v->path_len)
		return p;
	body.out.used = (size_t)(start - body.text);
	body.json.empty[body.json.depth] = 0;
	json_kstrn(&body.json, "pathname", v->path, v->path_len);
	return body.text + body.out.used;
}

static char *
put_flags(char *p, const char *s)
{
	size_t n;
	const char *word;

	body.out.used = (size_t)(p - body.text);
	json_key(&body.json, "vm_flags");
	json_array(&body.json);
	while ((word = scan_word(&s, &n)))
		json_strn(&body.json, word, n);
	json_close(&body.json);
	return body.text + body.out.used;
}

static char *
put_full(char *p, const struct region *g)
{
	const struct vma *v = &g->vma;
	size_t i;

	p = put_str(put_piece(p, P_SUBTYPE), region_kind_names[g->kind]);
	p = put_number(p, P_OFFSET, v->offset);
	p = put_piece(p, P_DEVICE);
	p += fmt_str(p, 32, "%02x:%02x", v->major, v->minor);
	p = put_number(p, P_INODE, v->inode);
	for (i = 0; i < ARRAY_LEN(full_keys); i++)
		if (g->seen >> full_keys[i] & 1)
			p = put_number(p, P_SMAPS + full_keys[i],
				g->kb[full_keys[i]]);
	return put_flags(p, g->flags);
}

int
body_has_room(const struct region *g)
{
	return body.out.used + REGION_ROOM + g->vma.path_len * PATH_ROOM <=
		BODY_SIZE;
}

void
body_put(const struct region *g, int first)
{
	const struct vma *v = &g->vma;
	char *p = body.text + body.out.used;
	size_t i;

	memcpy(p, pieces[P_START].text + first, PIECE_SIZE - 1);
	p += pieces[P_START].n - first;
	p = put_hex(p, v->start);
	p = put_hex(put_piece(p, P_END), v->end);
	p = put_piece(p, P_TYPE + g->type);
	memcpy(p, perm_texts[v->perm], 4);
	p = put_number(p + 4, P_SIZE, (v->end - v->start) / KIB);
	if (v->path_len)
		p = put_path(p, v);
	for (i = 0; ask.smaps && i < ARRAY_LEN(memc_keys); i++)
		p = put_number(p, P_SMAPS + memc_keys[i], g->kb[memc_keys[i]]);
	if (ask.full)
		p = put_full(p, g);
	p = put_piece(p, P_CLOSE);
	body.out.used = (size_t)(p - body.text);
}

void
body_flush(void)
{
	out_put(&report, body.text, body.out.used);
	body.out.used = 0;
}

void
body_clear(void)
{
	body.out.used = 0;
}
