// x·Wᵀ for a small batch: what a layer computes whose weight is stored by outputs. Both operands lie along k, and tiles
// want one of them across. Packing the weight, as blocked.h would, costs a quarter of the time at 32 rows; here the
// transpose W·xᵀ is computed, for which W is read where it stands and only x is packed, and its blocks are turned
// around while they are in cache.
#pragma once

#include "blocked.h"

// Numbers of a block of the transpose: 128 KiB, half of a small second-level cache.
template <class T>
constexpr int64_t kTurned = 128 * 1024 / static_cast<int64_t>(sizeof(T));

// Turns a block of `rows` rows around: number p of row i, at from[i·line + p], goes to to[p·row + i].
template <class T>
void turn(const T* from, int64_t line, int64_t rows, int64_t depth, T* to, int64_t row) {
  using X = Words<T>;
  constexpr int64_t W = X::W;
  int64_t squares = 0;
  if constexpr (HasTranspose<X>::value) {
    squares = depth / W * W;
    for (int64_t i = 0; i + W <= rows; i += W) {
      for (int64_t p = 0; p < squares; p += W) transpose_square<X>(from + i * line + p, line, to + p * row + i, row);
    }
  }
  const int64_t turned = squares > 0 ? rows / W * W : 0;
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t p = i < turned ? squares : 0; p < depth; p++) to[p * row + i] = from[i * line + p];
  }
}

// Whether less has to be turned around than would have to be packed. Each thread packs x once for every block, so x must
// be small; and with fewer rows than half a tile's columns most of a tile would be idle. (AMD Zen 5, 32×784×128: 36 µs
// instead of 40.)
template <class T>
bool pays_transposed(const Product<T>& x) {
  constexpr int64_t kColumns = TileShape<T>::kColumns;
  const bool lie_along_k = x.a.column == 1 && x.b.row == 1 && x.b.column != 1;
  const bool is_small = 2 * x.m >= kColumns && x.m <= 2 * kColumns && 2 * x.m <= x.n;
  return lie_along_k && x.k > 1 && is_small && x.m * (x.k + x.n) < x.k * x.n;
}

// Calls finish(j, columns, turned) for a few slivers of the product after the other: element (i, j + s) is
// turned[s·m + i]. `worth` is the number of threads that the whole is worth.
template <class T, class Finish>
void multiply_transposed(const Product<T>& x, double worth, const Finish& finish) {
  constexpr int64_t kColumns = TileShape<T>::kColumns;
  const int64_t slivers = ceil_div(x.n, kColumns);
  const int64_t threads = worth < thread_limit() ? 1 + static_cast<int64_t>(worth) : thread_limit();
  const int64_t shares = smaller_of(threads, slivers);
  const int64_t most = kTurned<T> / (x.m * kColumns);
  parallel_for(shares, 1, [&](int64_t begin, int64_t end) {
    thread_local Scratch scratch;
    T* const turned = scratch.get<T>(most * kColumns * x.m);
    for (int64_t s = slivers * begin / shares, last = slivers * end / shares; s < last; s += most) {
      const int64_t j = s * kColumns, columns = smaller_of(smaller_of(s + most, last) * kColumns, x.n) - j;
      const Matrix<const T> weight{x.b.at(0, j), x.b.column, x.b.row}, batch{x.a.p, x.a.column, x.a.row};
      const Product<T> part{columns, x.k, x.m, weight, batch, {turned, x.m, 1}};
      Panel<T>{part, Slivers::Own, true, 0, x.k, 0, x.m, nullptr}.multiply(0, columns, 0, x.m);
      finish(j, columns, turned);
    }
  });
}
