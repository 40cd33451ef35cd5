// SPDX-License-Identifier: MIT
// What a program sees of TensorFlow Lite Micro's header of this name: the methods of a convolutional network.
#pragma once

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

struct TFLMRegistration {};

namespace tflite {

class MicroOpResolver {
  public:
    virtual ~MicroOpResolver() = default;
};

template <unsigned int tOpCount> class MicroMutableOpResolver : public MicroOpResolver {
  public:
    explicit MicroMutableOpResolver() {}

    TfLiteStatus AddAdd(const TFLMRegistration &one = TFLMRegistration()) {
        return add(one);
    }
    TfLiteStatus AddAveragePool2D(const TFLMRegistration &one = TFLMRegistration()) {
        return add(one);
    }
    TfLiteStatus AddConv2D(const TFLMRegistration &one = TFLMRegistration()) {
        return add(one);
    }
    TfLiteStatus AddFullyConnected(const TFLMRegistration &one = TFLMRegistration()) {
        return add(one);
    }
    TfLiteStatus AddMaxPool2D(const TFLMRegistration &one = TFLMRegistration()) {
        return add(one);
    }
    TfLiteStatus AddMean(const TFLMRegistration &one = TFLMRegistration()) {
        return add(one);
    }
    TfLiteStatus AddMul(const TFLMRegistration &one = TFLMRegistration()) {
        return add(one);
    }
    TfLiteStatus AddReshape() {
        return add(TFLMRegistration());
    }
    TfLiteStatus AddSoftmax(const TFLMRegistration &one = TFLMRegistration()) {
        return add(one);
    }

    unsigned int count() const {
        return count_;
    }

  private:
    TfLiteStatus add(const TFLMRegistration &) {
        return count_++ < tOpCount ? kTfLiteOk : kTfLiteError;
    }

    unsigned int count_ = 0;
};

} // namespace tflite
