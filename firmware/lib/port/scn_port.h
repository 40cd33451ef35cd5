/* SPDX-License-Identifier: MIT */
/* The hardware interface of the firmware. One folder beside this header implements it for each family: stm32f4 (also in
 * QEMU, which is recognised at run time) and host (this computer: stdin and stdout).
 *
 * All functions are called from the main loop, never from an interrupt, unless they say otherwise.
 */
#ifndef SCN_PORT_H
#define SCN_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Console speed, bits per second; 8 data bits, no parity, 1 stop bit. */
#define SCN_PORT_BAUD 921600u

/* Where the processor's clock comes from. */
typedef enum {
    SCN_PORT_CLOCK_EXTERNAL, /* the board's crystal through the PLL */
    /* The crystal did not start: the internal 16 MHz oscillator, through the PLL if it locked. */
    SCN_PORT_CLOCK_INTERNAL,
    SCN_PORT_CLOCK_EMULATED, /* no clock hardware: cycles are emulated time, not a latency */
} scn_port_clock_t;

/* Memory use of the running program, bytes. Static RAM excludes the stack; the peak is what the stack has touched. */
typedef struct {
    uint32_t flash_bytes;
    uint32_t ram_bytes;
    uint32_t stack_bytes;
    uint32_t stack_peak_bytes;
} scn_port_memory_t;

/* Why the program started. */
typedef enum {
    SCN_PORT_RESET_UNKNOWN, /* no information, as in QEMU and on a computer */
    SCN_PORT_RESET_POWER,
    SCN_PORT_RESET_PIN,
    SCN_PORT_RESET_SOFTWARE, /* the program itself: after a crash */
    SCN_PORT_RESET_WATCHDOG,
    SCN_PORT_RESET_LOW_POWER,
} scn_port_reset_t;

/* What ended a run. */
typedef enum {
    SCN_PORT_CRASH_FAULT,    /* the processor refused an access or an instruction */
    SCN_PORT_CRASH_STACK,    /* the stack grew into its guard, or below it */
    SCN_PORT_CRASH_WATCHDOG, /* the program did not call scn_port_alive for too long */
    SCN_PORT_CRASH_FLASH,    /* the image no longer has the checksum that it was sealed with */
    SCN_PORT_CRASH_CLOCK,    /* the external clock stopped while it was used */
    SCN_PORT_CRASH_RAM,      /* a setting in RAM no longer has the checksum that it had */
} scn_port_crash_cause_t;

/* The record of a crash. `pc` and `lr` are 0 where there is no exception frame to read them from: after most stack
 * overflows, and after a reset by the independent watchdog. `address` is what was accessed; 0 where that is not
 * known. */
typedef struct {
    uint32_t count; /* crashes in a row, this one included; 0: there was none */
    uint32_t cause; /* scn_port_crash_cause_t */
    uint32_t exception, pc, lr, cfsr, hfsr, address;
} scn_port_crash_t;

/* For static variables that hold settings: written at boot and by commands, read for ever. They lie together, so that the
 * main loop can watch them (scn_port_settings). */
#ifdef __arm__
#define SCN_PORT_SETTING __attribute__((section(".bss.settings")))
#else
#define SCN_PORT_SETTING
#endif

/* All variables of SCN_PORT_SETTING; none on a computer. */
typedef struct {
    const void *bytes;
    size_t count;
} scn_port_settings_t;

/* The program in flash, and the CRC-32 with which it was sealed after linking. No bytes and 0, which is their CRC-32,
 * where the program does not lie in flash. */
typedef struct {
    const void *bytes;
    size_t count;
    uint32_t crc32;
} scn_port_image_t;

/* Called for every received byte, from the receive interrupt. */
typedef void (*scn_port_receive_t)(void *context, uint8_t byte);

/* Whether there is nothing to do; called with interrupts off. */
typedef bool (*scn_port_idle_t)(void *context);

/* The kind of the board's microphone. */
typedef enum {
    SCN_PORT_MICROPHONE_NONE, /* also in QEMU, whatever the board has */
    /* Blocks of frames, 4 halfwords each: the 24 bits of the left channel, most significant first, left-aligned in two
     * halfwords; then those of the right channel. */
    SCN_PORT_MICROPHONE_I2S,
    /* Blocks of words of 16 bits at 1.024 MHz, the first bit in the most significant place. */
    SCN_PORT_MICROPHONE_PDM,
} scn_port_microphone_t;

/* Halfwords per block: 4 ms of PDM, or of I2S at 16 kHz. */
#define SCN_PORT_MICROPHONE_HALFWORDS 256u

/* Called from the microphone's interrupt with a block; NULL where samples were lost, after which no more blocks come
 * until the microphone is started again. */
typedef void (*scn_port_block_t)(void *context, const uint16_t *block);

/* Start clocks, cycle counter and console. Every wait is bounded: a clock that does not start is replaced by the next
 * best. `receive` must stay valid for ever. Call once, first. */
void scn_port_init(scn_port_receive_t receive, void *context);

/* Name of the board: that of its folder. */
const char *scn_port_board(void);

scn_port_clock_t scn_port_clock(void);

/* Processor clock, Hz. */
uint32_t scn_port_cpu_hz(void);

/* Processor cycles since scn_port_init; never wraps in practice (64 bits). In QEMU under `-icount shift=0`, one
 * instruction is one nanosecond of emulated time: instructions = cycles * 1e9 / scn_port_cpu_hz(). */
uint64_t scn_port_cycles(void);

/* Bytes that the console received with a framing or noise error or lost in an overrun, since scn_port_init. A damaged
 * byte is delivered as one that no text and no valid frame holds; a break (framing error, all bits 0) as 0x00. */
uint32_t scn_port_line_errors(void);

/* Send bytes to the console; returns once the last one is in the transmitter. */
void scn_port_write(const void *bytes, size_t count);

/* Sleep until the next interrupt, unless `idle` says that there is work. No byte can arrive between question and
 * sleep. */
void scn_port_wait(scn_port_idle_t idle, void *context);

scn_port_microphone_t scn_port_microphone(void);

/* Start the microphone, or start it again; an I2S one at `rate`: 16000, 32000 or 48000 Hz. `on_block` must stay valid
 * until the microphone is stopped. False, within 50 ms, where there is none or it does not start. */
bool scn_port_microphone_start(uint32_t rate, scn_port_block_t on_block, void *context);

/* No call of `on_block` comes after this. */
void scn_port_microphone_stop(void);

/* The board's LED, where it has one. */
void scn_port_led(bool on);

scn_port_memory_t scn_port_memory(void);

/* Why this run started. */
scn_port_reset_t scn_port_reset(void);

/* The crash that ended the previous run, kept in memory across the reset. */
scn_port_crash_t scn_port_crash(void);

/* The linked image: code, tables, weights. */
scn_port_image_t scn_port_image(void);

/* End this run as a crash does: store a record with this cause, print it, reset. */
__attribute__((noreturn)) void scn_port_fail(scn_port_crash_cause_t cause);

scn_port_settings_t scn_port_settings(void);

/* Start the watchdogs: a program that does not call scn_port_alive for 100 * 2^24 processor cycles (10 s at 168 MHz) is
 * reset, with a crash record of the place where it hung. */
void scn_port_watch(void);

/* Refresh the watchdogs: at least before each inference, and whenever a byte was received or a sleep has ended. */
void scn_port_alive(void);

/* The boot was successful: the next crash counts from 1 again. */
void scn_port_survived(void);

/* End the program. The emulator and the host exit with `status`; a board stops until it is reset. */
__attribute__((noreturn)) void scn_port_exit(int status);

#ifdef __cplusplus
}
#endif

#endif
