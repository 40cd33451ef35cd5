// SPDX-License-Identifier: MIT
// What a program sees of TensorFlow Lite Micro's header of this name, for the test of the bundle's example.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace tflite {

struct Model {};

// The real one takes any address; its kernels read weights of a file that is aligned to 16 bytes and has the mark.
inline const Model *GetModel(const void *buf) {
    const bool marked = std::memcmp(static_cast<const char *>(buf) + 4, "TFL3", 4) == 0;
    if (!marked || reinterpret_cast<std::uintptr_t>(buf) % 16 != 0) {
        std::abort();
    }
    return static_cast<const Model *>(buf);
}

} // namespace tflite
