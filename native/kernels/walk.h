// A group of axes as several operands walk it, brought into its shortest form.
#pragma once

// The elements of a group in row-major order. Axes of size 1 are gone and axes that every one of the N
// operands walks as one are one; the order of elements stays. There is always an inner axis, if need be of
// size 1.
template <int N>
struct Walk {
  int rank = 0;
  int64_t count = 1;
  int64_t size[kMaxRank];
  int64_t stride[N][kMaxRank];

  Walk(const Group& group, const int64_t* const (&strides)[N]) {
    for (int i = 0; i < group.rank; i++) {
      const int64_t n = group.sizes[i];
      count *= n;
      if (n == 1) continue;
      bool merges = rank > 0;
      for (int k = 0; k < N; k++) merges = merges && stride[k][rank - 1] == strides[k][i] * n;
      if (merges) size[rank - 1] *= n;
      else size[rank++] = n;
      for (int k = 0; k < N; k++) stride[k][rank - 1] = strides[k][i];
    }
    if (rank > 0) return;
    rank = 1;
    size[0] = 1;
    for (int k = 0; k < N; k++) stride[k][0] = 1;
  }

  int64_t inner() const { return size[rank - 1]; }
  int64_t inner_stride(int operand) const { return stride[operand][rank - 1]; }
  bool contiguous(int operand) const { return rank == 1 && stride[operand][0] == 1; }

  // Where an operand has its element `index`.
  int64_t offset(int operand, int64_t index) const {
    const int64_t* const strides = stride[operand];
    int64_t offset = 0;
    for (int i = rank - 1; i > 0; i--) {
      offset += index % size[i] * strides[i];
      index /= size[i];
    }
    return offset + index * strides[0];
  }

  // Copies an operand's elements first … first + n − 1 to `to`.
  template <class T>
  void copy(const T* x, int operand, int64_t first, int64_t n, T* to) const {
    const int64_t run = inner(), step = inner_stride(operand);
    while (n > 0) {
      const int64_t rest = run - first % run, length = rest < n ? rest : n;
      const T* const from = x + offset(operand, first);
      if (step == 1) std::memcpy(to, from, length * sizeof(T));
      else for (int64_t i = 0; i < length; i++) to[i] = from[i * step];
      to += length;
      first += length;
      n -= length;
    }
  }
};
