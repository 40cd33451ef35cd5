/* SPDX-License-Identifier: MIT */
#include "scn_frontend.h"

#include "scn_dsp.h"
#include "scn_fft.h"
#include "scn_fft_m4.h"

/* log2 of power 0, Q16: far below any sound. */
#define LOG2_SILENCE (-(INT32_C(1) << 30))

/* Power of the bins between two band edges, weighted by the rising slope and unweighted. */
typedef struct {
    uint64_t rise, whole;
} segment_t;

/* The bits that the samples need besides their signs. */
static inline uint32_t magnitudes(const int32_t *samples, uint32_t count) {
#if SCN_DSP_ASM
    return scn_magnitudes_m4(samples, count);
#else
    uint32_t bits = 0;
    for (; count > 0; count--, samples++) {
        // cppcheck-suppress shiftTooManyBitsSigned ; arithmetic, see scn_frontend.h
        bits |= (uint32_t)(*samples ^ (*samples >> 31));
    }
    return bits;
#endif
}

/* Left shift that makes the loudest sample fill 32 bits: the block exponent plus 32 - sample_bits. It is 31, the
 * largest shift, where all samples are 0 or -1. */
static uint32_t block_shift(const scn_frontend_tables_t *tables, const int32_t *samples) {
    return scn_clz(magnitudes(samples, tables->n_fft)) - 1;
}

/* The product of a 61-bit power and a Q16 weight comes in halves; floored once. */
static inline segment_t sum_segment(const int32_t *power, const uint16_t *weight, uint32_t bins) {
    const scn_sums_t sums = scn_weighted_sums(power, weight, bins);
    return (segment_t){(sums.high << 16) + (sums.low >> 16), sums.whole};
}

/* log2 in Q16 by leading zeros and piecewise linear interpolation. */
static inline int32_t log2_q16(const uint16_t *table, uint64_t value) {
    if (value == 0) {
        return LOG2_SILENCE;
    }
    const uint32_t high_word = (uint32_t)(value >> 32), low_word = (uint32_t)value;
    uint32_t zeros = scn_clz(high_word), mantissa;
    if (high_word) {
        mantissa = (high_word << zeros) | ((low_word >> 1) >> (31 - zeros));
    } else {
        zeros += scn_clz(low_word);
        mantissa = low_word << (zeros - 32);
    }
    const uint32_t line = (mantissa >> 25) & 63, part = (mantissa >> 9) & 0xffff;
    const uint32_t rise = (uint16_t)(table[line + 1] - table[line]); /* modulo 2^16: the last entry wraps to 0 */
    return (int32_t)(((63 - zeros) << 16) + table[line] + ((rise * part + 0x8000) >> 16));
}

/* One multiplication, rounded once, and saturated. */
static inline int8_t to_int8(int32_t level, int32_t gain, int8_t floor) {
    const int32_t q = scn_mulr(level, gain) - 128;
    return (int8_t)(q < floor ? floor : q > 127 ? 127 : q);
}

/* Frame to bands; `column` or `log_mel` may be NULL. */
static void frame(const scn_frontend_tables_t *tables, const int32_t *samples, int32_t *work, int8_t *column,
                  size_t stride, int32_t *log_mel) {
    const uint32_t shift = block_shift(tables, samples);
    const int32_t exponent_q16 = ((int32_t)shift - 32 + tables->sample_bits) * 2 * 65536;
    scn_fft_power(tables, samples, shift, work);
    const int32_t *power = work + 2 * tables->first_bin, *gain = tables->gain;
    const uint16_t *weight = tables->weight;
    const int8_t *floor = tables->floor;
    segment_t below = sum_segment(power, weight, tables->bins[0]);
    for (uint32_t band = 0; band < tables->n_mels; band++) {
        const uint32_t bins = tables->bins[band], above_bins = tables->bins[band + 1];
        weight += bins;
        power += 2 * bins;
        const segment_t above = sum_segment(power, weight, above_bins);
        const uint64_t energy = below.rise + (above.whole - above.rise);
        const int32_t level = log2_q16(tables->log2, energy) - exponent_q16 - tables->base[band];
        if (log_mel) {
            log_mel[band] = level;
        } else {
            *column = to_int8(level, *gain, *floor);
            column += stride;
        }
        gain += tables->band_step;
        floor += tables->band_step;
        below = above;
    }
}

void scn_frontend_frame(const scn_frontend_tables_t *tables, const int32_t *samples, int32_t *work, int8_t *column,
                        size_t stride) {
    frame(tables, samples, work, column, stride, NULL);
}

void scn_frontend_log_mel(const scn_frontend_tables_t *tables, const int32_t *samples, int32_t *work,
                          int32_t *log_mel) {
    frame(tables, samples, work, NULL, 0, log_mel);
}
