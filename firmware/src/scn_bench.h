/* SPDX-License-Identifier: MIT */
/* Cost of a hop of audio at most, in processor cycles. */
#ifndef SCN_BENCH_H
#define SCN_BENCH_H

#include <stdint.h>

typedef struct {
    uint32_t samples;     /* per hop; 0 without a front end, as are the cycles then */
    uint64_t cycles;      /* the costliest hop of the known window: its samples and the columns that they complete */
    uint64_t link_cycles; /* receiving the samples of a hop in DATA frames: ring, decoding, checksums */
} scn_bench_hop_t;

/* Drop the unfinished window and compute the known one. */
scn_bench_hop_t scn_bench_hop(void);

#endif
