// The product of a row vector and a matrix, m = 1: c[j] = Σ_p a[p]·b[p, j]. It reads b once and is as fast as that, for
// b contiguous along either axis. So that one order of additions suits both it is that of all sums, with fused
// multiply-adds (docs/kernels.md): lane l takes p ≡ l mod 16, blocks of 4096 p are summed by the same rule.
#pragma once

#include "../scratch.h"
#include "product.h"

// Columns that are added up at the same time where neighbouring columns are neighbours: 4 KiB, so that far rows are
// read for a long way (1 KiB took half as long again on AMD Zen 4). Their 16 lanes stay in the second-level cache.
template <class T>
constexpr int kVectorStrip = 4096 / sizeof(T);

template <class T>
class VectorProduct {
 public:
  // `a` is contiguous.
  VectorProduct(const Product<T>& x, const T* a) : x_(x), a_(a) {}

  // c[begin … end)
  void multiply(int64_t begin, int64_t end) const {
    constexpr int64_t kColumns = kVectorStrip<T>;
    const int64_t blocks = ceil_div(x_.k, kBlock);
    const std::unique_ptr<T[]> sums(blocks > 1 ? new T[blocks * kColumns] : nullptr);
    for (int64_t j = begin; j < end; j += kColumns) {
      const int width = static_cast<int>(smaller_of(kColumns, end - j));
      T total[kColumns];
      for (int64_t i = 0; i < blocks; i++) {
        T* const out = blocks > 1 ? &sums[i * width] : total;
        const int64_t first = i * kBlock;
        const int count = static_cast<int>(smaller_of(kBlock, x_.k - first));
        if (x_.b.column == 1 && width > 1) across(first, count, j, width, out);
        else along(first, count, j, width, out);
      }
      // The sums of the blocks, a strip of columns at a time.
      for (int i = 0; blocks > 1 && i < width; i += kStrip<T>) {
        const int strip = width - i < kStrip<T> ? width - i : kStrip<T>;
        fold_columns<Sum, T>(blocks, strip, ContiguousRows<T>{sums.get() + i, width}, total + i);
      }
      for (int i = 0; i < width; i++) *x_.c.at(0, j + i) = total[i];
    }
  }

 private:
  using X = Words<T>;
  using V = typename X::V;
  static constexpr int W = X::W;

  // Columns whose lanes are added up at the same time, to hide the latency of an addition. Their numbers may all want
  // the same set of the first-level cache, so no more.
  static constexpr int kAtOnce = 4;

  // ---- along: the numbers of a column are neighbours, and its lanes lie in vectors.

  void along(int64_t first, int count, int64_t j, int width, T* out) const {
    T copy[kBlock];
    for (int i = 0; i < width;) {
      const T* const column = x_.b.at(first, j + i);
      if (x_.b.row == 1 && i + kAtOnce <= width) {
        dots<kAtOnce>(a_ + first, column, x_.b.column, count, out + i);
        i += kAtOnce;
        continue;
      }
      for (int p = 0; x_.b.row != 1 && p < count; p++) copy[p] = column[p * x_.b.row];
      dots<1>(a_ + first, x_.b.row == 1 ? column : copy, 0, count, out + i);
      i++;
    }
  }

  // Σ_p a[p]·b[p + i·column] for i < kColumns.
  template <int kColumns>
  static void dots(const T* a, const T* b, int64_t column, int count, T* out) {
    constexpr int kVectors = kLanes / W;
    V lane[kColumns][kVectors];
    for (auto& lanes : lane) {
      for (V& vector : lanes) vector = X::set1(0);
    }
    int p = 0;
    for (; p + kLanes <= count; p += kLanes) {
      for (int v = 0; v < kVectors; v++) {
        const V x = X::load(a + p + v * W);
        for (int i = 0; i < kColumns; i++) {
          lane[i][v] = X::fma(x, X::load(b + i * column + p + v * W), lane[i][v]);
        }
      }
    }
    for (int v = 0; p < count; v++, p += W) {
      const int n = count - p < W ? count - p : W;
      const V x = load_part<X>(a + p, n);
      for (int i = 0; i < kColumns; i++) {
        const V sum = X::fma(x, load_part<X>(b + i * column + p, n), lane[i][v]);
        lane[i][v] = n == W ? sum : first_or<X, T>(sum, lane[i][v], n);
      }
    }
    for (int i = 0; i < kColumns; i++) out[i] = fold_vectors<Sum, T>(lane[i]);
  }

  // ---- across: neighbouring columns are neighbours, and each lane is a row of sums.

  // Rows that go into one lane while it is in a register: a lane is read and written once for all of them. Rows of 4 KiB
  // and their lane all want one set of the first-level cache, which has eight ways (AMD Zen 3, 1×1024×1024: 27 GFLOP/s,
  // and 25 with eight rows).
  static constexpr int kRowsOfLane = 6;

  void across(int64_t first, int count, int64_t j, int width, T* out) const {
    thread_local Scratch scratch;
    T(*const lane)[kVectorStrip<T>] = reinterpret_cast<T(*)[kVectorStrip<T>]>(scratch.get<T>(kLanes * kVectorStrip<T>));
    const int used = count < kLanes ? count : kLanes;
    for (int p = 0; p < count; p += kRowsOfLane * kLanes) {
      for (int l = 0; l < kLanes && p + l < count; l++) {
        const int64_t row = first + p + l;
        const int rows = static_cast<int>(smaller_of((count - p - l + kLanes - 1) / kLanes, kRowsOfLane));
        add_rows_of<1>(rows, row, j, width, p == 0, lane[l]);
      }
    }
    // The tree; a lane that was not used would hold 0 and change nothing but the sign of a zero.
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; l++) {
        for (int c = 0; c < width; c++) {
          const T a = l < used ? lane[l][c] : T{0}, b = l + half < used ? lane[l + half][c] : T{0};
          lane[l][c] = One<T>::add(a, b);
        }
      }
    }
    std::memcpy(out, lane[0], static_cast<size_t>(width) * sizeof(T));
  }

  template <int kRows>
  void add_rows_of(int rows, int64_t p, int64_t j, int width, bool is_first, T* sum) const {
    if constexpr (kRows < kRowsOfLane) {
      if (rows > kRows) return add_rows_of<kRows + 1>(rows, p, j, width, is_first, sum);
    }
    add_rows<kRows>(p, j, width, is_first, sum);
  }

  // sum[c] (0 where `is_first`) += Σ_r a[p + 16·r]·b[p + 16·r, j + c] for r < kRows.
  template <int kRows>
  void add_rows(int64_t p, int64_t j, int width, bool is_first, T* sum) const {
    const T* row[kRows];
    V factor[kRows];
    for (int r = 0; r < kRows; r++) {
      row[r] = x_.b.at(p + r * kLanes, j);
      factor[r] = X::set1(a_[p + r * kLanes]);
    }
    for_parts(width, [&](int c, int n) {
      V s = is_first ? X::set1(0) : load_part<X>(sum + c, n);
      for (int r = 0; r < kRows; r++) s = X::fma(factor[r], load_part<X>(row[r] + c, n), s);
      store_part<X>(sum + c, s, n);
    });
  }

  template <class Body>
  static void for_parts(int n, const Body& body) {
    int i = 0;
    for (; i + W <= n; i += W) body(i, W);
    if (i < n) body(i, n - i);
  }

  const Product<T>& x_;
  const T* a_;
};

// The vector a as it stands if that is contiguous, else a copy in `scratch`.
template <class T>
const T* contiguous_vector(const Product<T>& x, Scratch* scratch) {
  if (x.a.column == 1) return x.a.p;
  T* const copy = scratch->get<T>(x.k);
  for (int64_t p = 0; p < x.k; p++) copy[p] = *x.a.at(0, p);
  return copy;
}

// Columns of a share come in whole cache lines.
template <class T>
constexpr int64_t kVectorUnit = 64 / static_cast<int64_t>(sizeof(T));

// Columns of a share in units, of which `worth` are worth a thread. Rows of b are read for as long a way as the threads
// leave (AMD Zen 3, 1×1024×1024 on two threads: 53 µs, and 80 in shares of 576 bytes).
template <class T>
int64_t vector_share(const Product<T>& x, int64_t worth) {
  const int64_t widest = x.b.column == 1 ? ceil_div(ceil_div(x.n, kVectorUnit<T>), thread_limit()) : 1;
  return worth > widest ? worth : widest;
}

template <class T>
void multiply_vector(const Product<T>& x) {
  thread_local Scratch scratch;
  const VectorProduct<T> product(x, contiguous_vector(x, &scratch));
  constexpr int64_t kUnit = kVectorUnit<T>;
  const int64_t share = vector_share(x, 1 + kProductGrain / (x.k * kUnit));
  parallel_for(ceil_div(x.n, kUnit), share, [&](int64_t begin, int64_t end) {
    product.multiply(begin * kUnit, smaller_of(end * kUnit, x.n));
  });
}
