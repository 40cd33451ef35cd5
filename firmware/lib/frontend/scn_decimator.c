/* SPDX-License-Identifier: MIT */
#include "scn_decimator.h"

#include "scn_decimator_taps.h"
#include "scn_dsp.h"

#include <string.h>

/* Samples of `line[1]` that an output needs. */
static inline uint32_t reach(const scn_fir_t *fir) {
    return 2u * fir->pairs + (fir->halfband ? 0u : 1u);
}

/* Where gcc may inline everything, it spills the registers of the loop. */
#define APART __attribute__((noinline))

#if SCN_DSP_LOOPS
/* Two taps: three double loads, two sums, two multiplications. The taps take the registers of the late samples. */
#define TWO_TAPS                                                                                                       \
    "ldrd %[a0], %[a1], [%[early]], #8\n\t"                                                                            \
    "ldrd %[b1], %[b0], [%[late]], #-8\n\t"                                                                            \
    "add %[a0], %[a0], %[b0]\n\t"                                                                                      \
    "add %[a1], %[a1], %[b1]\n\t"                                                                                      \
    "ldrd %[b0], %[b1], [%[taps]], #8\n\t"                                                                             \
    "smlal %Q[sum], %R[sum], %[a0], %[b0]\n\t"                                                                         \
    "smlal %Q[sum], %R[sum], %[a1], %[b1]\n\t"
#define TAKE(taps_text)                                                                                                \
    __asm__(taps_text                                                                                                  \
            : [a0] "=&r"(a0), [a1] "=&r"(a1), [b0] "=&r"(b0), [b1] "=&r"(b1), [sum] "+&r"(sum), [early] "+&r"(early),  \
              [late] "+&r"(late), [taps] "+&r"(taps)                                                                   \
            :                                                                                                          \
            : "memory")
#endif

/* `sum` plus each tap times the two samples it belongs to; `early` runs forwards and `late` backwards to the centre.
 * 24 bits times 32 do not fit SMLAD or SMLALD, which take halfwords: SMLAL is exact. */
static inline int64_t symmetric_sum(int64_t sum, const int32_t *early, const int32_t *late, const int32_t *taps,
                                    uint32_t pairs) {
#if SCN_DSP_LOOPS
    int32_t a0, a1, b0, b1;
    const int32_t *end = taps + pairs, *last_eight = end - 8;
    late -= 1;
    while (taps <= last_eight) {
        TAKE(TWO_TAPS TWO_TAPS TWO_TAPS TWO_TAPS);
    }
    while (taps != end) {
        TAKE(TWO_TAPS);
    }
#else
    for (uint32_t i = 0; i < pairs; i++) {
        sum += (int64_t)taps[i] * (*early++ + *late--);
    }
#endif
    return sum;
}

/* The filter over the samples before `end` of the line, `centre` being the one in the middle. */
static inline int32_t output(const scn_fir_t *fir, int32_t centre, const int32_t *end, uint32_t needed) {
    const int64_t sum = (int64_t)centre * fir->centre + (INT64_C(1) << (SCN_TAP_BITS - 1));
    return scn_sat24((int32_t)(symmetric_sum(sum, end - needed, end - 1, fir->outer, fir->pairs) >> SCN_TAP_BITS));
}

static void move_words(int32_t *to, const int32_t *from, uint32_t words) {
    for (uint32_t i = 0; i < words; i++) {
        to[i] = from[i];
        __asm volatile("" ::: "memory"); /* else gcc calls memmove, which newlib's nano variant does byte by byte */
    }
}

/* Make room at the ends of the lines: samples that are still needed move to their beginnings. */
static void move_up(scn_fir_stage_t *stage) {
    const uint32_t keep = reach(stage->fir), from = stage->end - keep;
    move_words(stage->line[1], stage->line[1] + from, keep);
    if (stage->fir->halfband) {
        move_words(stage->line[0], stage->line[0] + from, keep);
    }
    stage->end = (uint16_t)keep;
}

/* Take one sample; returns how many outputs it completed, 0 or 1. */
APART static size_t take(scn_fir_stage_t *stage, int32_t sample, int32_t *out) {
    const scn_fir_t *fir = stage->fir;
    const bool to_centre = fir->halfband && stage->phase == 0;
    stage->line[to_centre ? 0 : 1][stage->end] = sample;
    stage->end = (uint16_t)(stage->end + (to_centre ? 0u : 1u));
    stage->phase = (uint8_t)(stage->phase + 1u == fir->factor ? 0u : stage->phase + 1u);
    if (stage->phase != 0) {
        return 0;
    }
    const int32_t *end = stage->line[1] + stage->end;
    const int32_t centre = fir->halfband ? stage->line[0][stage->end - fir->pairs] : end[-1 - (int32_t)fir->pairs];
    *out = output(fir, centre, end, reach(fir));
    return 1;
}

/* Whole groups of `factor` samples from a phase of 0 on, one output each; the lines have room for them all. */
APART static void take_groups(scn_fir_stage_t *stage, const int32_t *in, size_t groups, int32_t *out) {
    const scn_fir_t fir = *stage->fir;
    const uint32_t needed = reach(&fir);
    int32_t *end = stage->line[1] + stage->end, *even = stage->line[0] + stage->end;
    for (const int32_t *last = out + groups; out < last; out++) {
        int32_t centre;
        if (fir.halfband) { /* in pairs, and all read before `out` may overwrite them */
            *even++ = in[0];
            *end++ = in[1];
            centre = even[-(int32_t)fir.pairs];
            in += 2;
        } else {
            for (uint32_t i = 0; i < fir.factor; i++) {
                *end++ = *in++;
            }
            centre = end[-1 - (int32_t)fir.pairs];
        }
        *out = output(&fir, centre, end, needed);
    }
    stage->end = (uint16_t)(end - stage->line[1]);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t push(scn_fir_stage_t *stage, const int32_t *in, size_t count, int32_t *out) {
    const size_t factor = stage->fir->factor, step = stage->fir->halfband ? 1u : factor;
    size_t made = 0, used = 0;
    while (used < count) {
        const size_t room = (size_t)(stage->size - stage->end) / step;
        const size_t groups = stage->phase == 0 ? least(room, (count - used) / factor) : 0u;
        if (groups > 0) {
            take_groups(stage, in + used, groups, out + made);
            used += groups * factor;
            made += groups;
        } else {
            if (stage->end == stage->size) {
                move_up(stage);
            }
            made += take(stage, in[used++], out + made);
        }
    }
    return made;
}

static const struct {
    uint32_t rate_in, rate_out;
    const scn_fir_t *fir[SCN_DECIMATOR_STAGES];
} chains[] = {SCN_DECIMATOR_CHAINS};

/* Append a stage, filled with silence. */
static bool add(scn_decimator_t *decimator, const scn_fir_t *fir) {
    const uint32_t size = reach(fir) + SCN_FIR_ROOM, words = fir->halfband ? 2u * size : size;
    if (decimator->stages == SCN_DECIMATOR_STAGES || decimator->used + words > SCN_DECIMATOR_WORDS) {
        return false;
    }
    int32_t *line = decimator->words + decimator->used;
    decimator->stage[decimator->stages++] = (scn_fir_stage_t){
        .fir = fir,
        .line = {line + (words - size), line}, /* the same line where there is only one */
        .size = (uint16_t)size,
        .end = (uint16_t)reach(fir),
    };
    decimator->used = (uint16_t)(decimator->used + words);
    return true;
}

void scn_decimator_begin(scn_decimator_t *decimator) {
    memset(decimator, 0, sizeof *decimator);
}

bool scn_decimator_extend(scn_decimator_t *decimator, uint32_t rate_in, uint32_t rate_out) {
    for (size_t way = 0; way < sizeof chains / sizeof *chains; way++) {
        if (chains[way].rate_in == rate_in && chains[way].rate_out == rate_out) {
            bool room = true;
            for (uint32_t i = 0; i < SCN_DECIMATOR_STAGES && chains[way].fir[i]; i++) {
                room = room && add(decimator, chains[way].fir[i]);
            }
            return room;
        }
    }
    return rate_in == rate_out;
}

size_t scn_decimator_push(scn_decimator_t *decimator, const int32_t *in, size_t count, int32_t *out) {
    for (uint32_t i = 0; i < decimator->stages; i++) {
        count = push(&decimator->stage[i], in, count, out);
        in = out;
    }
    if (in != out) { /* equal rates: no stage has written `out` */
        memmove(out, in, count * sizeof *out);
    }
    return count;
}
