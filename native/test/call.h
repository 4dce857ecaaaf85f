// Calls of kernels with random layouts, made from signatures alone, and the memory they run on.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "program.h"
#include "random.h"
#include "random_code.h"

namespace thalweg {

inline const KernelSpec& spec_of(const std::string& name) {
  for (const KernelSpec& spec : kernel_table()) {
    if (spec.name == name) return spec;
  }
  std::printf("no kernel %s\n", name.c_str());
  std::abort();
}

using Sizes = std::vector<int64_t>;

// A strided view: `strides` over all axes of an operand, groups unrolled; `length` elements in its buffer.
struct View {
  Sizes sizes, strides;
  int64_t offset = 0, length = 0;

  int64_t count() const {
    int64_t n = 1;
    for (const int64_t size : sizes) n *= size;
    return n;
  }
  // Calls visit(position in the buffer) for every element in row-major order.
  template <class Visit>
  void each(Visit visit) const {
    Sizes index(sizes.size(), 0);
    int64_t at = offset;
    for (int64_t left = count(); left > 0; left--) {
      visit(at);
      for (size_t d = sizes.size(); d-- > 0;) {
        at += strides[d];
        if (++index[d] < sizes[d]) break;
        at -= strides[d] * sizes[d];
        index[d] = 0;
      }
    }
  }
};

enum class Layout { Contiguous, Strided };

// A view without overlap within itself, apart from strides of 0 where `may_repeat`. Strided ones have their axes in
// any order, gaps, negative strides, and room before and after.
inline View random_view(Random& random, const Sizes& sizes, Layout layout, bool may_repeat) {
  View view{sizes, Sizes(sizes.size(), 0), 0, 0};
  std::vector<size_t> order(sizes.size());
  for (size_t d = 0; d < order.size(); d++) order[d] = order.size() - 1 - d;
  const bool strided = layout == Layout::Strided;
  if (strided && random.chance(0.5)) {
    for (size_t d = order.size(); d > 1; d--) std::swap(order[d - 1], order[random.next() % d]);
  }
  int64_t step = 1, low = 0, high = 0;
  for (const size_t d : order) {
    if (strided && may_repeat && random.chance(0.15)) continue;
    if (strided && random.chance(0.3)) {
      // Two statements: compilers differ in the order in which they take operands.
      step *= random.integer(1, 3);
      step += random.integer(0, 2);
    }
    view.strides[d] = strided && random.chance(0.25) ? -step : step;
    if (sizes[d] > 0) {
      (view.strides[d] < 0 ? low : high) += (sizes[d] - 1) * view.strides[d];
      step *= sizes[d];
    }
  }
  if (view.count() == 0) low = 0, high = -1;
  view.offset = -low + (strided ? random.integer(0, 3) : 0);
  view.length = view.offset + high + 1 + (strided ? random.integer(0, 3) : 0);
  return view;
}

// One instruction, operand i in buffer i.
struct Call {
  const KernelSpec* spec = nullptr;
  std::vector<Sizes> sizes;  // by letter; one size for a single axis
  std::vector<View> views;   // by operand
  std::vector<double> scalars;
  std::vector<Operand> operands;  // variadic ones as often as they are there
  std::vector<int64_t> counts;    // how often that is

  // Where the words of the operands begin, and those of the dims.
  size_t first_operand() const { return 2 + counts.size(); }
  size_t first_dim() const { return first_operand() + 2 * views.size(); }

  std::vector<double> words() const {
    const Signature& signature = spec->signature;
    std::vector<double> words = {static_cast<double>(spec - kernel_table().data()), 0};
    for (const int64_t count : counts) words.push_back(static_cast<double>(count));
    for (size_t i = 0; i < views.size(); i++) {
      words.push_back(static_cast<double>(i));
      words.push_back(static_cast<double>(views[i].offset));
    }
    for (size_t i = 0; i < sizes.size(); i++) {
      if (signature.letters[i].is_group) words.push_back(static_cast<double>(sizes[i].size()));
      for (const int64_t size : sizes[i]) words.push_back(static_cast<double>(size));
    }
    for (const View& view : views) {
      for (const int64_t stride : view.strides) words.push_back(static_cast<double>(stride));
    }
    words.insert(words.end(), scalars.begin(), scalars.end());
    words[1] = static_cast<double>(words.size());
    return words;
  }

  std::string describe() const {
    std::string text = spec->name;
    for (size_t i = 0; i < sizes.size(); i++) {
      text += std::string(" ") + spec->signature.letters[i].name + "=[";
      for (const int64_t size : sizes[i]) text += std::to_string(size) + ",";
      text.back() == '[' ? text += "]" : text.replace(text.size() - 1, 1, "]");
    }
    text += " words";
    for (const double word : words()) text += " " + std::to_string(word).substr(0, 8);
    return text;
  }
};

inline Call random_call(Random& random, const KernelSpec& spec, const std::vector<Sizes>& sizes, Layout layout) {
  Call call{&spec, sizes, {}, {}, {}, {}};
  for (const Operand& operand : spec.signature.operands) {
    const int64_t count = operand.is_variadic ? random.integer(0, 3) : 1;
    if (operand.is_variadic) call.counts.push_back(count);
    call.operands.insert(call.operands.end(), static_cast<size_t>(count), operand);
  }
  for (const Operand& operand : call.operands) {
    Sizes axes;
    for (const int letter : operand.letters) axes.insert(axes.end(), sizes[letter].begin(), sizes[letter].end());
    call.views.push_back(random_view(random, axes, layout, operand.role == Role::In));
  }
  for (int i = 0; i < spec.scalars; i++) call.scalars.push_back(random.pick({0.0, 1.0, 0.5, 0.1, 2.0, 0.9, 3.0}));
  if (spec.has_variadic_scalars) {
    const std::vector<double> code = random_code(random, spec, call.counts);
    call.scalars.insert(call.scalars.end(), code.begin(), code.end());
  }
  return call;
}

// A heap block of exactly the elements it is said to have, so that AddressSanitizer sees the first byte outside.
class Block {
 public:
  Block(Storage storage, int64_t length)
      : storage_(storage), length_(length), bytes_(new unsigned char[static_cast<size_t>(size())]) {}
  Block(const Block& other) : Block(other.storage_, other.length_) {
    std::memcpy(bytes_.get(), other.bytes_.get(), static_cast<size_t>(size()));
  }
  Block(Block&&) = default;

  int64_t size() const { return length_ * storage_bytes(storage_); }
  unsigned char* bytes() const { return bytes_.get(); }
  Buffer buffer() const { return {bytes_.get(), length_, storage_}; }

 private:
  Storage storage_;
  int64_t length_;
  std::unique_ptr<unsigned char[]> bytes_;
};

inline Outcome load(Program* program, const std::vector<double>& words, const std::vector<Buffer>& buffers) {
  return program->load(words.data(), static_cast<int64_t>(words.size()), buffers.data(),
                       static_cast<int>(buffers.size()));
}

// Whether the first n bytes are the same.
inline bool same_bytes(const unsigned char* a, const unsigned char* b, int64_t n) {
  return std::memcmp(a, b, static_cast<size_t>(n)) == 0;
}

inline std::vector<Buffer> buffers_of(const std::vector<Block>& blocks) {
  std::vector<Buffer> buffers;
  for (const Block& block : blocks) buffers.push_back(block.buffer());
  return buffers;
}

}  // namespace thalweg
