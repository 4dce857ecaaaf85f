// One matrix product, cut into shares for the threads and into blocks for the caches. Every way through here ends in
// the same tiles, so an element's chain of additions depends on k alone.
//
//   for each panel                                      kPanelDepth of k × kPanelColumns
//     for each share of rows and columns                one a thread
//       for each block of rows                          kBlockRows or half of that
//         for each group of slivers of b                kGroup × kColumns columns: the block of c, kept in the
//           for each chain of k                         second-level cache from the first chain to the last,
//             for each sliver                           like the blocks of a and b that it is made from
//               for each row of tiles                   a tile: c[kRows, kColumns] in registers
//
// a and b are read where they stand if tiles can do so at full speed, else packed: a block of a by the thread that
// uses it, b by group just before it is used or, where it would have to be packed for several blocks of a, all of a
// panel at once by all threads.
#pragma once

#include "../scratch.h"
#include "product.h"

// So many rows, less those that fill no tile.
template <class T>
constexpr int64_t whole_tiles(int64_t rows) {
  return rows / TileShape<T>::kRows * TileShape<T>::kRows;
}

// Rows of a worked on at once: up to 256 KiB, which leave room for b and c in an L2 of 1 MiB. Half of that where the
// slivers of b are packed already, so that nothing is packed again for another block (AMD Zen 4: 93 % of the peak at
// 2048³ with 128 KiB, 92 % with 256, 90 % with 96).
template <class T>
constexpr int64_t kBlockRows = whole_tiles<T>(256 * 1024 / (kChain * static_cast<int64_t>(sizeof(T))));
template <class T>
constexpr int64_t kHalfBlockRows = whole_tiles<T>(kBlockRows<T> / 2);

// Slivers of b packed at once: 512 bytes of each row, for which its page is worth a visit.
template <class T>
constexpr int64_t kGroup = 512 / (TileShape<T>::kColumns * static_cast<int64_t>(sizeof(T)));

// A panel by k and by columns: 4 MiB of b, which all threads pack together, in the shared cache.
constexpr int64_t kPanelDepth = 4 * kChain;
template <class T>
constexpr int64_t kPanelColumns = 4 * 1024 * 1024 / (kPanelDepth * static_cast<int64_t>(sizeof(T)));

// Up to so many columns of b, a packed a would be read too seldom to pay for its making.
template <class T>
constexpr int64_t kColumnsInPlace = 4 * TileShape<T>::kColumns;

// b is read where it stands if 256 rows of it are at most so many bytes: they stay in the second-level cache, and their
// pages in the first-level TLB. Beyond, its rows are too far apart.
constexpr int64_t kBytesInPlace = 256 * 1024;

// Where tiles find the slivers of b.
enum class Slivers : uint8_t { InPlace, Own, Shared };

template <class T>
Slivers slivers_of(const Product<T>& x) {
  const int64_t bytes = smaller_of(x.k, kChain) * x.b.row * static_cast<int64_t>(sizeof(T));
  const bool stays = bytes >= 0 && bytes <= kBytesInPlace, is_read_once = x.m <= TileShape<T>::kRows;
  if (x.b.column == 1 && (stays || is_read_once)) return Slivers::InPlace;
  return x.m <= kBlockRows<T> ? Slivers::Own : Slivers::Shared;
}

// A tile of `rows` rows whose columns lie `column` apart in c, by way of a tile in memory.
template <class T>
void multiply_apart(TileFunction<T> tile, const TileOperands<T>& t, int rows, int64_t column) {
  constexpr int kColumns = TileShape<T>::kColumns;
  T values[TileShape<T>::kRows * kColumns];
  TileOperands<T> together = t;
  together.c = values;
  together.c_row = kColumns;
  together.assign = true;
  tile(together);
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < t.width; j++) {
      T* const element = t.c + i * t.c_row + j * column;
      const T value = values[i * kColumns + j];
      *element = t.assign ? value : One<T>::add(*element, value);
    }
  }
}

// A panel of b, and what is multiplied by it: a[…, k0 … k0+depth) · b[k0 … k0+depth, j0 … j0+columns).
template <class T>
struct Panel {
  static constexpr int kRows = TileShape<T>::kRows;
  static constexpr int kColumns = TileShape<T>::kColumns;

  const Product<T>& product;
  Slivers slivers;
  bool a_in_place;
  int64_t k0, depth, j0, columns;
  T* packed;  // of shared slivers, one after the other

  int64_t column_tiles() const { return ceil_div(columns, kColumns); }

  // Packs shared slivers begin … end.
  void pack_slivers(int64_t begin, int64_t end) const {
    const int64_t j = begin * kColumns, lines = smaller_of(end * kColumns, columns) - j;
    pack<kColumns>(product.b.at(k0, j0 + j), product.b.column, product.b.row, lines, depth, packed + j * depth);
  }

  // c[first … last, columns begin … end of the panel); begin is a multiple of kColumns.
  void multiply(int64_t first, int64_t last, int64_t begin, int64_t end) const {
    thread_local Scratch a_scratch, b_scratch;
    constexpr int64_t kGroupColumns = kGroup<T> * kColumns;
    T* const own = slivers == Slivers::Shared ? nullptr : b_scratch.get<T>(kGroupColumns * kChain);
    const int64_t block = slivers == Slivers::Shared ? kHalfBlockRows<T> : kBlockRows<T>;
    for (int64_t i = first; i < last; i += block) {
      const int64_t rows = smaller_of(block, last - i);
      const TileHeights<T> heights(rows);
      const int64_t packed_size = heights.count() * kRows * kChain;
      T* const packed_a = a_in_place ? nullptr : a_scratch.get<T>(ceil_div(depth, kChain) * packed_size);
      for (int64_t p = 0; !a_in_place && p < depth; p += kChain) {
        pack_tiles(i, heights, p, packed_a + p / kChain * packed_size);
      }
      for (int64_t j = begin; j < end; j += kGroupColumns) {
        for (int64_t p = 0; p < depth; p += kChain) {
          const T* const a = a_in_place ? nullptr : packed_a + p / kChain * packed_size;
          multiply_group(i, heights, j, smaller_of(kGroupColumns, end - j), p, a, own);
        }
      }
    }
  }

 private:
  // Rows of a from `first` on, for the chain from p on: the rows of each tile are a sliver.
  void pack_tiles(int64_t first, const TileHeights<T>& heights, int64_t p, T* to) const {
    const int64_t steps = smaller_of(kChain, depth - p);
    int64_t i = first;
    for (const int64_t rows : {heights.full * kRows, int64_t{heights.rest[0]}, int64_t{heights.rest[1]}}) {
      pack<kRows>(product.a.at(i, k0 + p), product.a.row, product.a.column, rows, steps, to);
      i += rows;
      to += ceil_div(rows, kRows) * kRows * steps;
    }
  }

  // A block of rows and a group of `width` columns from j on, for the chain from p on. `own` is room for the slivers.
  void multiply_group(int64_t first, const TileHeights<T>& heights, int64_t j, int64_t width, int64_t p,
                      const T* packed_a, T* own) const {
    const int64_t steps = smaller_of(kChain, depth - p);
    // Of a group in place only the last sliver is packed, if it is not full.
    const int64_t standing = slivers == Slivers::InPlace ? width / kColumns * kColumns : 0;
    if (slivers != Slivers::Shared) {
      pack<kColumns>(product.b.at(k0 + p, j0 + j + standing), product.b.column, product.b.row, width - standing, steps,
                     own);
    }
    TileOperands<T> t;
    t.k = steps;
    t.a_row = packed_a == nullptr ? product.a.row : 1;
    t.a_step = packed_a == nullptr ? product.a.column : kRows;
    t.c_row = product.c.row;
    t.assign = k0 + p == 0;
    const int64_t sliver = packed_a == nullptr ? 0 : kRows * steps;
    for (int64_t s = 0; s < width; s += kColumns) {
      t.a = packed_a == nullptr ? product.a.at(first, k0 + p) : packed_a;
      t.b = own + (s - standing) * steps;
      t.b_step = kColumns;
      if (slivers == Slivers::Shared) {
        t.b = packed + (j + s) * depth + p * kColumns;
      } else if (s < standing) {
        t.b = product.b.at(k0 + p, j0 + j + s);
        t.b_step = product.b.row;
      }
      // After the last sliver nothing useful; it is only asked for, not read.
      t.ahead = slivers == Slivers::Shared ? t.b + kColumns * depth : nullptr;
      t.c = product.c.at(first, j0 + j + s);
      t.width = static_cast<int>(smaller_of(kColumns, width - s));
      multiply_tiles(heights.full, kRows, &t, sliver);
      for (const int height : heights.rest) multiply_tiles(height > 0, height, &t, sliver);
    }
  }

  // `count` tiles of `height` rows, from t on, which then is the next. A tile is `sliver` numbers of a packed a.
  void multiply_tiles(int64_t count, int height, TileOperands<T>* t, int64_t sliver) const {
    if (count == 0) return;
    const TileFunction<T> tile = tile_of<T>(height, t->width);
    const int64_t a_tile = sliver > 0 ? sliver : height * t->a_row, c_tile = height * t->c_row;
    const int64_t ahead = t->ahead == nullptr ? 0 : kLinesAhead * 64 / static_cast<int64_t>(sizeof(T));
    for (int64_t i = 0; i < count; i++, t->a += a_tile, t->c += c_tile, t->ahead += ahead) {
      if (product.c.column == 1) tile(*t);
      else multiply_apart<T>(tile, *t, height, product.c.column);
    }
  }
};

// What a cut between the columns of a result costs whose rows, `row` apart, do not begin on cache lines: two threads write
// the line at the cut of each row, and take it from each other. In eighths of the time of a tile `depth` steps deep. (AMD
// Zen 5, 100×100×100 with an epilogue on two threads: 18 µs cut between columns, 14 on one thread.)
template <class T>
int64_t cost_of_cut(int64_t row, int64_t rows, int64_t depth) {
  constexpr double kSharedLine = 167;  // of one row, for tiles one step deep
  if (depth == 0 || row * static_cast<int64_t>(sizeof(T)) % 64 == 0) return 0;
  return static_cast<int64_t>(kSharedLine * static_cast<double>(rows) / static_cast<double>(depth));
}

// How `rows` × `columns` tiles are cut for up to `threads` threads: into equal shares that pack little. `cut` is what a
// cut between columns costs in all.
struct Grid {
  int64_t rows = 1, columns = 1;  // shares

  Grid(int64_t row_tiles, int64_t column_tiles, int64_t threads, int64_t cut) {
    int64_t least = INT64_MAX;
    for (int64_t r = 1; r <= threads && r <= row_tiles; r++) {
      const int64_t c = smaller_of(threads / r, column_tiles);
      const int64_t height = ceil_div(row_tiles, r), width = ceil_div(column_tiles, c);
      // The time of the largest share, in eighths of a tile's: packing a sliver takes about one.
      const int64_t time = 8 * height * width + height + width + (c > 1 ? cut : 0);
      if (time >= least) continue;
      least = time;
      rows = r;
      columns = c;
    }
  }
};

template <class T>
void multiply_blocked(const Product<T>& x) {
  thread_local Scratch scratch;
  constexpr int64_t kRows = TileShape<T>::kRows, kColumns = TileShape<T>::kColumns;
  const Slivers slivers = slivers_of(x);
  const bool is_shared = slivers == Slivers::Shared, a_in_place = x.a.column == 1 || x.n <= kColumnsInPlace<T>;
  const int64_t most_columns = is_shared ? kPanelColumns<T> : x.n;
  for (int64_t j0 = 0; j0 < x.n; j0 += most_columns) {
    for (int64_t k0 = 0; k0 < x.k; k0 += kPanelDepth) {
      const int64_t columns = smaller_of(most_columns, x.n - j0), depth = smaller_of(kPanelDepth, x.k - k0);
      Panel<T> panel{x, slivers, a_in_place, k0, depth, j0, columns, nullptr};
      const int64_t row_tiles = ceil_div(x.m, kRows), column_tiles = panel.column_tiles();
      if (is_shared) {
        panel.packed = scratch.get<T>(column_tiles * kColumns * depth);
        parallel_for(column_tiles, 1 + kProductGrain / 8 / (kColumns * depth),
                     [&](int64_t begin, int64_t end) { panel.pack_slivers(begin, end); });
      }
      const int64_t worth = ceil_div(x.m * depth * columns, kProductGrain);
      const Grid grid(row_tiles, column_tiles, smaller_of(thread_limit(), worth), cost_of_cut<T>(x.c.row, x.m, depth));
      parallel_for(grid.rows * grid.columns, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          const int64_t r = i / grid.columns, c = i % grid.columns;
          panel.multiply(row_tiles * r / grid.rows * kRows, smaller_of(row_tiles * (r + 1) / grid.rows * kRows, x.m),
                         column_tiles * c / grid.columns * kColumns,
                         smaller_of(column_tiles * (c + 1) / grid.columns * kColumns, columns));
        }
      });
    }
  }
}
