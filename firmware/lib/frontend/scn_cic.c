/* SPDX-License-Identifier: MIT */
#include "scn_cic.h"

#include "scn_cic_table.h"
#include "scn_dsp.h"

#define ALTERNATING 0x55555555u

/* Integrators and combs together are a filter of 76 taps. Its output is looked up four bits at a time, which takes a
 * third of the instructions of 80 additions per 16 bits. */
#define LOOK_UP(bits, nibble, quartet) scn_cic_table[nibble][(bits) >> (4u * (quartet)) & 15u]
#define LOOK_UP_FOUR(bits, nibble, quartet)                                                                            \
    (LOOK_UP(bits, (nibble), (quartet)) + LOOK_UP(bits, (nibble) + 1u, (quartet) + 1u) +                               \
     LOOK_UP(bits, (nibble) + 2u, (quartet) + 2u) + LOOK_UP(bits, (nibble) + 3u, (quartet) + 3u))
_Static_assert(sizeof scn_cic_table / sizeof *scn_cic_table == 19u, "what is looked up below");

void scn_cic_begin(scn_cic_t *cic) {
    cic->newest = cic->middle = cic->oldest = ALTERNATING;
}

static inline int32_t output(const scn_cic_t *cic) {
    const uint32_t newest = cic->newest, middle = cic->middle, oldest = cic->oldest;
    return LOOK_UP_FOUR(newest, 0u, 0u) + LOOK_UP_FOUR(newest, 4u, 4u) + LOOK_UP_FOUR(middle, 8u, 0u) +
           LOOK_UP_FOUR(middle, 12u, 4u) + LOOK_UP(oldest, 16u, 0u) + LOOK_UP(oldest, 17u, 1u) +
           LOOK_UP(oldest, 18u, 2u);
}

void scn_cic_push(scn_cic_t *cic, const uint16_t *words, size_t count, int32_t *out) {
    scn_cic_t at = *cic;
    for (size_t i = 0; i < count; i++) {
        at.oldest = at.oldest << 16 | at.middle >> 16;
        at.middle = at.middle << 16 | at.newest >> 16;
        at.newest = at.newest << 16 | words[i];
        out[i] = scn_sat24(output(&at));
    }
    *cic = at;
}
