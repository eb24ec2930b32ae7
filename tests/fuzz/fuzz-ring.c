/* A ring's sub-buffer, and before it (up to a zero byte) an event's format:
 * records lie within the page, fields within the record. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char *const names[] = { "pfn", "order", "name" };
	static char text[4096];
	static const struct ring_layout layout = { 8, 16, 8, 4096 };
	struct trace_field f[3];
	struct ring_layout read;
	struct ring r;
	struct ring_event e;
	const u8 *zero = memchr(data, 0, size), *page;
	size_t n = zero ? (size_t)(zero - data) : size, len, left;
	const char *s;

	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	memcpy(text, data, n);
	text[n] = 0;
	ring_layout(text, &read);
	trace_format(text, names, f, 3);
	page = data + n + !!zero;
	left = size - (size_t)(page - data);
	if (ring_open(&r, &layout, page, left) < 0)
		return 0;
	while (ring_next(&r, &e) > 0) {
		must(e.data >= page + 16 && e.data + e.size <= page + left);
		trace_value(&f[0], e.data, e.size);
		s = trace_text(&f[2], e.data, e.size, &len);
		must(!s || ((const u8 *)s >= e.data &&
			(const u8 *)s + len <= e.data + e.size));
	}
	return 0;
}
