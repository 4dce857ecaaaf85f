// The register tile of the matrix product: a few rows by a few vectors of the result, held in registers while
// k runs.
#pragma once

#include "../lanes.h"

// Rows and vectors of the largest tile, by the registers of a level.
//
//   AVX-512  8×2 of 32   16 accumulators. For each k they take 16 fused multiply-adds, against 2 vector loads and
//                        8 broadcasts; a tile is at most 8 rows high, so that batches of 8, 16, 24, … fill it.
//   AVX2     6×2 of 16   12 accumulators, 2 vectors of b and a number of a: all 16 registers less one. For each k
//                        12 fused multiply-adds stand against 8 loads, of which AMD Zen 4 does two per cycle.
//   NEON     6×4 of 32   24 accumulators of 4 floats, the columns of AVX2's tile.
//   others   4×8 of 1    One number at a time (scalar level, int32) the compiler is left to find the vectors.
//
// Measured on AMD Zen 4 with operands in the caches: 8×2 reaches 99.5 % of the peak of AVX-512, 12×2 98 %, 24×1 96 %
// (the share that a tile of 6×2 reaches of AVX2's is 97 %).
template <class T>
struct TileShape {
  static constexpr int kWidth = Words<T>::W;
  static constexpr int kBytes = kWidth * static_cast<int>(sizeof(T));
  static constexpr int kRows = kWidth == 1 ? 4 : kBytes == 64 ? 8 : 6;
  static constexpr int kVectors = kWidth == 1 ? 8 : kBytes == 16 ? 4 : 2;
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
  const T* ahead;  // kLinesAhead cache lines that will soon be read, or nullptr
};

// Cache lines that a tile asks for in passing, into the second-level cache. They are of the next sliver of b, most of
// which is there when its time comes (AMD Zen 3, 1024³ and 2048³: some 4 % of the time).
constexpr int kLinesAhead = 8;

inline void prefetch_ahead(const void* from) {
#if defined(__GNUC__)
  for (int i = 0; i < kLinesAhead; i++) __builtin_prefetch(static_cast<const char*>(from) + 64 * i, 0, 2);
#else
  static_cast<void>(from);
#endif
}

// Asks for the cache line of p, which will be read and written.
inline void prefetch_to_write(const void* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p, 1);
#else
  static_cast<void>(p);
#endif
}

// So many steps of k before its end a tile asks for its part of c. Earlier, a and b would push it out of the
// first-level cache again; the 16 stores into a c of 1024 columns, all in one set, then took 5 % of the time. With fewer
// steps in all it does not ask.
constexpr int64_t kStepsAhead = 24;

// The kernel itself: c[i, j] = Σ_p a[i, p]·b[p, j], one chain of fused multiply-adds from 0 with p ascending
// for each element. `i` counts the accumulators, row by row; the pack unrolls every loop over them.
template <class T, int kVectors, size_t... i>
void multiply_tile(const TileOperands<T>& t, std::index_sequence<i...>) {
  using X = Words<T>;
  using V = typename X::V;
  constexpr int W = X::W;
  V sum[] = {(static_cast<void>(i), X::set1(0))...};
  const T *a = t.a, *b = t.b;
  const int64_t a_row = t.a_row, a_step = t.a_step, b_step = t.b_step;
  if (t.ahead != nullptr) prefetch_ahead(t.ahead);
  for (int64_t left = t.k, stop = left > kStepsAhead ? kStepsAhead : 0; stop >= 0; stop -= kStepsAhead) {
    // Several steps for each turn of the loop: where a core's two hardware threads share its front end, the instructions
    // beside the multiplications are what binds (AMD Zen 3: 3 % over the shapes of the benchmark).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 4
#endif
    for (; left > stop; left--, a += a_step, b += b_step) {
      ((sum[i] = X::fma(X::set1(a[i / kVectors * a_row]), X::load(b + i % kVectors * W), sum[i])), ...);
    }
    for (size_t row = 0; stop > 0 && row < sizeof...(i) / kVectors; row++) {
      prefetch_to_write(t.c + row * t.c_row);
      prefetch_to_write(t.c + row * t.c_row + t.width - 1);
    }
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

// The tile of so many vectors and rows, 0 < rows ≤ kRows.
template <class T, int kVectors, size_t... r>
TileFunction<T> tile_of(int rows, std::index_sequence<r...>) {
  static constexpr TileFunction<T> tiles[] = {&tile<T, static_cast<int>(r) + 1, kVectors>...};
  return tiles[rows - 1];
}

// The tile of `rows` rows and as many vectors as `width` columns need.
template <class T, int kVectors = TileShape<T>::kVectors>
TileFunction<T> tile_of(int rows, int width) {
  // One number at a time there is one width: the compiler's vectors are no part of the shape.
  if constexpr (kVectors > 1 && TileShape<T>::kWidth > 1) {
    if (width <= (kVectors - 1) * TileShape<T>::kWidth) return tile_of<T, kVectors - 1>(rows, width);
  }
  return tile_of<T, kVectors>(rows, std::make_index_sequence<TileShape<T>::kRows>());
}

// How rows are cut into tiles: as many of full height as there are, but a last one so low that its few chains would not
// hide the latency of an addition (4 cycles, two begun in each) shares with the one before. (AMD Zen 3, tiles of 6 rows:
// 8×1024×1024 as 4 + 4 rows takes 8 % less time than as 6 + 2.)
template <class T>
struct TileHeights {
  int64_t full;
  int rest[2];  // 0: none

  explicit TileHeights(int64_t rows) {
    constexpr int kRows = TileShape<T>::kRows, kVectors = TileShape<T>::kVectors, kChains = 8;
    const int left = static_cast<int>(rows % kRows);
    const bool shares = left > 0 && left * kVectors < kChains && rows > kRows;
    const int both = shares ? kRows + left : left;
    full = (rows - both) / kRows;
    rest[0] = shares ? (both + 1) / 2 : both;
    rest[1] = both - rest[0];
  }

  int64_t count() const { return full + (rest[0] > 0) + (rest[1] > 0); }
};
