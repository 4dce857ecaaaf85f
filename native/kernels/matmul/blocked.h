// One matrix product, cut into blocks for the caches and into shares for the threads. Every way through here
// ends in the same tiles, so an element's chain of additions depends on k alone.
#pragma once

#include "../scratch.h"
#include "pack.h"

// Numbers of k in one chain: fixed by the contract. A sliver of b that deep (16 KiB) fills half of a 32 KiB
// L1.
constexpr int64_t kChain = 256;

// Rows of a packed at once: 144 KiB, which stay in an L2 of 256 KiB or more while all slivers of b pass by.
template <class T>
constexpr int64_t kPackedRows = 144 * 1024 / (kChain * static_cast<int64_t>(sizeof(T)));

// The part of b packed at once, by k and by columns: 4 MiB in the shared cache, read by all threads.
constexpr int64_t kPanelDepth = 4 * kChain;
template <class T>
constexpr int64_t kPanelColumns = 4 * 1024 * 1024 / (kPanelDepth * static_cast<int64_t>(sizeof(T)));

// Up to so many rows of a a packed b would be read too seldom to pay for its making, and up to so many
// columns of b a packed a. Found on AMD Zen 4 among products of 16 to 128 rows and columns.
template <class T>
constexpr int64_t kRowsInPlace = 4 * TileShape<T>::kRows;
template <class T>
constexpr int64_t kColumnsInPlace = 4 * TileShape<T>::kColumns;

// Multiply-adds that are worth a thread of their own: some 3 µs.
constexpr int64_t kProductGrain = 1 << 17;

template <class T>
struct Matrix {
  T* p;
  int64_t row, column;  // strides
  T* at(int64_t i, int64_t j) const { return p + i * row + j * column; }
};

// c = a·b, a being m×k, b k×n. c may not overlap a or b.
template <class T>
struct Product {
  int64_t m, k, n;
  Matrix<const T> a, b;
  Matrix<T> c;
};

inline int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// b[k0 … k0+depth, j0 … j0+columns) as slivers of kColumns columns: packed, or where it stands.
template <class T>
struct Panel {
  static constexpr int kColumns = TileShape<T>::kColumns;

  Matrix<const T> b;  // its first element is that of the panel
  int64_t depth, columns;
  bool in_place;  // full slivers are read from b itself, whose rows are contiguous
  T* packed;

  int64_t slivers() const { return ceil_div(columns, kColumns); }
  bool stands(int64_t sliver) const { return in_place && (sliver + 1) * kColumns <= columns; }

  // Of a panel in place only the last sliver is packed, if it is not full.
  T* memory(int64_t sliver) const { return packed + (in_place ? 0 : sliver * kColumns * depth); }

  void pack_slivers(int64_t begin, int64_t end) const {
    const int64_t j = begin * kColumns, lines = smaller_of(end * kColumns, columns) - j;
    pack<kColumns>(b.at(0, j), b.column, b.row, lines, depth, memory(begin));
  }

  // Row p of a sliver, and the distance to the next row.
  const T* row(int64_t sliver, int64_t p) const {
    return stands(sliver) ? b.at(p, sliver * kColumns) : memory(sliver) + p * kColumns;
  }
  int64_t step(int64_t sliver) const { return stands(sliver) ? b.row : kColumns; }
};

// Adds the tile of rows i … of c and one sliver of the panel.
template <class T>
void multiply_into(const Matrix<T>& c, int rows, TileOperands<T> t) {
  constexpr int kColumns = TileShape<T>::kColumns;
  if (c.column == 1) {
    t.c = c.p;
    t.c_row = c.row;
    return tile_of_rows<T>(rows)(t);
  }
  // Columns apart: by way of a tile in memory.
  T values[TileShape<T>::kRows * kColumns];
  const bool assign = t.assign;
  t.c = values;
  t.c_row = kColumns;
  t.assign = true;
  tile_of_rows<T>(rows)(t);
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < t.width; j++) {
      T* const element = c.at(i, j);
      const T value = values[i * kColumns + j];
      *element = assign ? value : One<T>::add(*element, value);
    }
  }
}

// What the threads share while they multiply by one panel: c rows × panel columns.
template <class T>
struct PanelProduct {
  static constexpr int kRows = TileShape<T>::kRows;

  const Product<T>& product;
  const Panel<T>& panel;
  int64_t k0, j0;
  bool pack_a;

  // c[rows of slivers i0 … i1, columns of slivers s0 … s1).
  void multiply(int64_t i0, int64_t i1, int64_t s0, int64_t s1) const {
    for (int64_t p = 0; p < panel.depth; p += kChain) {
      const int64_t depth = smaller_of(kChain, panel.depth - p);
      constexpr int64_t kChunk = kPackedRows<T> / kRows;
      for (int64_t i = i0; i < i1; i += kChunk) {
        multiply_rows(i * kRows, smaller_of(smaller_of(i + kChunk, i1) * kRows, product.m), s0, s1, p, depth);
      }
    }
  }

 private:
  // Rows first … last of c, and `depth` numbers of k from p on.
  void multiply_rows(int64_t first, int64_t last, int64_t s0, int64_t s1, int64_t p, int64_t depth) const {
    thread_local Scratch scratch;
    const Matrix<const T>& a = product.a;
    const T* a_block = a.at(first, k0 + p);
    int64_t a_row = a.row, a_step = a.column;
    if (pack_a) {
      T* const packed = scratch.get<T>((kPackedRows<T> + kRows) * kChain + kPackSlack);
      pack<kRows>(a_block, a.row, a.column, last - first, depth, packed);
      a_block = packed;
      a_row = 1;
      a_step = kRows;
    }
    const int64_t a_sliver = pack_a ? kRows * depth : kRows * a.row;
    for (int64_t s = s0; s < s1; s++) {
      const int64_t j = s * Panel<T>::kColumns;
      const int width = static_cast<int>(smaller_of(Panel<T>::kColumns, panel.columns - j));
      const T* const b = panel.row(s, p);
      const int64_t b_step = panel.step(s);
      const T* a_at = a_block;
      for (int64_t i = first; i < last; i += kRows, a_at += a_sliver) {
        const Matrix<T> c{product.c.at(i, j0 + j), product.c.row, product.c.column};
        multiply_into<T>(c, static_cast<int>(smaller_of(kRows, last - i)),
                         {depth, a_at, a_row, a_step, b, b_step, nullptr, 0, width, k0 + p == 0});
      }
    }
  }
};

template <class T>
void multiply(const Product<T>& product) {
  thread_local Scratch scratch;
  const int64_t m = product.m, n = product.n, k = product.k;
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (int64_t i = 0; i < m; i++) {
      for (int64_t j = 0; j < n; j++) *product.c.at(i, j) = 0;
    }
    return;
  }
  constexpr int kColumns = TileShape<T>::kColumns;
  const bool b_in_place = product.b.column == 1 && m <= kRowsInPlace<T>;
  const bool pack_a = n > kColumnsInPlace<T>;
  const int64_t row_slivers = ceil_div(m, TileShape<T>::kRows);
  for (int64_t j0 = 0; j0 < n; j0 += kPanelColumns<T>) {
    const int64_t columns = smaller_of(kPanelColumns<T>, n - j0);
    for (int64_t k0 = 0; k0 < k; k0 += kPanelDepth) {
      const int64_t depth = smaller_of(kPanelDepth, k - k0);
      const Matrix<const T> b{product.b.at(k0, j0), product.b.row, product.b.column};
      Panel<T> panel{b, depth, columns, b_in_place, nullptr};
      const int64_t slivers = panel.slivers();
      if (!b_in_place) {
        panel.packed = scratch.get<T>(slivers * kColumns * depth + kPackSlack);
        parallel_for(slivers, 1 + kProductGrain / 8 / (kColumns * depth),
                     [&](int64_t begin, int64_t end) { panel.pack_slivers(begin, end); });
      } else if (!panel.stands(slivers - 1)) {
        panel.packed = scratch.get<T>(kColumns * depth + kPackSlack);
        panel.pack_slivers(slivers - 1, slivers);
      }
      const PanelProduct<T> shared{product, panel, k0, j0, pack_a};
      // Shares: slivers of rows, and of these so many columns that every thread gets about as much as any
      // other.
      const int64_t wanted = 4 * thread_limit();
      const int64_t splits = smaller_of(slivers, row_slivers < wanted ? ceil_div(wanted, row_slivers) : 1);
      const int64_t work = TileShape<T>::kRows * depth * ceil_div(columns, splits);
      parallel_for(row_slivers * splits, 1 + kProductGrain / work, [&](int64_t begin, int64_t end) {
        while (begin < end) {
          const int64_t split = begin / row_slivers, i0 = begin % row_slivers;
          const int64_t i1 = smaller_of(row_slivers, i0 + end - begin);
          shared.multiply(i0, i1, slivers * split / splits, slivers * (split + 1) / splits);
          begin += i1 - i0;
        }
      });
    }
  }
}
