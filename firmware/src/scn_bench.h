/* SPDX-License-Identifier: MIT */
/* What a hop of audio costs at most, in processor cycles. */
#ifndef SCN_BENCH_H
#define SCN_BENCH_H

#include <stdint.h>

typedef struct {
    uint32_t samples; /* in a hop; 0 without a front end, and then there is no cost either */
    uint64_t cycles; /* the costliest hop of the known window: its samples, one by one, and the columns they complete */
    uint64_t link_cycles; /* to get a hop's samples out of DATA frames: ring, decoding, checksums */
} scn_bench_hop_t;

/* Drops the unfinished window, and makes the known one complete. */
scn_bench_hop_t scn_bench_hop(void);

#endif
