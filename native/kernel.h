// What a kernel sees: its arguments, how to read them, and how it reports an index it may not follow.
// No Node-API, no programs, no vectors here.
#pragma once

#include <cstdint>

namespace thalweg {

// Element types as kernels store them; `uint8` and `bool` arrays are both U8.
enum class Storage : uint8_t { F32, F64, I32, U8, I64 };

// Groups of axes are at most this long, and no instruction has more operands (docs/kernels.md).
constexpr int kMaxRank = 16;
constexpr int kMaxOperands = 32;

// Outcome of a kernel. Arguments are checked before a kernel runs, so what can be wrong is an index that it reads
// from a buffer, or the code that it finds among its scalars (fused_code.h); it then writes nothing.
struct Status {
  int64_t position = -1;  // element of the index operand, or instruction of the code, that is wrong; or -1
  int64_t index = 0;      // the index
  int64_t bound = 0;      // it must be in [0, bound)
  const char* what = nullptr;  // the wrong thing in the code: `what` is `value`; it must be `needed`
  double value = 0;
  const char* needed = nullptr;
  bool ok() const { return position < 0; }
};

// Arguments of one call. `operands` point at each operand's element (0, …, 0). Where the signature has variadic
// operands, `counts` says how many there are of each; where it has variadic scalars, `scalar_count` says how many
// scalars there are.
struct Args {
  void* const* operands;
  const int64_t* dims;
  const double* scalars;
  const int64_t* counts = nullptr;
  int64_t scalar_count = 0;

  template <class T>
  const T* in(int i) const { return static_cast<const T*>(operands[i]); }
  template <class T>
  T* out(int i) const { return static_cast<T*>(operands[i]); }
};

using Kernel = Status (*)(const Args&);

// A group of axes: rank and sizes.
struct Group {
  int rank;
  const int64_t* sizes;

  int64_t count() const {
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= sizes[i];
    return n;
  }
};

// Reads `dims` front to back in the order of docs/kernels.md: sizes by letter, then strides by operand.
class DimsReader {
 public:
  explicit DimsReader(const Args& args) : next_(args.dims) {}

  int64_t size() { return *next_++; }
  Group group() {
    const int rank = static_cast<int>(*next_++);
    const Group group{rank, next_};
    next_ += rank;
    return group;
  }
  int64_t stride() { return *next_++; }
  const int64_t* strides(const Group& group) {
    const int64_t* strides = next_;
    next_ += group.rank;
    return strides;
  }

 private:
  const int64_t* next_;
};

}  // namespace thalweg
