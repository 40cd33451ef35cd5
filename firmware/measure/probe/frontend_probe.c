/* SPDX-License-Identifier: MIT */
/* Runs the front end on the emulated board for tests and measurements: reads the file "clips" (int32 samples, clip
 * after clip) and writes "features" (each clip's INT8 map) and "cycles" (uint64: one frame, then the whole clip). */
#include "scn_clip.h"
#include "scn_frontend_tables.h"
#include "scn_port.h"
#include "semihost.h"

/* Deliberately odd: blocks match neither hop nor frame. */
#define BLOCK_SAMPLES 333u

#define SMALLER(a, b) ((a) < (b) ? (a) : (b))

static int32_t block[BLOCK_SAMPLES], first[SCN_FRONTEND_N_FFT], history[SCN_FRONTEND_HISTORY_BYTES / 4];
static _Alignas(8) int32_t work[SCN_FRONTEND_WORK_BYTES / 4];
static int8_t features[SCN_FRONTEND_FEATURES_BYTES];
static scn_clip_t clip;

static void ignore(void *context, uint8_t byte) {
    (void)context;
    (void)byte;
}

/* Take a block; keep the clip's first frame for a separate measurement. Returns the cycles that the block took. */
static uint64_t push(uint32_t count) {
    for (uint32_t i = 0; i < count && clip.taken + i < SCN_FRONTEND_N_FFT; i++) {
        first[clip.taken + i] = block[i];
    }
    const uint64_t start = scn_port_cycles();
    for (uint32_t used = 0; used < count;) {
        used += (uint32_t)scn_clip_push(&clip, block + used, count - used);
    }
    return scn_port_cycles() - start;
}

static uint64_t measure_frame(void) {
    const uint64_t start = scn_port_cycles();
    scn_frontend_frame(&scn_frontend_tables, first, work, features, SCN_FRONTEND_FRAMES);
    return scn_port_cycles() - start;
}

/* One clip from file to file; false at the end of the input. */
static bool run(int clips, int maps, int counts) {
    uint64_t cycles[2] = {0, 0};
    scn_clip_begin(&clip, &scn_frontend_tables, history, work, features);
    while (!scn_clip_done(&clip)) {
        const uint32_t count = SMALLER(BLOCK_SAMPLES, SCN_FRONTEND_CLIP_SAMPLES - clip.taken);
        if (scn_semihost_read(clips, block, count * sizeof *block) != 0) {
            return false;
        }
        cycles[1] += push(count);
    }
    scn_semihost_write(maps, features, sizeof features);
    cycles[0] = measure_frame();
    scn_semihost_write(counts, cycles, sizeof cycles);
    return true;
}

int main(void) {
    scn_port_init(ignore, NULL);
    const int clips = scn_semihost_open("clips", SCN_SEMIHOST_READ);
    const int maps = scn_semihost_open("features", SCN_SEMIHOST_WRITE);
    const int counts = scn_semihost_open("cycles", SCN_SEMIHOST_WRITE);
    while (run(clips, maps, counts)) {
    }
    scn_semihost_close(maps);
    scn_semihost_close(counts);
    scn_port_exit(clips < 0 || maps < 0 || counts < 0);
}
