/* Loaded into a worker by LD_PRELOAD: the time of day that the process reads is ahead by a number of seconds
   that stands in a file, as if the host's clock had been set. The monotonic clocks stay as they are. A wait
   until a time of day ends at the same moment as it would on a host whose clock was set. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* A deadline of a monotonic clock is smaller than this, one of the time of day is greater. */
#define TIMES_OF_DAY 1000000000

static const volatile int64_t *ahead;

__attribute__((constructor)) static void open_file(void) {
    const char *path = getenv("STREAMSEG_CHAOS_CLOCK");
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) ahead = mapped;
}

static int64_t seconds_ahead(void) { return ahead == NULL ? 0 : *ahead; }

int clock_gettime(clockid_t clock, struct timespec *time) {
    int failed = (int)syscall(SYS_clock_gettime, clock, time);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += seconds_ahead();
    return failed;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    int failed = (int)syscall(SYS_gettimeofday, time, zone);
    if (!failed) time->tv_sec += seconds_ahead();
    return failed;
}

time_t time(time_t *seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds != NULL) *seconds = now.tv_sec;
    return now.tv_sec;
}

static struct timespec until(const struct timespec *deadline) {
    struct timespec real = *deadline;
    if (real.tv_sec > TIMES_OF_DAY) real.tv_sec -= seconds_ahead();
    return real;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict deadline) {
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (real == NULL) real = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    /* On x86-64 dlsym finds a function of the same name for programs of before 2003, with another layout of
       conditions. Elsewhere there is only one. */
    if (real == NULL) real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    struct timespec moved = until(deadline);
    return real(condition, mutex, &moved);
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict deadline) {
    static int (*real)(cnd_t *, mtx_t *, const struct timespec *);
    if (real == NULL) real = dlsym(RTLD_NEXT, "cnd_timedwait");
    struct timespec moved = until(deadline);
    return real(condition, mutex, &moved);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
    static int (*real)(sem_t *, const struct timespec *);
    if (real == NULL) real = dlsym(RTLD_NEXT, "sem_timedwait");
    struct timespec moved = until(deadline);
    return real(semaphore, &moved);
}
