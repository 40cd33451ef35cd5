/* SPDX-License-Identifier: MIT */
/* Prints what one inference, and one frame of the front end, take on a board: processor cycles by the DWT's CYCCNT
 * (ARMv7-M architecture reference manual, C1.8), which counts wait states of flash and stalls of the pipeline. A line a
 * second on the console, such as "cycles esc10_sm1 168000000 Hz: inference 19355005 frame 173588".
 *
 * QEMU has no such counter: its CYCCNT stays 0, and the line says so. `pio run -e cycles -t upload` flashes it.
 */
#include "scn_engine.h"
#include "scn_model.h"
#include "scn_port.h"

#include <string.h>

#if __has_include("scn_frontend_tables.h")
#include "scn_clip.h"
#include "scn_frontend_tables.h"
static int32_t samples[SCN_FRONTEND_N_FFT];
static _Alignas(8) int32_t work[SCN_FRONTEND_WORK_BYTES / sizeof(int32_t)];
static int8_t features[SCN_FRONTEND_FEATURES_BYTES];
#endif

#define DEMCR (*(volatile uint32_t *)0xE000EDFCu)
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL (*(volatile uint32_t *)0xE0001000u)
#define DWT_CYCCNT (*(volatile uint32_t *)0xE0001004u)

_Alignas(16) static uint8_t arena[SCN_MODEL_ARENA_BYTES];

static void noise(uint8_t *bytes, size_t count) {
    static uint32_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[i] = (uint8_t)state;
    }
}

static uint32_t inference(void) {
    noise(arena + scn_model.input_offset, scn_model.input_bytes);
    const uint32_t start = DWT_CYCCNT;
    scn_model_run(&scn_model, arena, NULL, NULL);
    return DWT_CYCCNT - start;
}

static uint32_t frame(void) {
#ifdef SCN_FRONTEND_N_FFT
    for (size_t i = 0; i < SCN_FRONTEND_N_FFT; i++) {
        int16_t sample;
        noise((uint8_t *)&sample, sizeof sample);
        samples[i] = sample;
    }
    const uint32_t start = DWT_CYCCNT;
    scn_frontend_frame(&scn_frontend_tables, samples, work, features, SCN_FRONTEND_FRAMES);
    return DWT_CYCCNT - start;
#else
    return 0;
#endif
}

static void print(const char *text) {
    scn_port_write(text, strlen(text));
}

static void print_number(uint32_t value) {
    char digits[11];
    char *at = digits + sizeof digits - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    print(at);
}

static void ignore(void *context, uint8_t byte) {
    (void)context;
    (void)byte;
}

int main(void) {
    scn_port_init(ignore, NULL);
    DEMCR |= DEMCR_TRCENA;
    DWT_CYCCNT = 0;
    DWT_CTRL |= 1u; /* CYCCNTENA */
    for (uint32_t second = 1;; second++) {
        print("cycles " SCN_MODEL_NAME " ");
        print_number(scn_port_cpu_hz());
        print(" Hz: inference ");
        print_number(inference());
        print(" frame ");
        print_number(frame());
        print(DWT_CYCCNT ? "\r\n" : " (no counter: QEMU)\r\n");
        while (scn_port_cycles() < (uint64_t)second * scn_port_cpu_hz()) {
            scn_port_alive();
        }
    }
}
