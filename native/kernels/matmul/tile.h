// The register tile of the matrix product: a few rows by a few vectors of the result, held in registers while
// k runs.
#pragma once

#include "../lanes.h"

// Rows and vectors of the largest tile. In vectors it is 6×2 (6×16 floats or 6×8 doubles for AVX2): 12
// accumulators, 2 vectors of b and a number of a stay in 16 registers, and for each k 12 fused multiply-adds
// stand against 8 loads, of each of which AMD Zen 4 can do two per cycle. One number at a time (scalar level,
// int32) the compiler is left to find the vectors in a tile of 4×8.
template <class T>
struct TileShape {
  static constexpr int kWidth = Words<T>::W;
  static constexpr int kRows = kWidth > 1 ? 6 : 4;
  static constexpr int kVectors = kWidth > 1 ? 2 : 8;
  static constexpr int kColumns = kVectors * kWidth;
};

// Where a tile reads and writes. Element (i, p) of a is a[i·a_row + p·a_step]; row p of b is at b + p·b_step
// and is read in whole vectors; row i of c is at c + i·c_row. c may not overlap a or b.
template <class T>
struct TileOperands {
  int64_t k;
  const T* a;
  int64_t a_row, a_step;
  const T* b;
  int64_t b_step;
  T* c;
  int64_t c_row;
  int width;    // columns of c to be written, at most the tile's
  bool assign;  // c = the product, else c += the product
};

// Asks for the cache line of p, which will be read and written.
inline void prefetch(const void* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p, 1);
#else
  static_cast<void>(p);
#endif
}

// The kernel itself: c[i, j] = Σ_p a[i, p]·b[p, j], one chain of fused multiply-adds from 0 with p ascending
// for each element. `i` counts the accumulators, row by row; the pack unrolls every loop over them.
template <class T, int kVectors, size_t... i>
void multiply_tile(const TileOperands<T>& t, std::index_sequence<i...>) {
  using X = Words<T>;
  using V = typename X::V;
  constexpr int W = X::W;
  V sum[] = {(static_cast<void>(i), X::set1(0))...};
  for (size_t row = 0; row < sizeof...(i) / kVectors; row++) {
    prefetch(t.c + row * t.c_row);
    prefetch(t.c + row * t.c_row + t.width - 1);
  }
  const T *a = t.a, *b = t.b;
  const int64_t a_row = t.a_row, a_step = t.a_step, b_step = t.b_step;
  for (int64_t p = t.k; p > 0; p--, a += a_step, b += b_step) {
    ((sum[i] = X::fma(X::set1(a[i / kVectors * a_row]), X::load(b + i % kVectors * W), sum[i])), ...);
  }
  const auto place = [&](size_t at) { return t.c + at / kVectors * t.c_row + at % kVectors * W; };
  const auto put_part = [&](size_t at, V value) {
    const int rest = t.width - static_cast<int>(at % kVectors) * W, n = rest < W ? rest : W;
    if (n > 0) store_part<X>(place(at), t.assign ? value : X::add(load_part<X>(place(at), n), value), n);
  };
  if (t.width < kVectors * W) (put_part(i, sum[i]), ...);
  else if (t.assign) (X::store(place(i), sum[i]), ...);
  else (X::store(place(i), X::add(X::load(place(i)), sum[i])), ...);
}

template <class T>
using TileFunction = void (*)(const TileOperands<T>&);

template <class T, int kRows, int kVectors>
void tile(const TileOperands<T>& t) {
  multiply_tile<T, kVectors>(t, std::make_index_sequence<kRows * kVectors>());
}

// Tiles of the full width by rows: tile_of_rows<T>(r) has r rows, 0 < r ≤ kRows.
template <class T, size_t... r>
TileFunction<T> tile_of_rows(int rows, std::index_sequence<r...>) {
  static constexpr TileFunction<T> tiles[] = {&tile<T, static_cast<int>(r) + 1, TileShape<T>::kVectors>...};
  return tiles[rows - 1];
}
template <class T>
TileFunction<T> tile_of_rows(int rows) {
  return tile_of_rows<T>(rows, std::make_index_sequence<TileShape<T>::kRows>());
}
