/* SPDX-License-Identifier: MIT */
/* Loaded before libc (LD_PRELOAD): counts the calls of this process that change files below a folder, and from one of
 * them on lets all fail with an error of choice, as a disk that is full or has become read-only does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static long first, seen;
static int error;

void disk_arm(const char *place, long first_call, int number);
long disk_seen(void);

/* From now on, count calls below `place`; from the `first_call`-th on (0: never), they fail with errno `number`. */
void disk_arm(const char *place, long first_call, int number) {
    snprintf(folder, sizeof folder, "%s/", place);
    first = first_call;
    seen = 0;
    error = number;
}

long disk_seen(void) {
    return seen;
}

static bool refused(void) {
    seen++;
    if (first == 0 || seen < first) {
        return false;
    }
    errno = error;
    return true;
}

static bool below(const char *path) {
    char whole[2 * PATH_MAX];
    if (folder[0] == '\0' || path == NULL) {
        return false;
    }
    if (path[0] != '/') {
        const char *here = getcwd(whole, PATH_MAX);
        const size_t used = here ? strlen(whole) : 0;
        snprintf(whole + used, sizeof whole - used, "/%s", path);
        path = whole;
    }
    return strncmp(path, folder, strlen(folder)) == 0;
}

static bool refuses_path(const char *path) {
    return below(path) && refused();
}

static bool refuses_handle(int handle) {
    char link[64], path[PATH_MAX];
    if (folder[0] == '\0' || handle <= STDERR_FILENO) { /* what is said is no file of the command's */
        return false;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    const ssize_t length = readlink(link, path, sizeof path - 1u);
    if (length <= 0) {
        return false;
    }
    path[length] = '\0';
    return below(path) && refused();
}

#define REAL(result, name, ...) result (*real)(__VA_ARGS__) = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        REAL(int, name, const char *, int, ...);                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                  \
        va_end(rest);                                                                                                  \
        return flags & (O_WRONLY | O_RDWR | O_CREAT) && refuses_path(path) ? -1 : real(path, flags, mode);             \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int handle, const void *bytes, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    return refuses_handle(handle) ? -1 : real(handle, bytes, count);
}

ssize_t writev(int handle, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return refuses_handle(handle) ? -1 : real(handle, parts, count);
}

int ftruncate64(int handle, off64_t size) {
    REAL(int, ftruncate64, int, off64_t);
    return refuses_handle(handle) ? -1 : real(handle, size);
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    return refuses_path(path) ? -1 : real(path, mode);
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    return refuses_path(to) ? -1 : real(from, to);
}

/* A full disk lets files be removed; one that is read-only does not. */
int unlink(const char *path) {
    REAL(int, unlink, const char *);
    return error == EROFS && refuses_path(path) ? -1 : real(path);
}
