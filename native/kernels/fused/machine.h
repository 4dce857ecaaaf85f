// Runs the code of a chain over one block of elements after another, tile by tile: each step is one loop over a tile
// that stays in the first-level cache. Also what a matrix product applies to its blocks. Knows no dims and no threads.
#pragma once

#include "axes.h"
#include "functions.h"

// Elements of a tile: long enough for the loops to hide what a step costs beside them (some 3 ns), short enough for
// half a dozen registers to stay in a 32 KiB cache. It divides kBlock, and is a multiple of kLanes.
template <class T>
constexpr int64_t kFusedTile = 4096 / sizeof(T);

// An operand of a block: its element in row 0 and column 0, and its strides in elements.
struct BlockOperand {
  void* data;
  int64_t row, column;
  // An input that an output may overwrite.
  bool is_shared;
  // The tile's elements stand neither evenly apart nor in rows: they are found by FusedMachine::scatter.
  bool is_scattered;

  // The operand of a block that begins so many rows and columns further on; elements have so many bytes.
  BlockOperand moved(int64_t rows, int64_t columns, int64_t bytes) const {
    BlockOperand at = *this;
    at.data = static_cast<char*>(data) + (rows * row + columns * column) * bytes;
    return at;
  }
};

template <class T>
class FusedMachine {
 public:
  explicit FusedMachine(const FusedCode& code) : code_(code) {}

  // Where scattered operands have the elements of the next tile, which has one row: from element `first` of the axes
  // on, counted from `data`.
  void scatter(const SharedAxes& axes, int64_t first) {
    axes_ = &axes;
    first_ = first;
  }

  // Runs the code over a block of any size. Register 0 holds the elements of `product`, if the code has one, at the
  // start of each tile. The code may not fold.
  void run(int64_t rows, int64_t columns, const BlockOperand* operands, const BlockOperand* product = nullptr) {
    const int64_t width = columns < kFusedTile<T> ? columns : kFusedTile<T>;
    const int64_t most = kFusedTile<T> / width, height = rows < most ? rows : most;
    BlockOperand at[kMaxOperands + 1];
    const int count = code_.operands.count();
    for (int64_t r = 0; r < rows; r += height) {
      for (int64_t c = 0; c < columns; c += width) {
        for (int o = 0; o < count; o++) at[o] = operands[o].moved(r, c, code_.operands.element_bytes<T>(o));
        if (product != nullptr) at[count] = product->moved(r, c, sizeof(T));
        run_tile(rows - r < height ? rows - r : height, columns - c < width ? columns - c : width, at,
                 product == nullptr ? nullptr : &at[count], [](const FusedStep&, const T*) {});
      }
    }
  }

  // Runs the code over one tile of at most kFusedTile elements; fold(step, x) takes the numbers of each fold.
  template <class FoldTile>
  void run_tile(int64_t rows, int64_t columns, const BlockOperand* operands, const BlockOperand* product,
                const FoldTile& fold) {
    const int64_t n = rows * columns;
    if (product != nullptr) {
      value_[0] = stands(*product, rows, columns) ? static_cast<const T*>(product->data)
                                                  : copied<T>(*product, rows, columns, scratch_[0]);
    }
    for (const FusedStep *step = code_.steps, *const end = step + code_.count; step < end; step++) {
      switch (step->kind) {
        case FusedStep::Kind::Load:
          value_[step->to] = step->operand < code_.operands.bytes
                                 ? load<uint8_t>(*step, operands[step->operand], rows, columns)
                                 : load<T>(*step, operands[step->operand], rows, columns);
          break;
        case FusedStep::Kind::Apply: {
          const void* x[3];
          for (int i = 0; i < step->inputs; i++) x[i] = value_[step->from[i]];
          T* const y = step->stored_to >= 0 ? result(*step, operands[step->stored_to], rows, columns)
                                            : scratch_[step->to];
          value_[step->to] = y;
          if (step->inputs == 0 && step->is_only_write && y == scratch_[step->to]) {
            if (filled_[step->to] >= n) break;  // a constant, there from a tile before
            filled_[step->to] = n;
          }
          kFusedFunctions[step->row].run(n, step->scalars, y, x);
          break;
        }
        case FusedStep::Kind::Store:
          store(operands[step->operand], step->operand, rows, columns, value_[step->from[0]]);
          break;
        case FusedStep::Kind::Fold:
          fold(*step, value_[step->from[0]]);
          break;
      }
    }
  }

 private:
  // What a register holds from a tile before: so many rows and columns of the elements at `data`.
  struct Held {
    const void* data = nullptr;
    int64_t rows = 0, columns = 0;
  };

  // Whether a tile's elements are contiguous in memory.
  static bool stands(const BlockOperand& operand, int64_t rows, int64_t columns) {
    return !operand.is_scattered && (operand.column == 1 || columns == 1) && (operand.row == columns || rows == 1);
  }

  // The elements of an operand: where they stand if that is possible, else copied into the register.
  template <class From>
  const T* load(const FusedStep& step, const BlockOperand& from, int64_t rows, int64_t columns) {
    T* const to = scratch_[step.to];
    if constexpr (std::is_same<From, T>::value) {
      // An operand that is also an output changes where it stands when the output is stored.
      const bool changes = step.is_read_after_store && from.is_shared;
      if (!changes && stands(from, rows, columns)) return static_cast<const T*>(from.data);
    }
    // Repeated rows or elements are often those of the tile before.
    const bool repeats = rows > 1 ? from.row == 0 : from.column == 0;
    Held& held = held_[step.to];
    const Held now{from.data, rows, columns};
    if (repeats && step.is_only_write && !from.is_shared && !from.is_scattered) {
      if (held.data == now.data && held.rows == rows && held.columns == columns) return to;
      held = now;
    } else {
      held.data = nullptr;
    }
    if (!from.is_scattered) return copied<From>(from, rows, columns, to);
    const From* const p = static_cast<const From*>(from.data);
    axes_->each_run(step.operand, first_, columns, [&](int64_t at, int64_t offset, int64_t length, int64_t stride) {
      for (int64_t i = 0; i < length; i++) to[at + i] = static_cast<T>(p[offset + i * stride]);
    });
    return to;
  }

  template <class From>
  static const T* copied(const BlockOperand& from, int64_t rows, int64_t columns, T* to) {
    const From* const p = static_cast<const From*>(from.data);
    const int64_t row = from.row, column = from.column;
    if (column == 0 || columns == 1) {
      for (int64_t r = 0; r < rows; r++) {
        const T x = static_cast<T>(p[r * row]);
        for (int64_t c = 0; c < columns; c++) to[r * columns + c] = x;
      }
    } else if (column == 1 && row == 0 && std::is_same<From, T>::value) {
      std::memcpy(to, p, static_cast<size_t>(columns) * sizeof(T));
      // What is there already, again and again.
      const int64_t n = rows * columns;
      for (int64_t done = columns; done < n; done *= 2) {
        std::memcpy(to + done, to, static_cast<size_t>(done < n - done ? done : n - done) * sizeof(T));
      }
    } else if (column == 1) {
      for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < columns; c++) to[r * columns + c] = static_cast<T>(p[r * row + c]);
      }
    } else if (row != 0 && std::abs(row) < std::abs(column)) {  // down the columns: along cache lines
      for (int64_t c = 0; c < columns; c++) {
        for (int64_t r = 0; r < rows; r++) to[r * columns + c] = static_cast<T>(p[r * row + c * column]);
      }
    } else {
      for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < columns; c++) to[r * columns + c] = static_cast<T>(p[r * row + c * column]);
      }
    }
    return to;
  }

  // Where a step whose register is stored later puts its result: into the output at once where it may. If the output
  // is also an input, no step may come between, since it could still read that.
  T* result(const FusedStep& step, const BlockOperand& output, int64_t rows, int64_t columns) {
    const bool may = (step.is_stored_next || !output.is_shared) && stands(output, rows, columns);
    return may ? static_cast<T*>(output.data) : scratch_[step.to];
  }

  // memmove: where a program breaks the rule and lets an output overlap an input that is read in place, x may be part of
  // the output.
  void store(const BlockOperand& to, int operand, int64_t rows, int64_t columns, const T* x) {
    T* const p = static_cast<T*>(to.data);
    if (to.is_scattered) {
      axes_->each_run(operand, first_, columns, [&](int64_t at, int64_t offset, int64_t length, int64_t stride) {
        for (int64_t i = 0; i < length; i++) p[offset + i * stride] = x[at + i];
      });
    } else if (stands(to, rows, columns)) {
      if (p != x) std::memmove(p, x, static_cast<size_t>(rows * columns) * sizeof(T));
    } else {
      for (int64_t r = 0; r < rows; r++, x += columns) {
        T* const row = p + r * to.row;
        if (to.column == 1) std::memmove(row, x, static_cast<size_t>(columns) * sizeof(T));
        else for (int64_t c = 0; c < columns; c++) row[c * to.column] = x[c];
      }
    }
  }

  const FusedCode& code_;
  const SharedAxes* axes_ = nullptr;
  int64_t first_ = 0;
  const T* value_[kTileRegisters];
  Held held_[kTileRegisters];
  int64_t filled_[kTileRegisters] = {};
  alignas(64) T scratch_[kTileRegisters][kFusedTile<T>];
};
