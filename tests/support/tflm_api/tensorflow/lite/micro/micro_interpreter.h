// SPDX-License-Identifier: MIT
// What a program sees of TensorFlow Lite Micro's header of this name. It computes nothing: INPUT_BYTES of features go to
// the file "features", and output I has the value I.
#pragma once

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>

union TfLitePtrUnion {
    float *f;
    std::uint8_t *uint8;
    std::int8_t *int8;
    void *data;
};

struct TfLiteTensor {
    TfLitePtrUnion data;
};

namespace tflite {

class MicroResourceVariables;
class MicroProfilerInterface;

class MicroInterpreter {
  public:
    MicroInterpreter(const Model *model, const MicroOpResolver &op_resolver, std::uint8_t *tensor_arena,
                     std::size_t tensor_arena_size, MicroResourceVariables *resource_variables = nullptr,
                     MicroProfilerInterface *profiler = nullptr, bool preserve_all_tensors = false)
        : arena_(tensor_arena), size_(tensor_arena_size) {
        (void)op_resolver, (void)resource_variables, (void)profiler, (void)preserve_all_tensors;
        usable_ = model && reinterpret_cast<std::uintptr_t>(arena_) % 16 == 0 && size_ >= INPUT_BYTES + OUTPUT_BYTES;
    }

    TfLiteStatus AllocateTensors() {
        allocated_ = usable_;
        input_.data.int8 = reinterpret_cast<std::int8_t *>(arena_);
        output_.data.int8 = input_.data.int8 + INPUT_BYTES;
        return usable_ ? kTfLiteOk : kTfLiteError;
    }

    TfLiteStatus Invoke() {
        std::FILE *file = allocated_ ? std::fopen("features", "wb") : nullptr;
        if (!file || std::fwrite(arena_, 1, INPUT_BYTES, file) != INPUT_BYTES || std::fclose(file) != 0) {
            return kTfLiteError;
        }
        for (int i = 0; i < OUTPUT_BYTES; i++) {
            output_.data.int8[i] = static_cast<std::int8_t>(i);
        }
        return kTfLiteOk;
    }

    TfLiteTensor *input(std::size_t index) {
        return allocated_ && index == 0 ? &input_ : nullptr;
    }
    TfLiteTensor *output(std::size_t index) {
        return allocated_ && index == 0 ? &output_ : nullptr;
    }

  private:
    std::uint8_t *arena_;
    std::size_t size_;
    TfLiteTensor input_{}, output_{};
    bool usable_ = false, allocated_ = false;
};

} // namespace tflite
