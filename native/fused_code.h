// The code of a fused chain, decoded and checked: a short program over tile registers (docs/kernels.md, "Chains").
// No vectors here: the steps name rows of kernels.def, and kernels/fused/ runs them at its level.
#pragma once

#include "kernel.h"

namespace thalweg {

// A register holds one number for each element of a tile. 16 of them with 1024 floats are 64 KiB, of which a chain
// touches the few it uses.
constexpr int kTileRegisters = 16;
constexpr int kMaxFusedSteps = 256;

// The operations that are no kernels' numbers.
constexpr double kLoadOperation = -1, kStoreOperation = -2;

enum class FoldKind : uint8_t { Sum, Prod, Max, Min };

// How many operands of a kind there are, in the order of their numbers.
struct FusedOperands {
  int bytes = 0;    // inputs of uint8
  int inputs = 0;   // inputs of T
  int outputs = 0;  // outputs of T with an element for each element of the inputs
  int folds = 0;    // outputs of T with an element for each folded sequence
  bool has_product = false;  // register 0 is filled beforehand, and nothing may be folded

  int first_output() const { return bytes + inputs; }
  int first_fold() const { return first_output() + outputs; }
  int count() const { return first_fold() + folds; }

  template <class T>
  int64_t element_bytes(int operand) const { return operand < bytes ? 1 : sizeof(T); }
};

// One instruction of the code.
struct FusedStep {
  enum class Kind : uint8_t {
    Load,   // to ← operand
    Apply,  // to ← row(from…; scalars)
    Store,  // operand ← from[0]
    Fold    // operand ← the fold of from[0]
  };
  Kind kind;
  FoldKind fold;
  uint8_t to;
  uint8_t from[3];
  uint8_t inputs;    // registers in `from`
  uint8_t operand;
  bool is_only_write;  // no other step writes register `to`
  // Load: whether the register is read after a store, which may have changed the operand (see FusedMachine::load).
  bool is_read_after_store;
  // Apply: the operand that the register is stored to, or −1, and whether the next step does that.
  int8_t stored_to;
  bool is_stored_next;
  int row;  // of kernels.def
  const double* scalars;
};

struct FusedCode {
  FusedOperands operands;
  int count = 0;
  FusedStep steps[kMaxFusedSteps];
};

// Decodes `count` words of code for elements of `type`. The words must outlive the result. A status that is not ok
// says what is wrong; the result is then of no use.
Status decode_fused(const double* words, int64_t count, const FusedOperands& operands, Storage type, FusedCode* code);

}  // namespace thalweg
