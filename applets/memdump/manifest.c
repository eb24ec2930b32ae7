/* manifest.c - what was dumped, and from which machine (docs/formats.md). */

#include "memdump.h"

/* A one-line file of the dumped machine, as a string or null. */
static void
file_line(struct json *j, const char *key, const char *path)
{
	char text[256];
	ssize_t n = root_slurp(path, text, sizeof(text));

	json_key(j, key);
	if (n < 0)
		json_null(j);
	else
		json_strn(j, text, strcspn(text, "\n"));
}

/* Of an image file, only the image itself can tell. */
static void
put_machine(struct json *j, const struct source *s)
{
	const char *release;
	int n;

	if (s->live) {
		file_line(j, "host", "/proc/sys/kernel/hostname");
		file_line(j, "kernel", "/proc/sys/kernel/osrelease");
		file_line(j, "kernel_version", "/proc/sys/kernel/version");
		file_line(j, "boot_id", "/proc/sys/kernel/random/boot_id");
		json_ku64(j, "hardware_corrupted", source_corrupted());
		return;
	}
	n = info_value(s, "OSRELEASE", &release);
	json_key(j, "kernel");
	if (n < 0)
		json_null(j);
	else
		json_strn(j, release, (size_t)n);
}

static void
put_command(struct json *j)
{
	static char text[4096];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : fd_slurp(fd, text, sizeof(text)), i, len;

	if (fd >= 0)
		close(fd);
	json_key(j, "command");
	json_array(j);
	for (i = 0; i < n; i += len + 1) {
		len = (ssize_t)strlen(text + i);
		json_strn(j, text + i, (size_t)len);
	}
	json_close(j);
}

static void
put_tool(struct json *j, const struct report *r)
{
	char time[FMT_TIME_MAX];

	json_kstr(j, "tool", "memdump");
	json_kstr(j, "version", MEMBOX_VERSION);
	put_command(j);
	json_kstr(j, "time", fmt_time(time, (s64)(r->begun / 1000000000)));
	json_key(j, "seconds");
	json_fixed(j, r->took / 1000000, 3);
}

/* What readers of the image need to find their way. */
static void
put_info(struct json *j, const struct source *s)
{
	static const char *const keys[] = {
		"OSRELEASE", "BUILD-ID", "PAGESIZE", "CRASHTIME",
		"KERNELOFFSET", "NUMBER(phys_base)", "SYMBOL(init_top_pgt)",
		"NUMBER(pgtable_l5_enabled)", "SYMBOL(swapper_pg_dir)",
		"NUMBER(VA_BITS)", "NUMBER(kimage_voffset)",
		"NUMBER(PHYS_OFFSET)", "SYMBOL(_stext)",
		"SYMBOL(init_uts_ns)",
	};
	const char *v;
	unsigned i;
	u64 offset;
	int n;

	json_key(j, "kaslr_offset");
	if (info_value(s, "KERNELOFFSET", &v) >= 0 && !scan_hex(&v, &offset))
		json_u64(j, offset);
	else
		json_null(j);
	json_key(j, "vmcoreinfo");
	if (!s->info_size) {
		json_null(j);
		return;
	}
	json_object(j);
	for (i = 0; i < ARRAY_LEN(keys); i++) {
		n = info_value(s, keys[i], &v);
		if (n >= 0)
			json_kstrn(j, keys[i], v, (size_t)n);
	}
	json_close(j);
}

static void
put_range(struct json *j, u64 start, u64 end)
{
	json_ku64(j, "start", start);
	json_ku64(j, "end", end - 1);
	json_ku64(j, "size", end - start);
}

static void
put_ranges(struct json *j, const struct report *r)
{
	const struct source *s = r->source;
	unsigned i;

	json_ku64(j, "ram", s->bytes);
	json_key(j, "ranges");
	json_array(j);
	for (i = 0; i < s->extents; i++) {
		json_object(j);
		put_range(j, s->extent[i].start, s->extent[i].end);
		json_ku64(j, "offset", image_offset(r->image, i));
		json_close(j);
	}
	json_close(j);
	json_ku64(j, "lost", s->lost_bytes);
	json_key(j, "lost_ranges");
	json_array(j);
	for (i = 0; i < s->lost; i++) {
		json_object(j);
		put_range(j, s->lost_range[i].start, s->lost_range[i].end);
		json_close(j);
	}
	json_close(j);
}

static void
put_holes(struct json *j, const struct source *s)
{
	u64 listed = 0;
	unsigned i;

	json_ku64(j, "holes_pages", s->hole_pages);
	json_key(j, "holes");
	json_array(j);
	for (i = 0; i < s->holes; i++) {
		const struct hole *h = &s->hole[i];

		listed += (h->end - h->start + page_size - 1) / page_size;
		json_object(j);
		put_range(j, h->start, h->end);
		json_kstr(j, "error", h->error ? strerror(h->error)
			: "End of the source");
		json_close(j);
	}
	json_close(j);
	json_kbool(j, "holes_all_listed", listed == s->hole_pages);
}

static void
put_bytes(struct json *j, const char *key, u64 bytes, const u8 *sum)
{
	char hex[SHA256_HEX];

	json_key(j, key);
	json_object(j);
	json_ku64(j, "bytes", bytes);
	json_key(j, "sha256");
	if (sum)
		json_str(j, sha256_hex(hex, sum));
	else
		json_null(j);
	json_close(j);
}

static void
put_output(struct json *j, const struct report *r)
{
	json_kstr(j, "format", format_names[r->image->format]);
	json_kstr(j, "codec", r->codec ? r->codec->name : "none");
	put_bytes(j, "image", r->image->size, r->digest ? r->image_sum : NULL);
	if (!r->path) {
		json_ku64(j, "estimate", r->estimate);
		return;
	}
	json_kstr(j, "output", r->path);
	put_bytes(j, "written", r->written,
		r->digest ? r->written_sum : NULL);
	json_kbool(j, "complete", !r->source->hole_pages &&
		!r->source->lost_bytes);
}

void
manifest_write(const struct report *r, struct out *o)
{
	const struct source *s = r->source;
	struct json j;

	json_open(&j, o, 1);
	json_object(&j);
	put_tool(&j, r);
	put_machine(&j, s);
	put_info(&j, s);
	json_kstr(&j, "source", s->name);
	json_kstr(&j, "source_kind", s->kind);
	json_ku64(&j, "page_size", page_size);
	put_output(&j, r);
	put_ranges(&j, r);
	put_holes(&j, s);
	json_close(&j);
}
