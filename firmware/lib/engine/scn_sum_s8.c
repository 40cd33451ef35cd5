/* ADD of two whole maps. */
#include "scn_finish.h"

void scn_sum_s8(const scn_sum_t *layer, const int8_t *input1, const int8_t *input2, int8_t *output) {
    const scn_requant_t by = {layer->multiplier, layer->right, layer->added};
    const int32_t *table = layer->table + 128;
    for (const int8_t *end = input1 + layer->elements; input1 < end;) {
        *output++ = scn_finish(by, *input1++ * (1 << 20) + table[*input2++]);
    }
}
