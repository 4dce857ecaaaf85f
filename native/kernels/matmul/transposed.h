// x·Wᵀ for a small batch: what a layer computes whose weight is stored by outputs. Both operands lie along k, and tiles
// want one of them across. Packing the weight, as blocked.h would, costs a quarter of the time at 32 rows; here the
// transpose W·xᵀ is computed, for which W is read where it stands and only x is packed, and its blocks are turned
// around while they are in cache.
#pragma once

#include "blocked.h"

// Numbers of a block of the transpose: 128 KiB, half of a small second-level cache.
template <class T>
constexpr int64_t kTurned = 128 * 1024 / static_cast<int64_t>(sizeof(T));

// Each thread packs x once for every block, so x must be small; and with fewer rows than half a tile's columns most of a
// tile would be idle. (AMD Zen 5, 32×784×128: 36 µs instead of 40.)
template <class T>
bool pays_transposed(const Product<T>& x) {
  constexpr int64_t kColumns = TileShape<T>::kColumns;
  const bool lie_along_k = x.a.column == 1 && x.b.row == 1 && x.b.column != 1;
  return lie_along_k && x.k > 1 && 2 * x.m >= kColumns && x.m <= 2 * kColumns && 2 * x.m <= x.n;
}

// Calls finish(j, width, values) for each sliver of columns j … j + width − 1 of the product: element (i, j + s) is
// values[i·kColumns + s]. `worth` is the number of threads that the whole is worth.
template <class T, class Finish>
void multiply_transposed(const Product<T>& x, double worth, const Finish& finish) {
  constexpr int64_t kColumns = TileShape<T>::kColumns;
  const int64_t slivers = ceil_div(x.n, kColumns);
  const int64_t threads = worth < thread_limit() ? 1 + static_cast<int64_t>(worth) : thread_limit();
  const int64_t shares = smaller_of(threads, slivers);
  const int64_t most = kTurned<T> / (x.m * kColumns);
  parallel_for(shares, 1, [&](int64_t begin, int64_t end) {
    thread_local Scratch turned_scratch, sliver_scratch;
    T* const turned = turned_scratch.get<T>(most * kColumns * x.m);
    T* const sliver = sliver_scratch.get<T>(kColumns * x.m);
    for (int64_t s = slivers * begin / shares, last = slivers * end / shares; s < last; s += most) {
      const int64_t j = s * kColumns, columns = smaller_of(smaller_of(s + most, last) * kColumns, x.n) - j;
      const Matrix<const T> weight{x.b.at(0, j), x.b.column, x.b.row}, batch{x.a.p, x.a.column, x.a.row};
      const Product<T> part{columns, x.k, x.m, weight, batch, {turned, x.m, 1}};
      Panel<T>{part, Slivers::Own, true, 0, x.k, 0, x.m, nullptr}.multiply(0, columns, 0, x.m);
      for (int64_t c = 0; c < columns; c += kColumns) {
        const int64_t width = smaller_of(kColumns, columns - c);
        pack<kColumns>(turned + c * x.m, x.m, 1, width, x.m, sliver);
        finish(j + c, width, sliver);
      }
    }
  });
}
