/* SPDX-License-Identifier: MIT */
/* ARM semihosting: files and exit status of the computer, for a program in the emulator or under a debugger. */
#ifndef SCN_SEMIHOST_H
#define SCN_SEMIHOST_H

#include <stddef.h>
#include <stdint.h>

/* How scn_semihost_open opens a file; the numbers are fopen's "rb" and "wb" in the semihosting specification. */
typedef enum { SCN_SEMIHOST_READ = 1, SCN_SEMIHOST_WRITE = 5 } scn_semihost_mode_t;

/* Open a file of the computer, relative to the emulator's working folder. Returns a handle, or -1. */
int scn_semihost_open(const char *path, scn_semihost_mode_t mode);

/* Read or write exactly `count` bytes. Return 0, or the number of bytes that are missing. */
int scn_semihost_read(int handle, void *bytes, size_t count);
int scn_semihost_write(int handle, const void *bytes, size_t count);

int scn_semihost_close(int handle);

/* End the emulator with an exit status of 0 to 255. */
_Noreturn void scn_semihost_exit(int status);

#endif
