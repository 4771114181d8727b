// What preparing inputs took, outside of the model's latency.
#pragma once

namespace nongemm {

/// Seconds by steady_clock, of one sample or of a whole batch.
struct PreprocessTimes {
  double decode = 0;     // reading the file included
  double resize = 0;     // with crop
  double normalize = 0;  // with padding and batching; a batch's time shared out evenly
  double tokenize = 0;
  double total() const { return decode + resize + normalize + tokenize; }
  PreprocessTimes& operator+=(const PreprocessTimes& other) {
    decode += other.decode;
    resize += other.resize;
    normalize += other.normalize;
    tokenize += other.tokenize;
    return *this;
  }
};

}  // namespace nongemm
