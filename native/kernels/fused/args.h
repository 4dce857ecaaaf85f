// The arguments of a chain of elementwise operations.
#pragma once

#include "machine.h"

// Marks the operands of a chain that are an output and an input beginning at the same element.
inline void find_shared(void* const* data, const FusedOperands& operands, bool* is_shared) {
  for (int i = operands.bytes; i < operands.first_output(); i++) {
    for (int j = operands.first_output(); j < operands.count(); j++) {
      if (data[i] == data[j]) is_shared[i] = is_shared[j] = true;
    }
  }
}

// The arguments of a chain: operands by number, groups O and R, and each operand's strides (over O and then R; those
// of a fold over O alone).
struct FusedArgs {
  const Args& args;
  const FusedOperands& operands;
  Group o, r;
  const int64_t* strides[kMaxOperands];
  bool is_shared[kMaxOperands] = {};

  FusedArgs(const Args& args, const FusedOperands& operands) : args(args), operands(operands) {
    DimsReader dims(args);
    o = dims.group();
    r = dims.group();
    for (int i = 0; i < operands.count(); i++) {
      strides[i] = dims.strides(o);
      if (i < operands.first_fold()) dims.strides(r);
    }
    find_shared(args.operands, operands, is_shared);
  }

  // Operands that walk R as well: all but the folds.
  int full() const { return operands.first_fold(); }

  // An operand at an offset in elements of T, or of a byte.
  template <class T>
  BlockOperand at(int operand, int64_t offset, int64_t row, int64_t column) const {
    char* const data = static_cast<char*>(args.operands[operand]) + offset * operands.element_bytes<T>(operand);
    return {data, row, column, is_shared[operand], false};
  }
};

// Elements that are worth a thread of their own: a function that costs twice as much halves them.
inline int64_t fused_grain(const FusedCode& code) {
  double cost = 1.0 / kCheap;
  for (int i = 0; i < code.count; i++) {
    if (code.steps[i].kind == FusedStep::Kind::Apply) {
      cost += 1.0 / static_cast<double>(kFusedFunctions[code.steps[i].row].grain);
    }
  }
  return static_cast<int64_t>(1 / cost);
}
