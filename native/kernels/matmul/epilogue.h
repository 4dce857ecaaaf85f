// The matrix product whose result passes through a chain of elementwise operations before it leaves the cache: a block
// of it is computed into memory that the thread keeps, all of k, and the chain is run over it there.
//
//   for each panel of b                                 all of k; its slivers shared where matmul would share them
//     for each share of rows and columns                one a thread
//       for each block of rows and of columns           kFinishedRows × kFinishedColumns, in the second-level cache
//         the product, as Panel computes it             chain by chain
//         the chain of operations
//
// How blocks are cut does not matter to an element's bits: its additions depend on k alone.
#pragma once

#include "../fused/args.h"
#include "blocked.h"
#include "transposed.h"
#include "vector.h"

// Rows and columns of a finished block: 256 KiB. Where a is packed, which is done once more for each block of columns,
// blocks are twice as wide. (AMD Zen 4, 1024³: a block with twice the rows or half the columns costs as much or more.)
template <class T>
constexpr int64_t kFinishedRows = kHalfBlockRows<T>;
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

  // Over the block whose element (0, 0) is element (i, j) of the result; rows of its product are `row` apart.
  void run(FusedMachine<T>* machine, int64_t i, int64_t j, int64_t rows, int64_t columns, T* product,
           int64_t row) const {
    BlockOperand at[kMaxOperands];
    for (int o = 0; o < code.operands.count(); o++) {
      at[o] = operands[o].moved(i, j, code.operands.element_bytes<T>(o));
    }
    const BlockOperand x{product, row, 1, false, false};
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
  const int64_t share = vector_share(x, 1 + static_cast<int64_t>(1 / (epilogue.worth(x.k) * kUnit)));
  parallel_for(ceil_div(x.n, kUnit), share, [&](int64_t begin, int64_t end) {
    FusedMachine<T> machine(epilogue.code);
    alignas(64) T values[kStrip];
    const int64_t last = smaller_of(end * kUnit, x.n);
    for (int64_t j = begin * kUnit; j < last; j += kStrip) {
      const int64_t columns = smaller_of(kStrip, last - j);
      if (x.k == 0) std::memset(values, 0, sizeof values);
      else VectorProduct<T>(part_of(x, 0, j, 1, columns, values), a).multiply(0, columns);
      epilogue.run(&machine, 0, j, 1, columns, values, columns);
    }
  });
}

// For what transposed.h is for: a block of it is turned around and finished while it is in the first-level cache.
template <class T>
void finish_transposed(const Product<T>& x, const Epilogue<T>& epilogue) {
  constexpr int64_t W = Words<T>::W;
  static_assert(kFusedTile<T> >= 2 * TileShape<T>::kColumns * W, "a tile holds a vector of each row (pays_transposed)");
  const double worth = static_cast<double>(x.m) * static_cast<double>(x.n) * epilogue.worth(x.k);
  const int64_t most = kFusedTile<T> / x.m / W * W;
  multiply_transposed(x, worth, [&](int64_t j, int64_t columns, const T* turned) {
    FusedMachine<T> machine(epilogue.code);
    alignas(64) T values[kFusedTile<T>];
    for (int64_t c = 0; c < columns; c += most) {
      const int64_t width = smaller_of(most, columns - c);
      turn(turned + c * x.m, x.m, width, x.m, values, width);
      epilogue.run(&machine, 0, j + c, x.m, width, values, width);
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
        slivers_(slivers_of(x)),
        a_in_place_(x.a.column == 1 || x.n <= kColumnsInPlace<T>) {}

  void run() const {
    thread_local Scratch scratch;
    if (x_.k == 0 || slivers_ != Slivers::Shared) return run_panel(0, x_.n, nullptr);
    // As large as a panel of matmul, but with all of k, and not too narrow.
    const int64_t fits = kPanelDepth * kPanelColumns<T> / x_.k / kColumns * kColumns;
    const int64_t most_columns = fits > kFinishedColumns<T> ? fits : kFinishedColumns<T>;
    for (int64_t j = 0; j < x_.n; j += most_columns) {
      const int64_t columns = smaller_of(most_columns, x_.n - j), slivers = ceil_div(columns, kColumns);
      T* const packed = scratch.get<T>(slivers * kColumns * x_.k);
      const Panel<T> panel{x_, slivers_, a_in_place_, 0, x_.k, j, columns, packed};
      parallel_for(slivers, 1 + kProductGrain / 8 / (kColumns * x_.k),
                   [&](int64_t begin, int64_t end) { panel.pack_slivers(begin, end); });
      run_panel(j, columns, packed);
    }
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

  // Columns j … j + columns, of which `packed` has the shared slivers of b.
  void run_panel(int64_t j, int64_t columns, const T* packed) const {
    const Range down{0, ceil_div(x_.m, kRows), kRows, x_.m}, across{0, ceil_div(columns, kColumns), kColumns, columns};
    const double worth = static_cast<double>(x_.m) * static_cast<double>(columns) * epilogue_.worth(x_.k);
    const int64_t threads = worth < thread_limit() ? 1 + static_cast<int64_t>(worth) : thread_limit();
    const int64_t row = epilogue_.operands[epilogue_.code.operands.first_output()].row;
    const Grid grid(down.tiles, across.tiles, threads, cost_of_cut<T>(row, x_.m, x_.k));
    parallel_for(grid.rows * grid.columns, 1, [&](int64_t begin, int64_t end) {
      FusedMachine<T> machine(epilogue_.code);
      for (int64_t share = begin; share < end; share++) {
        finish(&machine, down.part(share / grid.columns, grid.rows), across.part(share % grid.columns, grid.columns),
               j, packed);
      }
    });
  }

  void finish(FusedMachine<T>* machine, const Range& rows, const Range& columns, int64_t j, const T* packed) const {
    const int64_t down = ceil_div(rows.tiles * kRows, kFinishedRows<T>);
    const int64_t across = ceil_div(columns.tiles * kColumns, kFinishedColumns<T> * (a_in_place_ ? 1 : 2));
    for (int64_t r = 0; r < down; r++) {
      for (int64_t c = 0; c < across; c++) {
        finish_block(machine, rows.part(r, down), columns.part(c, across), j, packed);
      }
    }
  }

  void finish_block(FusedMachine<T>* machine, const Range& rows, const Range& columns, int64_t j,
                    const T* packed) const {
    thread_local Scratch scratch;
    const int64_t top = rows.begin(), left = columns.begin(), m = rows.length(), n = columns.length();
    T* const values = scratch.get<T>(m * n);
    if (x_.k == 0) {
      std::memset(values, 0, static_cast<size_t>(m * n) * sizeof(T));
    } else {
      const Product<T> part = part_of(x_, top, j + left, m, n, values);
      T* const slivers = packed == nullptr ? nullptr : const_cast<T*>(packed) + left * x_.k;
      Panel<T>{part, slivers_, a_in_place_, 0, x_.k, 0, n, slivers}.multiply(0, m, 0, n);
    }
    epilogue_.run(machine, top, j + left, m, n, values, n);
  }

  const Product<T>& x_;
  const Epilogue<T>& epilogue_;
  const Slivers slivers_;
  const bool a_in_place_;
};
