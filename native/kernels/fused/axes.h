// The axes of a chain's operands, of which there are any number, brought into their shortest form.
#pragma once

// Axes that several operands walk: without those of size 1, and with neighbours merged where every operand allows
// it. The order of elements stays. There is always one axis, if need be of size 1.
struct SharedAxes {
  int operands;
  int rank = 0;
  int64_t count = 1;
  int64_t sizes[2 * kMaxRank];
  int64_t strides[kMaxOperands][2 * kMaxRank];

  explicit SharedAxes(int operands) : operands(operands) {}

  // Appends an axis inside the others; stride(o) is that of operand o.
  template <class Stride>
  void append(int64_t size, const Stride& stride) {
    count *= size;
    if (size == 1) return;
    bool merges = rank > 0;
    for (int o = 0; o < operands && merges; o++) merges = strides[o][rank - 1] == stride(o) * size;
    if (merges) sizes[rank - 1] *= size;
    else sizes[rank++] = size;
    for (int o = 0; o < operands; o++) strides[o][rank - 1] = stride(o);
  }

  // To be called after the last axis. An axis of size 1 has a stride like the next row of nothing.
  void close() {
    if (rank > 0) return;
    rank = 1;
    sizes[0] = 1;
    for (int o = 0; o < operands; o++) strides[o][0] = 1;
  }

  int64_t inner() const { return sizes[rank - 1]; }
  int64_t outer() const { return count / inner(); }
  int64_t inner_stride(int operand) const { return strides[operand][rank - 1]; }

  // Whether an operand walks all axes in steps of one stride, which is `inner_stride`.
  bool is_even(int operand) const {
    for (int axis = rank - 1; axis > 0; axis--) {
      if (strides[operand][axis - 1] != strides[operand][axis] * sizes[axis]) return false;
    }
    return true;
  }

  // Adds to each operand's offset that of an index over the axes up to `last`.
  void add_offsets(int64_t index, int last, int64_t* offsets) const {
    for (int axis = last; axis >= 0 && index > 0; axis--) {
      const int64_t i = index % sizes[axis];
      index /= sizes[axis];
      for (int o = 0; o < operands; o++) offsets[o] += i * strides[o][axis];
    }
  }

  // Calls run(position, offset, elements, stride) for each run along the last axis of elements first … first + n − 1.
  template <class Run>
  void each_run(int operand, int64_t first, int64_t n, const Run& run) const {
    const int64_t* const stride = strides[operand];
    const int last = rank - 1;
    for (int64_t at = 0; at < n;) {
      const int64_t start = (first + at) % sizes[last], rest = sizes[last] - start;
      const int64_t length = rest < n - at ? rest : n - at;
      int64_t index = (first + at) / sizes[last], offset = start * stride[last];
      for (int axis = last - 1; axis >= 0; axis--) {
        offset += index % sizes[axis] * stride[axis];
        index /= sizes[axis];
      }
      run(at, offset, length, stride[last]);
      at += length;
    }
  }
};
