// Copies of a and b in the order in which tiles read them.
#pragma once

#include "tile.h"

// Copies `lines` lines (rows of a, columns of b) of `depth` numbers each into slivers of kWidth lines: number p of
// line i goes to to[i / kWidth · kWidth·depth + p·kWidth + i mod kWidth]. The last sliver is filled up with zeros.
template <int kWidth, class T>
void pack(const T* x, int64_t line_stride, int64_t step, int64_t lines, int64_t depth, T* to) {
  for (int64_t first = 0; first < lines; first += kWidth, to += kWidth * depth) {
    const T* const from = x + first * line_stride;
    const int width = lines - first < kWidth ? static_cast<int>(lines - first) : kWidth;
    if (width < kWidth) {
      for (int64_t p = 0; p < depth; p++) {
        for (int i = 0; i < kWidth; i++) to[p * kWidth + i] = i < width ? from[i * line_stride + p * step] : T{0};
      }
    } else if (line_stride == 1) {
      for (int64_t p = 0; p < depth; p++) std::memcpy(to + p * kWidth, from + p * step, kWidth * sizeof(T));
    } else {
      for (int64_t p = 0; p < depth; p++) {
        for (int i = 0; i < kWidth; i++) to[p * kWidth + i] = from[i * line_stride + p * step];
      }
    }
  }
}
