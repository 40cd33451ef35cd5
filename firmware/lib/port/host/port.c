/* This computer as a machine: the console is stdin and stdout, so the firmware's program can be tested and fuzzed. */
#define _POSIX_C_SOURCE 200809L
#include "scn_port.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NANOSECONDS 1000000000u

static scn_port_receive_t receive_byte;
static void *receive_context;

void scn_port_init(scn_port_receive_t receive, void *context) {
    receive_byte = receive;
    receive_context = context;
}

const char *scn_port_board(void) {
    return "host";
}

scn_port_clock_t scn_port_clock(void) {
    return SCN_PORT_CLOCK_EMULATED;
}

/* A "cycle" is a nanosecond. */
uint32_t scn_port_cpu_hz(void) {
    return NANOSECONDS;
}

uint64_t scn_port_cycles(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

void scn_port_write(const void *bytes, size_t count) {
    const char *rest = bytes;
    while (count > 0) {
        const ssize_t written = write(STDOUT_FILENO, rest, count);
        if (written <= 0) {
            exit(EXIT_FAILURE); /* nobody reads any more */
        }
        rest += written;
        count -= (size_t)written;
    }
}

void scn_port_wait(scn_port_idle_t idle, void *context) {
    uint8_t bytes[256];
    if (!idle(context)) {
        return;
    }
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count <= 0) {
        exit(EXIT_SUCCESS);
    }
    for (ssize_t i = 0; i < count; i++) {
        receive_byte(receive_context, bytes[i]);
    }
}

scn_port_memory_t scn_port_memory(void) {
    return (scn_port_memory_t){0};
}

scn_port_reset_t scn_port_reset(void) {
    return SCN_PORT_RESET_UNKNOWN;
}

scn_port_crash_t scn_port_crash(void) {
    return (scn_port_crash_t){0};
}

void scn_port_survived(void) {}

scn_port_image_t scn_port_image(void) {
    return (scn_port_image_t){0};
}

/* Who runs the program here also watches it. */
void scn_port_watch(void) {}

void scn_port_alive(void) {}

_Noreturn void scn_port_exit(int status) {
    exit(status);
}
