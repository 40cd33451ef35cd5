#include "scn_decimator.h"

#include "scn_decimator_taps.h"
#include "scn_dsp.h"

#include <string.h>

#define CIC_ORDER 5u
#define CIC_SHIFT 3u /* 16^5 becomes 2^23 */
#define SAMPLE_MOST 0x7fffff

/* Samples of `line[1]` that an output needs. */
static uint32_t reach(const scn_fir_t *fir) {
    return 2u * fir->pairs + (fir->halfband ? 0u : 1u);
}

static int32_t limited(int32_t value) {
    if (value > SAMPLE_MOST) {
        return SAMPLE_MOST;
    }
    return value < -SAMPLE_MOST - 1 ? -SAMPLE_MOST - 1 : value;
}

/* `sum` plus each tap times the two samples it belongs to; `early` runs forwards and `late` backwards to the centre. */
static inline int64_t symmetric_sum(int64_t sum, const int32_t *early, const int32_t *late, const int32_t *taps,
                                    uint32_t pairs) {
#if SCN_DSP_LOOPS
    const int32_t *end = taps + pairs;
    late -= 1;
    do { /* two taps: three double loads, two sums, two multiplications */
        int32_t a0, a1, b0, b1, t0, t1;
        __asm__("ldrd %[a0], %[a1], [%[early]], #8\n\t"
                "ldrd %[b1], %[b0], [%[late]], #-8\n\t"
                "ldrd %[t0], %[t1], [%[taps]], #8\n\t"
                "add %[a0], %[a0], %[b0]\n\t"
                "add %[a1], %[a1], %[b1]\n\t"
                "smlal %Q[sum], %R[sum], %[a0], %[t0]\n\t"
                "smlal %Q[sum], %R[sum], %[a1], %[t1]"
                : [a0] "=&r"(a0), [a1] "=&r"(a1), [b0] "=&r"(b0), [b1] "=&r"(b1), [t0] "=&r"(t0), [t1] "=&r"(t1),
                  [sum] "+&r"(sum), [early] "+&r"(early), [late] "+&r"(late), [taps] "+&r"(taps)
                :
                : "memory");
    } while (taps != end);
#else
    for (uint32_t i = 0; i < pairs; i++) {
        sum += (int64_t)taps[i] * (*early++ + *late--);
    }
#endif
    return sum;
}

static inline int32_t output(const scn_fir_stage_t *stage) {
    const scn_fir_t *fir = stage->fir;
    const int32_t *end = stage->line[1] + stage->end;
    const int32_t centre = fir->halfband ? stage->line[0][stage->end - fir->pairs] : end[-1 - (int32_t)fir->pairs];
    const int64_t sum = (int64_t)centre * fir->centre + (INT64_C(1) << (SCN_TAP_BITS - 1));
    return limited((int32_t)(symmetric_sum(sum, end - reach(fir), end - 1, fir->outer, fir->pairs) >> SCN_TAP_BITS));
}

static void move_words(int32_t *to, const int32_t *from, uint32_t words) {
    for (uint32_t i = 0; i < words; i++) {
        to[i] = from[i];
        __asm volatile("" ::: "memory"); /* else gcc calls memmove, which newlib's nano variant does byte by byte */
    }
}

/* Make room at the lines' ends: what is still needed moves to their beginnings. */
static void move_up(scn_fir_stage_t *stage) {
    const uint32_t keep = reach(stage->fir), from = stage->end - keep;
    move_words(stage->line[1], stage->line[1] + from, keep);
    if (stage->fir->halfband) {
        move_words(stage->line[0], stage->line[0] + from, keep);
    }
    stage->end = (uint16_t)keep;
}

/* Take one sample; true where an output is due. */
static inline bool take(scn_fir_stage_t *stage, int32_t sample) {
    if (stage->end == SCN_FIR_LINE) {
        move_up(stage);
    }
    const bool to_centre = stage->fir->halfband && stage->phase == 0;
    stage->line[to_centre ? 0 : 1][stage->end] = sample;
    stage->end = (uint16_t)(stage->end + (to_centre ? 0u : 1u));
    stage->phase = (uint8_t)(stage->phase + 1u == stage->fir->factor ? 0u : stage->phase + 1u);
    return stage->phase == 0;
}

/* As many whole pairs as there is room for, at the beginning of a pair; returns how many outputs they gave. */
static size_t push_pairs(scn_fir_stage_t *stage, const int32_t *in, size_t pairs, int32_t *out) {
    const size_t room = SCN_FIR_LINE - stage->end, made = pairs < room ? pairs : room;
    for (size_t i = 0; i < made; i++) {
        const int32_t even = in[2u * i], odd = in[2u * i + 1u]; /* both, before `out` may overwrite them */
        stage->line[0][stage->end] = even;
        stage->line[1][stage->end++] = odd;
        out[i] = output(stage);
    }
    return made;
}

static size_t push(scn_fir_stage_t *stage, const int32_t *in, size_t count, int32_t *out) {
    size_t made = 0, used = 0;
    while (used < count) {
        if (stage->fir->halfband && stage->phase == 0 && stage->end < SCN_FIR_LINE && count - used >= 2) {
            const size_t more = push_pairs(stage, in + used, (count - used) / 2u, out + made);
            made += more;
            used += 2u * more;
        } else if (take(stage, in[used++])) {
            out[made++] = output(stage);
        }
    }
    return made;
}

static const struct {
    uint32_t rate_in, rate_out;
    const scn_fir_t *fir[SCN_DECIMATOR_STAGES];
} chains[] = {SCN_DECIMATOR_CHAINS};

static void begin(scn_fir_stage_t *stage, const scn_fir_t *fir) {
    memset(stage, 0, sizeof *stage);
    stage->fir = fir;
    stage->end = (uint16_t)reach(fir);
}

bool scn_decimator_begin(scn_decimator_t *decimator, uint32_t rate_in, uint32_t rate_out) {
    decimator->stages = 0;
    for (size_t way = 0; way < sizeof chains / sizeof *chains; way++) {
        if (chains[way].rate_in != rate_in || chains[way].rate_out != rate_out) {
            continue;
        }
        for (uint32_t i = 0; i < SCN_DECIMATOR_STAGES && chains[way].fir[i]; i++) {
            begin(&decimator->stage[decimator->stages++], chains[way].fir[i]);
        }
        return true;
    }
    return false;
}

size_t scn_decimator_push(scn_decimator_t *decimator, const int32_t *in, size_t count, int32_t *out) {
    for (uint32_t i = 0; i < decimator->stages; i++) {
        count = push(&decimator->stage[i], in, count, out);
        in = out;
    }
    return count;
}

void scn_cic_begin(scn_cic_t *cic) {
    memset(cic, 0, sizeof *cic);
}

/* One bit into the sums, each of which adds the one before it: +1 where it is set, -1 where it is clear. */
#define ADD_BIT(n)                                                                                                     \
    a += 2u * (byte >> (7u - (n)) & 1u) - 1u;                                                                          \
    b += a;                                                                                                            \
    c += b;                                                                                                            \
    d += c;                                                                                                            \
    e += d

static void add_bits(scn_cic_t *cic, uint32_t byte) {
    uint32_t a = cic->sum[0], b = cic->sum[1], c = cic->sum[2], d = cic->sum[3], e = cic->sum[4];
    ADD_BIT(0u);
    ADD_BIT(1u);
    ADD_BIT(2u);
    ADD_BIT(3u);
    ADD_BIT(4u);
    ADD_BIT(5u);
    ADD_BIT(6u);
    ADD_BIT(7u);
    cic->sum[0] = a, cic->sum[1] = b, cic->sum[2] = c, cic->sum[3] = d, cic->sum[4] = e;
}

static int32_t difference(scn_cic_t *cic) {
    uint32_t value = cic->sum[CIC_ORDER - 1u];
    for (uint32_t i = 0; i < CIC_ORDER; i++) {
        const uint32_t now = value;
        value -= cic->before[i];
        cic->before[i] = now;
    }
    return limited((int32_t)(value << CIC_SHIFT));
}

size_t scn_cic_push(scn_cic_t *cic, const uint8_t *bytes, size_t count, int32_t *out) {
    size_t made = 0;
    for (size_t i = 0; i < count; i++) {
        add_bits(cic, bytes[i]);
        if (cic->odd) {
            out[made++] = difference(cic);
        }
        cic->odd = !cic->odd;
    }
    return made;
}
