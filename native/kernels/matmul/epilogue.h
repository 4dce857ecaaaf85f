// The matrix product whose result passes through a chain of elementwise operations before it leaves the cache: a block
// of it is computed into memory that the thread keeps, all of k, and the chain is run over it there.
//
//   for each share of rows and columns                  one a thread
//     for each block of rows and of columns             kFinishedRows × kFinishedColumns, in the second-level cache
//       the product, as Panel computes it               packing for itself what must be packed
//       the chain
//
// The blocks are cut as cannot matter to an element's bits: each is one chain of additions over all of k.
#pragma once

#include "../fused/args.h"
#include "blocked.h"
#include "vector.h"

// A finished block is 256 KiB. Its a is packed once more for each block of columns, its b for each of rows, which takes
// about an eighth of a tile's time for each sliver: less than 1 % of a block's.
template <class T>
constexpr int64_t kFinishedRows = kBlockRows<T> / 2 / kLinesOfA<T> * kLinesOfA<T>;
template <class T>
constexpr int64_t kFinishedColumns = 2048 / static_cast<int64_t>(sizeof(T));

// What happens to the product of two matrices.
template <class T>
struct Epilogue {
  const FusedCode& code;
  BlockOperand operands[kMaxOperands];  // rows and columns are those of the product

  Epilogue transposed() const {
    Epilogue y = *this;
    for (BlockOperand& operand : y.operands) std::swap(operand.row, operand.column);
    return y;
  }

  // Whether the rows of the first output lie apart and its columns do not.
  bool is_by_columns() const {
    const BlockOperand& output = operands[code.operands.first_output()];
    return std::abs(output.row) < std::abs(output.column);
  }

  // The part of a thread's worth (kProductGrain, fused_grain) that an element of the result is.
  double worth(int64_t k) const {
    return static_cast<double>(k) / kProductGrain + 1.0 / static_cast<double>(1 + fused_grain(code));
  }

  // Over the block whose element (0, 0) is element (i, j) of the result; its product is contiguous.
  void run(FusedMachine<T>* machine, int64_t i, int64_t j, int64_t rows, int64_t columns, T* product) const {
    BlockOperand at[kMaxOperands];
    for (int o = 0; o < code.operands.count(); o++) {
      at[o] = operands[o].moved(i, j, code.operands.element_bytes<T>(o));
    }
    const BlockOperand x{product, columns, 1, false, false};
    machine->run(rows, columns, at, &x);
  }
};

// The part of x from element (i, j) on, into contiguous rows of `values`.
template <class T>
Product<T> part_of(const Product<T>& x, int64_t i, int64_t j, int64_t rows, int64_t columns, T* values) {
  const Matrix<const T> a{x.a.at(i, 0), x.a.row, x.a.column}, b{x.b.at(0, j), x.b.row, x.b.column};
  return {rows, x.k, columns, a, b, {values, columns, 1}};
}

// For m = 1.
template <class T>
void finish_vector(const Product<T>& x, const Epilogue<T>& epilogue) {
  thread_local Scratch scratch;
  const T* const a = contiguous_vector(x, &scratch);
  constexpr int64_t kUnit = kVectorUnit<T>, kStrip = kVectorStrip<T>;
  const int64_t grain = 1 + static_cast<int64_t>(1 / (epilogue.worth(x.k) * kUnit));
  parallel_for(ceil_div(x.n, kUnit), grain, [&](int64_t begin, int64_t end) {
    FusedMachine<T> machine(epilogue.code);
    alignas(64) T values[kStrip];
    const int64_t last = smaller_of(end * kUnit, x.n);
    for (int64_t j = begin * kUnit; j < last; j += kStrip) {
      const int64_t columns = smaller_of(kStrip, last - j);
      if (x.k == 0) std::memset(values, 0, sizeof values);
      else VectorProduct<T>(part_of(x, 0, j, 1, columns, values), a).multiply(0, columns);
      epilogue.run(&machine, 0, j, 1, columns, values);
    }
  });
}

// For m, n > 1.
template <class T>
class FinishedBlocks {
 public:
  FinishedBlocks(const Product<T>& x, const Epilogue<T>& epilogue)
      : x_(x),
        epilogue_(epilogue),
        slivers_(slivers_of(x) == Slivers::InPlace ? Slivers::InPlace : Slivers::Own),
        a_in_place_(x.a.column == 1 || x.n <= kColumnsInPlace<T>) {}

  void run() const {
    const int64_t row_tiles = ceil_div(x_.m, kRows), column_tiles = ceil_div(x_.n, kColumns);
    const double worth = static_cast<double>(x_.m) * static_cast<double>(x_.n) * epilogue_.worth(x_.k);
    const int64_t threads = worth < thread_limit() ? 1 + static_cast<int64_t>(worth) : thread_limit();
    const Grid grid(row_tiles, column_tiles, threads);
    parallel_for(grid.rows * grid.columns, 1, [&](int64_t begin, int64_t end) {
      FusedMachine<T> machine(epilogue_.code);
      for (int64_t share = begin; share < end; share++) {
        const int64_t r = share / grid.columns, c = share % grid.columns;
        const int64_t top = row_tiles * r / grid.rows, left = column_tiles * c / grid.columns;
        finish(&machine, {top, row_tiles * (r + 1) / grid.rows - top, kRows, x_.m},
               {left, column_tiles * (c + 1) / grid.columns - left, kColumns, x_.n});
      }
    });
  }

 private:
  static constexpr int64_t kRows = TileShape<T>::kRows, kColumns = TileShape<T>::kColumns;

  // Rows or columns in whole tiles, the last of which may reach beyond the end.
  struct Range {
    int64_t first, tiles, size, end;

    int64_t begin() const { return first * size; }
    int64_t length() const { return smaller_of((first + tiles) * size, end) - begin(); }
    // Part i of n.
    Range part(int64_t i, int64_t n) const {
      const int64_t from = tiles * i / n;
      return {first + from, tiles * (i + 1) / n - from, size, end};
    }
  };

  void finish(FusedMachine<T>* machine, const Range& rows, const Range& columns) const {
    const int64_t down = ceil_div(rows.tiles * kRows, kFinishedRows<T>);
    const int64_t across = ceil_div(columns.tiles * kColumns, kFinishedColumns<T>);
    for (int64_t i = 0; i < down; i++) {
      for (int64_t j = 0; j < across; j++) finish_block(machine, rows.part(i, down), columns.part(j, across));
    }
  }

  void finish_block(FusedMachine<T>* machine, const Range& rows, const Range& columns) const {
    thread_local Scratch scratch;
    const int64_t i = rows.begin(), j = columns.begin(), m = rows.length(), n = columns.length();
    T* const values = scratch.get<T>(m * n);
    if (x_.k == 0) {
      std::memset(values, 0, static_cast<size_t>(m * n) * sizeof(T));
    } else {
      const Product<T> part = part_of(x_, i, j, m, n, values);
      Panel<T>{part, slivers_, a_in_place_, 0, x_.k, 0, n, nullptr}.multiply(0, m, 0, n);
    }
    epilogue_.run(machine, i, j, m, n, values);
  }

  const Product<T>& x_;
  const Epilogue<T>& epilogue_;
  const Slivers slivers_;
  const bool a_in_place_;
};
