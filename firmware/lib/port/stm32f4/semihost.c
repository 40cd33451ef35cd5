/* SPDX-License-Identifier: MIT */
#include "semihost.h"

#include <string.h>

#define SYS_OPEN 0x01u
#define SYS_CLOSE 0x02u
#define SYS_WRITE 0x05u
#define SYS_READ 0x06u
#define SYS_EXIT_EXTENDED 0x20u
#define APPLICATION_EXIT 0x20026u

static int call(uint32_t operation, const void *arguments) {
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return (int)r0;
}

int scn_semihost_open(const char *path, scn_semihost_mode_t mode) {
    const uint32_t arguments[] = {(uint32_t)(uintptr_t)path, (uint32_t)mode, (uint32_t)strlen(path)};
    return call(SYS_OPEN, arguments);
}

static int transfer(uint32_t operation, int handle, uintptr_t bytes, size_t count) {
    const uint32_t arguments[] = {(uint32_t)handle, (uint32_t)bytes, (uint32_t)count};
    return call(operation, arguments);
}

int scn_semihost_read(int handle, void *bytes, size_t count) {
    return transfer(SYS_READ, handle, (uintptr_t)bytes, count);
}

int scn_semihost_write(int handle, const void *bytes, size_t count) {
    return transfer(SYS_WRITE, handle, (uintptr_t)bytes, count);
}

int scn_semihost_close(int handle) {
    const uint32_t arguments[] = {(uint32_t)handle};
    return call(SYS_CLOSE, arguments);
}

_Noreturn void scn_semihost_exit(int status) {
    const uint32_t arguments[] = {APPLICATION_EXIT, (uint32_t)status};
    for (;;) {
        call(SYS_EXIT_EXTENDED, arguments);
    }
}
