/* A table of 256 values a channel. */
#include "scn_segment.h"

static void map_row(const int8_t *table, int32_t count, int32_t step, const int8_t *input, int8_t *output) {
    const int8_t *middle = table + 128;
    for (int32_t i = 0; i < count; ++i) {
        output[i] = middle[input[i]];
        middle += step;
    }
}

void scn_map_s8(const scn_map_t *layer, const int8_t *input, int8_t *output) {
    if (layer->channels == 1) {
        map_row(layer->table, layer->pixels, 0, input, output);
        return;
    }
    for (int32_t pixel = 0; pixel < layer->pixels; ++pixel) {
        map_row(layer->table, layer->channels, 256, input, output);
        input += layer->channels;
        output += layer->channels;
    }
}
