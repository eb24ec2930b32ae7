/* mit_write.c - a trace, FILE.mit, is written while it is measured. */
#include "mit.h"

enum { PIECE = 4096 };

static struct outfile file;
static struct out out;
static char out_space[65536];
static u8 record[PIECE + 512];
static size_t used;
static u32 sum;			/* of the sample so far */
static u64 at;			/* page after the last run */

static void
put_number(u64 v)
{
	for (; v >= 128; v >>= 7)
		record[used++] = (u8)(v | 128);
	record[used++] = (u8)v;
}

static void
put_text(const char *s, size_t n)
{
	if (n > 4096 - 256)
		n = 4096 - 256;
	put_number(n);
	memcpy(record + used, s, n);
	used += n;
}

/* The record that was put together goes out. */
static void
put_record(char type)
{
	u8 head[4] = { (u8)type, (u8)(used & 127) | 128, (u8)(used >> 7) };

	sum = mit_sum(sum, head, 3);
	sum = mit_sum(sum, record, used);
	out_put(&out, head, 3);
	out_put(&out, record, used);
	used = 0;
}

static void
put_counts(const struct counts *n)
{
	put_number(n->present);
	put_number(n->active);
	put_number(n->idle);
	put_number(n->untracked);
	put_number(n->unknown);
	put_number(n->swap);
	put_number(n->written);
}

void
mit_create(const char *path)
{
	unsigned i;

	if (outfile_open(&file, path, OUTFILE_ANYFS |
			(idle.force ? OUTFILE_FORCE : 0)) < 0)
		_exit(EXIT_FAILED);
	out_open(&out, file.fd);
	out_buffer(&out, out_space, sizeof(out_space));
	out_put(&out, MIT_MAGIC, MIT_MAGIC_SIZE);
	put_number(MIT_VERSION);
	put_number(page_size);
	put_number(idle.backend);
	put_number(wall_ns());
	put_number((u64)emit_written);
	put_number(measure_count);
	for (i = 0; i < measure_count; i++) {
		put_text(measure_cols[i].name, strlen(measure_cols[i].name));
		put_number(measure_cols[i].type);
		put_number(measure_cols[i].digits);
	}
	put_record('H');
}

void
mit_begin(const struct sample *s)
{
	sum = MIT_SUM;
	put_number(s->number);
	put_number(s->time);
	put_number(s->wall);
	put_record('S');
}

void
mit_region(const struct mapping *r)
{
	put_number((u64)r->pid);
	put_number(r->start);
	put_number(r->pages);
	put_number(r->perm);
	put_text(r->name, r->name_len);
	put_record('V');
	at = r->start;
}

/* Runs are a gap, and length and state in one. */
void
mit_run(u64 vpn, u64 count, enum page_state state)
{
	put_number(vpn - at);
	put_number(count << 3 | state);
	at = vpn + count;
	if (used > PIECE - 32)
		put_record('R');
}

void
mit_region_end(const struct mapping *r)
{
	if (used)
		put_record('R');
	put_counts(&r->n);
	put_record('v');
}

void
mit_end(const struct sample *s)
{
	unsigned i;

	put_number(s->est);
	put_number(s->taint);
	put_number(s->processes);
	put_number(s->gone);
	put_number(s->denied);
	put_counts(&s->total);
	for (i = 0; i < measure_count; i++)
		put_number(s->measures[i]);
	put_record('T');
	memcpy(record, &sum, 4);
	used = 4;
	put_record('E');
	if (out_flush(&out) < 0)
		stop_signal = -1;
}

int
mit_close(int keep)
{
	if (!keep || out_flush(&out) < 0) {
		warn("write %s:", idle.trace);
		outfile_abort(&file);
		return 1;
	}
	return outfile_commit(&file) < 0;
}
