/* SPDX-License-Identifier: MIT */
/* Iterates over two operands and one dense output; private to the kernels. */
#ifndef SCN_BROADCAST_H
#define SCN_BROADCAST_H

#include "scn_elementwise_ops.h"

/* One row along the last dim: `count` values of out, from a with step stride1 and b with step stride2. */
typedef void (*scn_broadcast_row_t)(const void *layer, int32_t count, const int8_t *a, int32_t stride1, const int8_t *b,
                                    int32_t stride2, int8_t *out);

/* Calls `row` from the first row to the last, so that an output may overwrite an operand of its own shape. */
void scn_broadcast_rows(const scn_broadcast_t *shape, scn_broadcast_row_t row, const void *layer, const int8_t *a,
                        const int8_t *b, int8_t *out);

#endif
