// A chain that folds nothing: its elements are independent, so they are walked in the order of memory.
#pragma once

#include "args.h"

// All axes, those of the first output from the longest stride to the shortest, so that it is written in order.
inline SharedAxes map_axes(const FusedArgs& a) {
  const int rank = a.o.rank + a.r.rank, lead = a.operands.first_output();
  const auto size = [&](int axis) { return axis < a.o.rank ? a.o.sizes[axis] : a.r.sizes[axis - a.o.rank]; };
  int order[2 * kMaxRank], axes = 0;
  for (int axis = 0; axis < rank; axis++) {
    if (size(axis) == 1) continue;
    // Insertion sort: there are few axes, and equal strides must keep their order.
    int at = axes++;
    for (; at > 0 && std::abs(a.strides[lead][order[at - 1]]) < std::abs(a.strides[lead][axis]); at--) {
      order[at] = order[at - 1];
    }
    order[at] = axis;
  }
  SharedAxes result(a.full());
  for (int i = 0; i < axes; i++) result.append(size(order[i]), [&](int o) { return a.strides[o][order[i]]; });
  result.close();
  return result;
}

template <class T>
void fused_map(const FusedArgs& a, const FusedCode& code) {
  const SharedAxes axes = map_axes(a);
  if (axes.count == 0) return;
  // Tiles are cut from the last two axes.
  const int last = axes.rank - 1;
  const int64_t width = axes.sizes[last], height = last > 0 ? axes.sizes[last - 1] : 1;
  const auto row_stride = [&](int o) { return last > 0 ? axes.strides[o][last - 1] : 0; };
  bool is_transposed = false;  // an operand whose columns, not rows, lie along cache lines
  for (int o = 0; o < axes.operands; o++) {
    is_transposed |= row_stride(o) != 0 && std::abs(row_stride(o)) < std::abs(axes.inner_stride(o));
  }
  const auto smaller = [](int64_t x, int64_t y) { return x < y ? x : y; };
  const int64_t columns = smaller(width, is_transposed ? kFusedTile<T> / 32 : kFusedTile<T>);
  const int64_t rows = smaller(height, kFusedTile<T> / columns);
  const int64_t across = (width + columns - 1) / columns, down = (height + rows - 1) / rows;
  const int64_t tiles = axes.count / (width * height) * down * across;
  parallel_for(tiles, 1 + fused_grain(code) / (rows * columns), [&](int64_t begin, int64_t end) {
    FusedMachine<T> machine(code);
    BlockOperand at[kMaxOperands];
    // The tile at hand, and where each operand has the first element of its last two axes.
    int64_t column = begin % across * columns, row = begin / across % down * rows, outer = begin / (across * down);
    int64_t offsets[kMaxOperands];
    for (int64_t t = begin, known = -1; t < end; t++) {
      if (outer != known) {
        for (int o = 0; o < axes.operands; o++) offsets[o] = 0;
        axes.add_offsets(outer, last - 2, offsets);
        known = outer;
      }
      for (int o = 0; o < axes.operands; o++) {
        const int64_t row_step = row_stride(o), column_step = axes.inner_stride(o);
        at[o] = a.at<T>(o, offsets[o] + row * row_step + column * column_step, row_step, column_step);
      }
      machine.run_tile(smaller(rows, height - row), smaller(columns, width - column), at, nullptr,
                       [](const FusedStep&, const T*) {});
      if ((column += columns) < width) continue;
      column = 0;
      if ((row += rows) < height) continue;
      row = 0;
      outer++;
    }
  });
}
