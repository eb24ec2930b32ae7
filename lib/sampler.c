/* sampler.c - a thread that takes snapshots at fixed times and keeps the last
 * of them in a ring. */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "kern.h"
#include "lib.h"

struct membox_sampler {
	struct membox_sampler_options options;
	size_t size;		/* of this mapping */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stops;
	int stopping, running, error;
	u64 count;
	struct membox_snapshot *ring[];
};

/* Puts a snapshot in the place of the oldest; the callback sees it first, for
 * nobody else can free it then. */
static void
keep_snapshot(struct membox_sampler *s, struct membox_snapshot *new)
{
	struct membox_snapshot *old;
	size_t place;

	pthread_mutex_lock(&s->lock);
	place = s->count % s->options.keep;
	old = s->ring[place];
	s->ring[place] = new;
	s->count++;
	pthread_mutex_unlock(&s->lock);
	membox_snapshot_free(old);
	/* Only this thread replaces it. */
	if (s->options.callback)
		s->options.callback(s->options.arg, new);
}

/* Waits until the monotonic time, or for stop: 1 when it is to stop. */
static int
wait_until(struct membox_sampler *s, u64 ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000) };
	int stopping;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping &&
	       pthread_cond_timedwait(&s->stops, &s->lock, &t) != ETIMEDOUT)
		;
	stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return stopping;
}

static void *
sample(void *arg)
{
	struct membox_sampler *s = arg;
	u64 step = s->options.interval_ms * 1000000ull, next = now_ns(), now;
	struct membox_snapshot *new;
	int error = 0;

	do {
		new = membox_snapshot_take(s->options.pid, s->options.flags);
		if (!new) {
			error = errno;
			break;
		}
		keep_snapshot(s, new);
		/* Times that have passed are left out, not caught up. */
		now = now_ns();
		next += step;
		if (next < now)
			next += (now - next) / step * step + step;
	} while (!wait_until(s, next));
	pthread_mutex_lock(&s->lock);
	s->running = 0;
	s->error = error;
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* The caller's signals are not for this thread. */
static int
start_thread(struct membox_sampler *s)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&s->thread, NULL, sample, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error;
}

struct membox_sampler *
membox_sampler_start(const struct membox_sampler_options *options)
{
	struct membox_sampler *s;
	pthread_condattr_t attr;
	size_t size;

	if (!options->interval_ms || !options->keep ||
	    options->keep > SIZE_MAX / 16) {
		errno = EINVAL;
		return NULL;
	}
	size = sizeof(*s) + options->keep * sizeof(s->ring[0]);
	s = pages_take(size);
	if (!s)
		return NULL;
	s->options = *options;
	s->size = size;
	s->running = 1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->stops, &attr);
	errno = start_thread(s);
	if (!errno)
		return s;
	pages_free(s, size);
	return NULL;
}

int
membox_sampler_running(struct membox_sampler *s, int *error)
{
	int running;

	pthread_mutex_lock(&s->lock);
	running = s->running;
	if (error)
		*error = s->error;
	pthread_mutex_unlock(&s->lock);
	return running;
}

uint64_t
membox_sampler_count(struct membox_sampler *s)
{
	u64 count;

	pthread_mutex_lock(&s->lock);
	count = s->count;
	pthread_mutex_unlock(&s->lock);
	return count;
}

struct membox_snapshot *
membox_sampler_get(struct membox_sampler *s, size_t age)
{
	struct membox_snapshot *copy = NULL;

	pthread_mutex_lock(&s->lock);
	if (age < s->count && age < s->options.keep)
		copy = snapshot_copy(s->ring[(s->count - 1 - age) %
			s->options.keep]);
	else
		errno = ENOENT;
	pthread_mutex_unlock(&s->lock);
	return copy;
}

void
membox_sampler_stop(struct membox_sampler *s)
{
	size_t i;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = 1;
	pthread_cond_signal(&s->stops);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->stops);
	pthread_mutex_destroy(&s->lock);
	for (i = 0; i < s->options.keep; i++)
		membox_snapshot_free(s->ring[i]);
	pages_free(s, s->size);
}
