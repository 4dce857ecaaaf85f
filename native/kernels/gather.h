// Rows by index. Every index is checked before anything is written.
#pragma once

#include "integers.h"

// The first of index[0 … n) outside [0, bound), as a Status.
Status check_indices(const int32_t* index, int64_t stride, int64_t n, int64_t bound) {
  for (int64_t i = 0; i < n; i++) {
    const int64_t row = index[i * stride];
    if (row < 0 || row >= bound) return {i, row, bound};
  }
  return {};
}

// Whether an index is still in [0, bound) when it is used: an output that overlaps the indices, or a writer
// on another thread, may have changed it since it was checked, and then its row is left out.
inline bool in_range(int64_t index, int64_t bound) { return index >= 0 && index < bound; }

// Elements that are worth a thread of their own.
constexpr int64_t kGatherGrain = 32768;

// out[i, :] = x[index[i], :]; x is n×d, out i×d. No operand may overlap out.
template <class T>
Status gather_kernel(const Args& args) {
  DimsReader dims(args);
  const int64_t n = dims.size(), d = dims.size(), rows = dims.size();
  const int64_t x_row = dims.stride(), x_column = dims.stride(), index_stride = dims.stride();
  const int64_t out_row = dims.stride(), out_column = dims.stride();
  const int32_t* const index = args.in<int32_t>(1);
  const Status status = check_indices(index, index_stride, rows, n);
  if (!status.ok() || d == 0) return status;
  const bool contiguous = x_column == 1 && out_column == 1;
  parallel_for(rows, (kGatherGrain + d - 1) / d, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t row = index[i * index_stride];
      if (!in_range(row, n)) continue;
      const T* const from = args.in<T>(0) + row * x_row;
      T* const to = args.out<T>(2) + i * out_row;
      if (contiguous) {
        std::memmove(to, from, static_cast<size_t>(d) * sizeof(T));  // they may overlap: any values, but no more
      } else {
        for (int64_t j = 0; j < d; j++) to[j * out_column] = from[j * x_column];
      }
    }
  });
  return {};
}

// out[index[i], :] += x[i, :] for i ascending; x is i×d, out n×d. No operand may overlap out. Threads share
// out the columns, so that every sum keeps its order; int32 wraps.
template <class T>
Status scatter_add_kernel(const Args& args) {
  using N = Vec<T>;
  DimsReader dims(args);
  const int64_t rows = dims.size(), d = dims.size(), n = dims.size();
  const int64_t index_stride = dims.stride(), x_row = dims.stride(), x_column = dims.stride();
  const int64_t out_row = dims.stride(), out_column = dims.stride();
  const int32_t* const index = args.in<int32_t>(0);
  const Status status = check_indices(index, index_stride, rows, n);
  if (!status.ok() || rows == 0) return status;
  const bool contiguous = x_column == 1 && out_column == 1;
  // At least 64 columns: two threads should not write to one cache line.
  const int64_t fair = (kGatherGrain + rows - 1) / rows, grain = fair < 64 ? 64 : fair;
  parallel_for(d, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < rows; i++) {
      const int64_t row = index[i * index_stride];
      if (!in_range(row, n)) continue;
      const T* const from = args.in<T>(1) + i * x_row;
      T* const to = args.out<T>(2) + row * out_row;
      int64_t j = begin;
      if (contiguous) {
        for (; j <= end - N::W; j += N::W) N::store(to + j, N::add(N::load(to + j), N::load(from + j)));
      }
      for (; j < end; j++) {
        T& sum = to[j * out_column];
        if constexpr (std::is_integral<T>::value) sum = N::add(sum, from[j * x_column]);
        else sum += from[j * x_column];
      }
    }
  });
  return {};
}
