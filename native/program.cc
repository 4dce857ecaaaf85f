#include "program.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "parallel.h"

namespace thalweg {
namespace {

// Words are integers that float64 holds exactly, so sums of a few hundred of them stay inside int64.
constexpr int64_t kMaxWord = (int64_t{1} << 53) - 1;
// Products of sizes are counted by kernels in int64.
constexpr double kMaxCount = 4611686018427387904.0;  // 2^62
constexpr int kHeaderWords = 2;
// Elements of merged instructions that are worth a thread: an update of 16 Ki takes some 5 µs, a fork and join 1 to 2.
constexpr int64_t kMergedGrain = 16384;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
Outcome failure(Outcome::Kind kind, const char* format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return {kind, message};
}

bool to_integer(double word, int64_t* value) {
  if (!(word >= -static_cast<double>(kMaxWord) && word <= static_cast<double>(kMaxWord))) return false;
  *value = static_cast<int64_t>(word);
  return static_cast<double>(*value) == word;
}

// (size − 1) · stride, cut off at ±kMaxWord: no buffer is that long. Judged in float64 first, since it may not fit
// in int64.
int64_t span(int64_t size, int64_t stride) {
  const double reach = static_cast<double>(size - 1) * static_cast<double>(stride);
  if (reach > static_cast<double>(kMaxWord)) return kMaxWord;
  if (reach < -static_cast<double>(kMaxWord)) return -kMaxWord;
  return (size - 1) * stride;
}

using Wide = long long;  // what printf prints

// A word as JavaScript would print it, near enough.
std::string text_of(double word) {
  if (word != word) return "NaN";
  if (word - word != 0) return word < 0 ? "-Infinity" : "Infinity";
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", word);
  if (std::strtod(text, nullptr) != word) std::snprintf(text, sizeof text, "%.17g", word);
  return text;
}

// What a kernel's status means for the program.
Outcome outcome_of(const KernelSpec& spec, const Status& status) {
  if (status.ok()) return {};
  if (status.what != nullptr) {
    return failure(Outcome::Kind::BadProgram, "%s: instruction %lld of its code: %s is %s; it must be %s",
                   spec.name.c_str(), Wide{status.position}, status.what, text_of(status.value).c_str(), status.needed);
  }
  return failure(Outcome::Kind::BadIndex, "%s: index %lld at position %lld is outside [0, %lld)", spec.name.c_str(),
                 Wide{status.index}, Wide{status.position}, Wide{status.bound});
}

}  // namespace

// Decodes instruction after instruction into a program. Every method returns false once `outcome` is set.
class Decoder {
 public:
  Decoder(Program* program, const Buffer* buffers, int buffer_count)
      : program_(program), buffers_(buffers), buffer_count_(buffer_count) {}

  Outcome outcome;

  bool decode() {
    for (; next_ < program_->words_.size(); position_++) {
      if (!header() || !counts() || !operands() || !sizes() || !strides() || !scalars()) return false;
    }
    return true;
  }

 private:
  // Where the sizes of a letter are among the dims.
  struct Axes {
    size_t first;
    size_t rank;
  };

  template <class... Values>
  bool fail(const char* format, Values... values) {
    char reason[384];
    std::snprintf(reason, sizeof reason, format, values...);
    outcome = failure(Outcome::Kind::BadProgram, "program: instruction %zu%s%s%s: %s", position_,
                      spec_ == nullptr ? "" : " (", spec_ == nullptr ? "" : spec_->name.c_str(),
                      spec_ == nullptr ? "" : ")", reason);
    return false;
  }

  // The next word, which must be an integer in [low, high].
  bool read(const char* what, int64_t low, int64_t high, int64_t* value) {
    if (next_ == end_) return fail("has %zu words, needs more: there is no word for %s", end_ - start_, what);
    const double word = program_->words_[next_++];
    if (to_integer(word, value) && *value >= low && *value <= high) return true;
    return fail("%s is %s; it must be an integer in [%lld, %lld]", what, text_of(word).c_str(), Wide{low},
                Wide{high});
  }

  bool header() {
    spec_ = nullptr;
    start_ = next_;
    end_ = program_->words_.size();
    const std::vector<KernelSpec>& table = kernel_table();
    int64_t kernel = 0, length = 0;
    if (!read("kernel", 0, static_cast<int64_t>(table.size()) - 1, &kernel)) return false;
    spec_ = &table[static_cast<size_t>(kernel)];
    if (!read("number of words", kHeaderWords, static_cast<int64_t>(end_ - start_), &length)) return false;
    end_ = start_ + static_cast<size_t>(length);
    const size_t uses = program_->uses_.size(), dims = program_->dims_.size();
    program_->instructions_.push_back({spec_, uses, dims, 0, 0, 0, 0, {}});
    return true;
  }

  // Lists the operands, variadic ones as often as the instruction says.
  bool counts() {
    operand_count_ = 0;
    for (const Operand& operand : spec_->signature.operands) {
      int64_t count = 1;
      if (operand.is_variadic) {
        if (!read("number of operands", 0, kMaxOperands, &count)) return false;
        program_->dims_.push_back(count);
      }
      if (operand_count_ + count > kMaxOperands) {
        return fail("has %lld operands or more; it may have at most %d", Wide{operand_count_ + count}, kMaxOperands);
      }
      for (; count > 0; count--) operands_[operand_count_++] = &operand;
    }
    Program::Instruction& instruction = program_->instructions_.back();
    instruction.operand_count = static_cast<size_t>(operand_count_);
    instruction.dims = program_->dims_.size();
    return true;
  }

  bool operands() {
    for (int64_t i = 0; i < operand_count_; i++) {
      int64_t slot = 0, offset = 0;
      if (!read("slot", 0, buffer_count_ - 1, &slot) || !read("offset", -kMaxWord, kMaxWord, &offset)) return false;
      const Storage has = buffers_[slot].storage, takes = operands_[i]->storage;
      if (has != takes) {
        return fail("operand %lld is buffer %lld of %s; it must be of %s", Wide{i}, Wide{slot}, storage_name(has),
                    storage_name(takes));
      }
      program_->uses_.push_back({static_cast<int>(slot), offset, 0, 0, false});
    }
    return true;
  }

  bool sizes() {
    double count = 1;
    for (size_t i = 0; i < spec_->signature.letters.size(); i++) {
      int64_t rank = 1;
      if (spec_->signature.letters[i].is_group) {
        if (!read("rank", 0, kMaxRank, &rank)) return false;
        program_->dims_.push_back(rank);
      }
      axes_[i] = {program_->dims_.size(), static_cast<size_t>(rank)};
      for (int64_t k = 0; k < rank; k++) {
        int64_t size = 0;
        if (!read("size", 0, kMaxWord, &size)) return false;
        program_->dims_.push_back(size);
        if (size > 1) count *= static_cast<double>(size);
      }
    }
    program_->instructions_.back().work.steps = count;
    return count <= kMaxCount || fail("the product of all sizes is %g; it must be at most 2^62", count);
  }

  bool strides() {
    const size_t first_use = program_->instructions_.back().uses;
    for (int64_t i = 0; i < operand_count_; i++) {
      if (!operand_strides(i, *operands_[i], &program_->uses_[first_use + static_cast<size_t>(i)])) return false;
    }
    return true;
  }

  // Reads the strides of operand i and checks the first and the last element that it touches.
  bool operand_strides(int64_t i, const Operand& operand, Program::Use* use) {
    const size_t first_stride = program_->dims_.size();
    int64_t low = use->offset, high = use->offset;
    int64_t repeated = 0;
    bool touches = true;
    for (const int letter : operand.letters) {
      for (size_t k = 0; k < axes_[letter].rank; k++) {
        const int64_t size = program_->dims_[axes_[letter].first + k];
        int64_t stride = 0;
        if (!read("stride", -kMaxWord, kMaxWord, &stride)) return false;
        program_->dims_.push_back(stride);
        if (size == 0) touches = false;
        if (size < 2) continue;
        if (stride == 0 && operand.role != Role::In) repeated = size;
        (stride < 0 ? low : high) += span(size, stride);
      }
    }
    if (touches && repeated != 0) {
      return fail("operand %lld is written; its stride over size %lld must not be 0", Wide{i}, Wide{repeated});
    }
    const int64_t length = buffers_[use->slot].length;
    if (touches && (low < 0 || high >= length)) {
      return fail("operand %lld reaches element %lld of a buffer with %lld", Wide{i}, Wide{low < 0 ? low : high},
                  Wide{length});
    }
    // What no kernel may follow, no kernel sees: a stride that leaves the buffer belongs to an axis of size 0 or 1.
    const int64_t longest = touches ? length : 0;
    for (size_t d = first_stride; d < program_->dims_.size(); d++) {
      if (program_->dims_[d] > longest || program_->dims_[d] < -longest) program_->dims_[d] = 0;
    }
    Program::Slot& slot = program_->slots_[static_cast<size_t>(use->slot)];
    if (touches && high >= slot.length) slot.length = high + 1;
    const int64_t bytes = storage_bytes(operand.storage);
    use->offset = touches ? use->offset * bytes : 0;
    use->low = touches ? low * bytes : 0;
    use->high = touches ? (high + 1) * bytes : 0;
    use->is_written = operand.role != Role::In;
    double elements = touches ? 1 : 0;
    for (const int letter : operand.letters) {
      for (size_t k = 0; k < axes_[letter].rank; k++) {
        elements *= static_cast<double>(program_->dims_[axes_[letter].first + k]);
      }
    }
    Work& work = program_->instructions_.back().work;
    work.elements = std::max(work.elements, elements);
    return true;
  }

  bool scalars() {
    Program::Instruction& instruction = program_->instructions_.back();
    instruction.scalars = next_;
    next_ += static_cast<size_t>(spec_->scalars);
    if (spec_->has_variadic_scalars && next_ < end_) next_ = end_;
    instruction.scalar_count = next_ - instruction.scalars;
    return next_ == end_ || fail("has %zu words, needs %zu", end_ - start_, next_ - start_);
  }

  Program* program_;
  const Buffer* buffers_;
  const int buffer_count_;
  const KernelSpec* spec_ = nullptr;  // null until the kernel of the instruction is known
  size_t position_ = 0;                // of the instruction in the program
  size_t start_ = 0, next_ = 0, end_ = 0;
  const Operand* operands_[kMaxOperands];
  int64_t operand_count_ = 0;
  Axes axes_[kMaxLetters];
};

void Program::clear() {
  words_.clear();
  dims_.clear();
  uses_.clear();
  slots_.clear();
  instructions_.clear();
}

Outcome Program::load(const double* words, int64_t count, const Buffer* buffers, int buffer_count) {
  clear();
  words_.assign(words, words + count);
  for (int i = 0; i < buffer_count; i++) slots_.push_back({buffers[i].storage, 0});
  Decoder decoder(this, buffers, buffer_count);
  if (!decoder.decode()) clear();
  return std::move(decoder.outcome);
}

Outcome Program::check(const Buffer* buffers, int buffer_count) const {
  if (static_cast<size_t>(buffer_count) != slots_.size()) {
    return failure(Outcome::Kind::BadProgram, "program: has %zu buffers, got %d", slots_.size(), buffer_count);
  }
  for (int i = 0; i < buffer_count; i++) {
    const Slot& slot = slots_[static_cast<size_t>(i)];
    if (buffers[i].storage != slot.storage || buffers[i].length < slot.length) {
      return failure(Outcome::Kind::BadProgram, "program: buffer %d has %lld elements of %s; it needs %lld of %s", i,
                     Wide{buffers[i].length}, storage_name(buffers[i].storage), Wide{slot.length},
                     storage_name(slot.storage));
    }
  }
  return {};
}

bool Program::is_scalar(int64_t i) const {
  const size_t word = static_cast<size_t>(i);
  for (const Instruction& instruction : instructions_) {
    if (i >= 0 && word >= instruction.scalars && word < instruction.scalars + instruction.scalar_count) return true;
  }
  return false;
}

// An operand that touches nothing may lie in a buffer without memory; kernels still get an address.
char* Program::address(const Use& use, const Buffer* buffers) {
  static double nowhere;
  char* const data = static_cast<char*>(buffers[use.slot].data);
  return data == nullptr ? reinterpret_cast<char*>(&nowhere) : data + use.offset;
}

void Program::add_extents(const Buffer* buffers, size_t i, std::vector<Extent>* extents) const {
  const Instruction& instruction = instructions_[i];
  for (size_t o = 0; o < instruction.operand_count; o++) {
    const Use& use = uses_[instruction.uses + o];
    const char* const data = static_cast<const char*>(buffers[use.slot].data);
    if (use.low < use.high) extents->push_back({data + use.low, data + use.high, i, use.is_written});
  }
}

bool Program::depend(const Buffer* buffers, size_t first, size_t last) const {
  thread_local std::vector<Extent> extents;
  extents.clear();
  for (size_t i = first; i < last; i++) add_extents(buffers, i, &extents);
  return thalweg::depend(&extents);
}

size_t Program::independent(const Buffer* buffers, size_t first) const {
  // Beyond these, comparing would cost more than it gains.
  constexpr size_t kMost = 8;
  size_t last = first + 1;
  while (last < instructions_.size() && last - first < kMost && !instructions_[last].spec->merges &&
         !depend(buffers, first, last + 1)) {
    last++;
  }
  return last;
}

void Program::run_merged(const Level& level, const Buffer* buffers, size_t first, size_t last) const {
  const KernelSpec& spec = *instructions_[first].spec;
  const size_t operand_count = spec.signature.operands.size();
  int64_t total = 0;
  for (size_t i = first; i < last; i++) total += dims_[instructions_[i].dims];
  if (last - first > 1 && total >= 2 * kMergedGrain && thread_limit() > 1 && depend(buffers, first, last)) {
    for (size_t i = first; i < last; i++) run_merged(level, buffers, i, i + 1);
    return;
  }
  parallel_for(total, kMergedGrain, [&](int64_t begin, int64_t end) {
    // begin and end are counted from the first element of instruction i.
    for (size_t i = first; i < last && end > 0; i++) {
      const Instruction& instruction = instructions_[i];
      const int64_t* const dims = &dims_[instruction.dims];
      const int64_t n = dims[0], from = begin > 0 ? begin : 0, to = end < n ? end : n;
      if (from < to) {
        void* operands[kMaxOperands];
        int64_t part[1 + kMaxOperands] = {to - from};
        for (size_t o = 0; o < operand_count; o++) {
          part[1 + o] = dims[1 + o];
          operands[o] = address(uses_[instruction.uses + o], buffers) +
                        from * dims[1 + o] * storage_bytes(spec.signature.operands[o].storage);
        }
        level.kernels[spec.row]({operands, part, words_.data() + instruction.scalars});
      }
      begin -= n;
      end -= n;
    }
  });
}

Status Program::run_one(const Level& level, const Buffer* buffers, const Instruction& instruction) const {
  void* operands[kMaxOperands];
  for (size_t i = 0; i < instruction.operand_count; i++) {
    operands[i] = address(uses_[instruction.uses + i], buffers);
  }
  return level.kernels[instruction.spec->row]({operands, dims_.data() + instruction.dims,
                                               words_.data() + instruction.scalars,
                                               dims_.data() + instruction.counts,
                                               static_cast<int64_t>(instruction.scalar_count)});
}

size_t Program::run_side_by_side(const Level& level, const Buffer* buffers, size_t first, Outcome* outcome) const {
  // Two that are worth it are the least; most instructions are not.
  const auto is_worth = [this](size_t i) {
    constexpr double kLeast = 3000;
    return i < instructions_.size() && !instructions_[i].spec->merges && instructions_[i].work.cost() >= kLeast;
  };
  if (thread_limit() < 2 || (!is_worth(first) && !is_worth(first + 1))) return first;
  const size_t end = independent(buffers, first);
  if (end - first < 2) return first;
  thread_local std::vector<Work> works;
  works.clear();
  for (size_t i = first; i < end; i++) works.push_back(instructions_[i].work);
  const size_t count = side_by_side(works.data(), works.size(), thread_limit());
  if (count < 2) return first;
  // Each has a place of its own for what went wrong.
  std::vector<Status> statuses(count);
  parallel_for(static_cast<int64_t>(count), 1, [&](int64_t begin, int64_t last) {
    for (int64_t i = begin; i < last; i++) {
      statuses[static_cast<size_t>(i)] = run_one(level, buffers, instructions_[first + static_cast<size_t>(i)]);
    }
  });
  for (size_t i = 0; i < count && outcome->ok(); i++) {
    *outcome = outcome_of(*instructions_[first + i].spec, statuses[i]);
  }
  return first + count;
}

Outcome Program::run(const Level& level, const Buffer* buffers) const {
  const AtWork at_work;
  Outcome outcome;
  for (size_t next = 0; next < instructions_.size() && outcome.ok();) {
    const size_t first = next++;
    const Instruction& instruction = instructions_[first];
    const KernelSpec& spec = *instruction.spec;
    if (spec.merges) {
      while (next < instructions_.size() && instructions_[next].spec == &spec) next++;
      run_merged(level, buffers, first, next);
      continue;
    }
    const size_t done = run_side_by_side(level, buffers, first, &outcome);
    if (done > first) next = done;
    else outcome = outcome_of(spec, run_one(level, buffers, instruction));
  }
  return outcome;
}

}  // namespace thalweg
