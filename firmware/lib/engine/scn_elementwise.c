/* Broadcasting for ADD, MUL and PRELU. */
#include "scn_elementwise.h"

static int32_t at(const int32_t stride[4], const int32_t index[3]) {
    return index[0] * stride[0] + index[1] * stride[1] + index[2] * stride[2];
}

void scn_for_rows(const scn_broadcast_t *shape, scn_row_t row, const void *layer, const int8_t *a, const int8_t *b,
                  int8_t *out) {
    const int32_t count = shape->size[3];
    int32_t index[3];
    for (index[0] = 0; index[0] < shape->size[0]; ++index[0]) {
        for (index[1] = 0; index[1] < shape->size[1]; ++index[1]) {
            for (index[2] = 0; index[2] < shape->size[2]; ++index[2]) {
                row(layer, count, a + at(shape->stride1, index), shape->stride1[3], b + at(shape->stride2, index),
                    shape->stride2[3], out);
                out += count;
            }
        }
    }
}
