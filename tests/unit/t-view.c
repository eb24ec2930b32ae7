/* t-view - libcore/view: JSON and rows, with names that want to break them. */
#include "unit.h"

static char text[4096];

static struct out *
memory_out(struct out *o)
{
	static char buf[4096];

	out_open(o, -1);
	out_buffer(o, buf, sizeof(buf));
	return o;
}

static const char *
taken(struct out *o)
{
	memcpy(text, o->buf, o->used);
	text[o->used] = 0;
	return text;
}

static int
is(const char *want, struct out *o)
{
	if (!strcmp(want, taken(o)))
		return 1;
	printf("\twant %s\n\tgot  %s\n", want, text);
	return 0;
}

static void
test_json(void)
{
	struct out o;
	struct json j;

	json_open(&j, memory_out(&o), 0);
	json_object(&j);
	json_kstr(&j, "a", "q\"\\\n\x01");
	json_key(&j, "l");
	json_array(&j);
	json_u64(&j, ~0ull);
	json_s64(&j, -1);
	json_fixed(&j, 1500, 3);
	json_null(&j);
	json_array(&j);
	json_close(&j);
	json_close(&j);
	json_kbool(&j, "b", 0);
	json_close(&j);
	ok(is("{\"a\":\"q\\\"\\\\\\n\\u0001\",\"l\":[18446744073709551615,-1,"
		"1.500,null,[]],\"b\":false}\n", &o), "json compact");

	json_open(&j, memory_out(&o), 2);
	json_object(&j);
	json_ku64(&j, "x", 1);
	json_key(&j, "e");
	json_object(&j);
	json_close(&j);
	json_close(&j);
	ok(is("{\n  \"x\": 1,\n  \"e\": {}\n}\n", &o), "json indented");

	json_open(&j, memory_out(&o), 0);
	json_object(&j);
	json_kstr(&j, "n", "a\xff\xe2\x82\xac");
	json_close(&j);
	ok(is("{\"n\":\"a\\ufffd\xe2\x82\xac\",\"n_hex\":\"61ffe282ac\"}\n",
		&o), "json bytes that are not UTF-8");
}

static const struct col cols[] = {
	{ "name", -6, COL_TEXT },
	{ "size", 9, COL_BYTES },
	{ "addr", 6, COL_HEX },
	{ "secs", 0, COL_FIXED, .digits = 2 },
};

static void
give(struct rows *r)
{
	while (rows_pass(r)) {
		rows_text(r, "a,\"b\"\x1b");
		rows_u64(r, 1536);
		rows_u64(r, 0xbeef);
		rows_u64(r, 250);
		rows_end(r);
		rows_text(r, "c");
		rows_null(r);
		rows_u64(r, 1);
		rows_u64(r, 3);
		rows_end(r);
	}
}

static void
test_rows(void)
{
	struct rows r;
	struct out o;

	rows_open(&r, memory_out(&o), ROWS_TABLE, cols, 4);
	give(&r);
	ok(is("NAME        SIZE   ADDR SECS\n"
		"a,\"b\"\\x1b   1.5 KiB   beef 2.50\n"
		"c              -      1 0.03\n", &o), "table");
	rows_open(&r, memory_out(&o), ROWS_CSV, cols, 4);
	give(&r);
	ok(is("name,size,addr,secs\r\n\"a,\"\"b\"\"\x1b\",1536,beef,2.50\r\n"
		"c,,1,0.03\r\n", &o), "csv");
	rows_open(&r, memory_out(&o), ROWS_NDJSON, cols, 4);
	give(&r);
	ok(is("{\"name\":\"a,\\\"b\\\"\\u001b\",\"size\":1536,\"addr\":48879,"
		"\"secs\":2.50}\n{\"name\":\"c\",\"size\":null,\"addr\":1,"
		"\"secs\":0.03}\n", &o), "ndjson");
	rows_open(&r, memory_out(&o), ROWS_PROM, cols, 2);
	while (rows_pass(&r)) {
		rows_text(&r, "a\"\n\\\xff");
		rows_u64(&r, 7);
		rows_end(&r);
	}
	ok(is("# HELP membox_size_bytes Column size of membox.\n"
		"# TYPE membox_size_bytes gauge\n"
		"membox_size_bytes{name=\"a\\\"\\n\\\\x5c\\\\xff\"} 7\n", &o),
		"prom");
}

int
main(void)
{
	test_json();
	test_rows();
	return unit_failed;
}
