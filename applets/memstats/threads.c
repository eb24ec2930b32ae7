/* threads.c - big mappings read by several threads. The order stays: pieces are
 * handed out in order and taken back in order by the one thread that classifies
 * them, so nothing else needs a lock. */
#include <pthread.h>
#include <signal.h>

#include "memstats.h"
#include "scan.h"

enum { SLOTS = 2 * THREADS_MAX };

static struct slot {
	int fd, done;
	u64 vpn, want;
	ssize_t got;
	u64 entries[SCAN_CHUNK];
} slots[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static u64 issued, taken, consumed;
static unsigned slot_count;

static void *
worker(void *arg)
{
	(void)arg;
	for (;;) {
		struct slot *s;

		pthread_mutex_lock(&lock);
		while (taken == issued)
			pthread_cond_wait(&work, &lock);
		s = &slots[taken++ % slot_count];
		pthread_mutex_unlock(&lock);
		s->got = pagemap_read(s->fd, s->vpn, s->entries, s->want);
		pthread_mutex_lock(&lock);
		s->done = 1;
		pthread_cond_signal(&done);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

/* Signals are the main thread's: it is what waits and is to be woken. */
void
threads_open(unsigned n)
{
	pthread_t id;
	sigset_t all, old;
	unsigned i;

	slot_count = 2 * n;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (i = 0; i < n; i++)
		if (pthread_create(&id, NULL, worker, NULL))
			die("start a thread:");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void
issue(int fd, u64 vpn, u64 want)
{
	struct slot *s = &slots[issued % slot_count];

	s->fd = fd;
	s->vpn = vpn;
	s->want = want;
	pthread_mutex_lock(&lock);
	s->done = 0;
	issued++;
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
}

static struct slot *
next_done(void)
{
	struct slot *s = &slots[consumed++ % slot_count];

	pthread_mutex_lock(&lock);
	while (!s->done)
		pthread_cond_wait(&done, &lock);
	pthread_mutex_unlock(&lock);
	return s;
}

int
threads_read(int fd, u64 vpn, u64 end, give_fn *give)
{
	u64 next = vpn;
	int lost = 0;

	while (vpn < end && (!lost || consumed < issued)) {
		const struct slot *s;

		while (!lost && next < end && issued - consumed < slot_count) {
			u64 want = end - next < SCAN_CHUNK ? end - next
				: SCAN_CHUNK;

			issue(fd, next, want);
			next += want;
		}
		s = next_done();
		if (s->got < (ssize_t)s->want)
			lost = 1;
		if (s->got > 0)
			give(s->entries, s->vpn, (u64)s->got);
		vpn = s->vpn + s->want;
	}
	return lost ? -1 : 0;
}
