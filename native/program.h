// Programs: instructions over numbered buffers, decoded from float64 words and checked against the buffers, so that
// none can reach a byte outside them whatever its words are. docs/kernels.md has the layout. No Node-API here.
#pragma once

#include <string>
#include <vector>

#include "dispatch.h"
#include "side_by_side.h"
#include "table.h"

namespace thalweg {

// One of a program's buffers; `length` in elements of `storage`.
struct Buffer {
  void* data;
  int64_t length;
  Storage storage;
};

// How loading or running ended. `message` says what came and what was needed.
struct Outcome {
  enum class Kind : uint8_t { Done, BadProgram, BadIndex };
  Kind kind = Kind::Done;
  std::string message;

  bool ok() const { return kind == Kind::Done; }
};

// A checked program. Loading again reuses its memory: a program of a size it has held before allocates nothing.
class Program {
 public:
  // Decodes `count` words and checks them against the buffers. Each word is read once, so that a writer on another
  // thread cannot change what was checked. After an error the program is empty.
  Outcome load(const double* words, int64_t count, const Buffer* buffers, int buffer_count);

  // Whether these buffers, in the place of those it was loaded with, still hold everything it touches.
  Outcome check(const Buffer* buffers, int buffer_count) const;

  // Whether word `i` is a scalar of an instruction, which may be set without another check.
  bool is_scalar(int64_t i) const;
  void set_scalar(int64_t i, double value) { words_[static_cast<size_t>(i)] = value; }

  // Elements that are touched in a buffer, from the first to the last.
  int64_t touched(int slot) const { return slots_[static_cast<size_t>(slot)].length; }
  int buffer_count() const { return static_cast<int>(slots_.size()); }

  // Runs all instructions on buffers that `load` or `check` has accepted. Stops at the first bad index or code; the
  // instructions before it have run.
  Outcome run(const Level& level, const Buffer* buffers) const;

 private:
  friend class Decoder;

  struct Use {
    int slot;
    int64_t offset;     // in bytes, like the touched part, which is [low, high)
    int64_t low, high;
    bool is_written;
  };
  struct Slot {
    Storage storage;
    int64_t length;  // elements that are touched, from the first to the last
  };
  // Positions of an instruction's parts in the vectors below, and how many operands and scalars it has.
  struct Instruction {
    const KernelSpec* spec;
    size_t uses, counts, dims, scalars;
    size_t operand_count, scalar_count;
    Work work;
  };

  void clear();

  static char* address(const Use& use, const Buffer* buffers);
  // Runs instructions first … last − 1, all of one kernel that merges, as one parallel loop over their elements.
  void run_merged(const Level& level, const Buffer* buffers, size_t first, size_t last) const;
  Status run_one(const Level& level, const Buffer* buffers, const Instruction& instruction) const;
  // Runs instructions from `first` on side by side where that is faster; returns how far it came.
  size_t run_side_by_side(const Level& level, const Buffer* buffers, size_t first, Outcome* outcome) const;

  void add_extents(const Buffer* buffers, size_t i, std::vector<Extent>* extents) const;
  // Whether one of these instructions may touch memory that another one writes.
  bool depend(const Buffer* buffers, size_t first, size_t last) const;
  // One past the last of the instructions from `first` on that do not depend on one another.
  size_t independent(const Buffer* buffers, size_t first) const;

  std::vector<double> words_;
  std::vector<int64_t> dims_;  // of each instruction the counts of its variadic operands, then its dims
  std::vector<Use> uses_;
  std::vector<Slot> slots_;
  std::vector<Instruction> instructions_;
};

}  // namespace thalweg
