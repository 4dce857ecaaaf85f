#include "fused_code.h"

#include <vector>

#include "table.h"

namespace thalweg {
namespace {

// What a kernel's number means in the code of a chain.
struct Operation {
  enum class Kind : uint8_t { None, Map, Fold };
  Kind kind = Kind::None;
  FoldKind fold = FoldKind::Sum;
  Storage type = Storage::F32;
  uint8_t inputs = 0;
  uint8_t scalars = 0;
  int row = 0;
};

Operation operation_of(const KernelSpec& spec) {
  constexpr struct {
    const char* stem;
    FoldKind fold;
  } kFolds[] = {{"sum_", FoldKind::Sum}, {"prod_", FoldKind::Prod}, {"max_", FoldKind::Max}, {"min_", FoldKind::Min}};
  Operation operation;
  operation.type = spec.type;
  operation.row = spec.row;
  operation.inputs = static_cast<uint8_t>(spec.signature.operands.size() - 1);
  operation.scalars = static_cast<uint8_t>(spec.scalars);
  if (spec.is_map) operation.kind = Operation::Kind::Map;
  for (const auto& fold : kFolds) {
    if (spec.name != std::string(fold.stem) + storage_name(spec.type)) continue;
    operation.kind = Operation::Kind::Fold;
    operation.fold = fold.fold;
  }
  return operation;
}

// By number of kernel.
const std::vector<Operation>& operations() {
  static const std::vector<Operation>& operations = *[] {
    auto* all = new std::vector<Operation>;
    for (const KernelSpec& spec : kernel_table()) all->push_back(operation_of(spec));
    return all;
  }();
  return operations;
}

class FusedDecoder {
 public:
  FusedDecoder(const double* words, int64_t count, Storage type, FusedCode* code)
      : next_(words), end_(words + count), type_(type), code_(code), operations_(operations()) {
    if (code->operands.has_product) is_written_[0] = true, writes_[0] = 1;
  }

  Status status;

  bool decode() {
    while (next_ < end_) {
      if (code_->count == kMaxFusedSteps) return fail("number of instructions", code_->count + 1, "at most 256");
      if (!step(&code_->steps[code_->count])) return false;
      code_->count++;
    }
    for (int o = code_->operands.first_output(); o < code_->operands.count(); o++) {
      if (!has_value_[o]) return fail("operand that nothing is stored to", o, "none");
    }
    for (int i = 0; i < code_->count; i++) follow(i);
    return true;
  }

 private:
  bool fail(const char* what, double value, const char* needed) {
    status.position = code_->count;
    status.what = what;
    status.value = value;
    status.needed = needed;
    return false;
  }

  bool step(FusedStep* step) {
    *step = {};
    step->stored_to = -1;
    const double operation = *next_++;
    if (operation == kLoadOperation) {
      step->kind = FusedStep::Kind::Load;
      return written(&step->to) && input(&step->operand);
    }
    if (operation == kStoreOperation) {
      step->kind = FusedStep::Kind::Store;
      const FusedOperands& o = code_->operands;
      const char* const needed = o.has_product ? "an output that nothing is stored to yet"
                                               : "an output over O and R that nothing is stored to yet";
      return output(o.first_output(), o.first_fold(), needed, step) && read(&step->from[0]);
    }
    const bool is_kernel = operation >= 0 && operation < static_cast<double>(operations_.size());
    const size_t number = is_kernel ? static_cast<size_t>(operation) : 0;
    const Operation& known = operations_[number];
    const bool has_product = code_->operands.has_product;
    if (!is_kernel || static_cast<double>(number) != operation || known.kind == Operation::Kind::None ||
        known.type != type_ || (has_product && known.kind == Operation::Kind::Fold)) {
      return fail("operation", operation,
                  has_product ? "-1, -2, or the number of an elementwise kernel of this type"
                              : "-1, -2, or the number of an elementwise kernel or a fold of this type");
    }
    step->inputs = known.inputs;
    if (known.kind == Operation::Kind::Fold) {
      step->kind = FusedStep::Kind::Fold;
      step->fold = known.fold;
      const FusedOperands& o = code_->operands;
      return output(o.first_fold(), o.count(), "an output over O that nothing is stored to yet", step) &&
             read(&step->from[0]);
    }
    step->kind = FusedStep::Kind::Apply;
    step->row = known.row;
    // The result may go into a register that is read, so the reads come first, and in the code second.
    const double* const to = next_++;
    for (int i = 0; i < known.inputs; i++) {
      if (!read(&step->from[i])) return false;
    }
    const double* const scalars = next_;
    next_ = to;
    if (!written(&step->to)) return false;
    next_ = scalars + known.scalars;
    step->scalars = scalars;
    return next_ <= end_ || fail("number of words after it", static_cast<double>(end_ - scalars), "enough");
  }

  bool word(const char* what, int bound, const char* needed, uint8_t* value) {
    if (next_ >= end_) return fail("number of words after it", 0, "enough");
    const double word = *next_++;
    if (!(word >= 0 && word < bound)) return fail(what, word, needed);
    *value = static_cast<uint8_t>(word);
    return static_cast<double>(*value) == word || fail(what, word, needed);
  }

  bool read(uint8_t* number) {
    if (!word("register", kTileRegisters, "an integer in [0, 15]", number)) return false;
    return is_written_[*number] || fail("register", *number, "one that has been written");
  }

  bool written(uint8_t* number) {
    if (!word("register", kTileRegisters, "an integer in [0, 15]", number)) return false;
    is_written_[*number] = true;
    writes_[*number]++;
    return true;
  }

  bool input(uint8_t* operand) {
    return word("loaded operand", code_->operands.first_output(), "an input", operand);
  }

  bool output(int first, int end, const char* needed, FusedStep* step) {
    if (!word("stored operand", end, needed, &step->operand)) return false;
    if (step->operand < first || has_value_[step->operand]) return fail("stored operand", step->operand, needed);
    return has_value_[step->operand] = true;
  }

  // What becomes of the register that step i writes.
  void follow(int i) {
    FusedStep& step = code_->steps[i];
    if (step.kind != FusedStep::Kind::Load && step.kind != FusedStep::Kind::Apply) return;
    step.is_only_write = writes_[step.to] == 1;
    bool is_stored = false;
    for (int j = i + 1; j < code_->count; j++) {
      const FusedStep& later = code_->steps[j];
      const bool is_store = later.kind == FusedStep::Kind::Store;
      for (int k = 0; k < later.inputs || (k == 0 && is_store); k++) {
        if (later.from[k] == step.to) step.is_read_after_store = step.is_read_after_store || is_stored;
      }
      if (is_store && later.from[0] == step.to && step.stored_to < 0) {
        step.stored_to = static_cast<int8_t>(later.operand);
        step.is_stored_next = j == i + 1;
      }
      is_stored = is_stored || is_store;
      const bool writes = later.kind == FusedStep::Kind::Load || later.kind == FusedStep::Kind::Apply;
      if (writes && later.to == step.to) return;
    }
  }

  const double* next_;
  const double* const end_;
  const Storage type_;
  FusedCode* const code_;
  const std::vector<Operation>& operations_;
  bool is_written_[kTileRegisters] = {};
  int writes_[kTileRegisters] = {};
  bool has_value_[kMaxOperands] = {};
};

}  // namespace

Status decode_fused(const double* words, int64_t count, const FusedOperands& operands, Storage type,
                    FusedCode* code) {
  code->operands = operands;
  code->count = 0;
  FusedDecoder decoder(words, count, type, code);
  decoder.decode();
  return decoder.status;
}

}  // namespace thalweg
