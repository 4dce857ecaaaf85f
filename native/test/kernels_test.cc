// Every kernel, from its signature alone: all levels and thread counts give the bits of the scalar level on one
// thread, every output element is written whatever was there before, and nothing else is. No kernel is named here.
//   kernels_test              all of it
//   kernels_test quick        fewer sizes and thread counts, for emulators
//   kernels_test fingerprint [NAME…]
//                             no test: a hash of each kernel's results, to be compared between architectures; the
//                             kernels named are left out of the chains that others run
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "call.h"
#include "check.h"
#include "parallel.h"

using namespace thalweg;

namespace {

constexpr int64_t kOddSizes[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100, 257};
constexpr int64_t kLargeSizes[] = {300, 5000, 70000};
constexpr int kMostThreads = 8;

bool is_quick = false;

// ---- inputs

double random_float(Random& random, int profile) {
  const double infinity = std::numeric_limits<double>::infinity();
  switch (profile) {
    case 0: return random.uniform() * 8 - 4;
    case 1: {
      const double fraction = random.uniform() * 2 - 1;
      return std::ldexp(fraction, static_cast<int>(random.integer(-140, 127)));
    }
    default:
      if (random.chance(0.5)) return random.uniform() * 8 - 4;
      return random.pick({0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, infinity, -infinity, std::nan(""), 1e-310,
                          -1e-40, 3e38, -3e38, 88.8, -104.0, 1e5, 2147483648.0, -2147483904.0});
  }
}

template <class T>
void put(unsigned char* bytes, int64_t i, T value) {
  std::memcpy(bytes + i * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
}

// Fills a block. Numbers of type i32 are indices wherever a kernel has single axes, so they are mostly below `bound`;
// bytes are mostly truth values.
void fill(Random& random, const Block& block, int64_t bound) {
  const Buffer buffer = block.buffer();
  const int profile = static_cast<int>(random.integer(0, 2));
  const bool is_wild = random.chance(0.2);
  for (int64_t i = 0; i < buffer.length; i++) {
    switch (buffer.storage) {
      case Storage::F32: put(block.bytes(), i, static_cast<float>(random_float(random, profile))); break;
      case Storage::F64: put(block.bytes(), i, random_float(random, profile)); break;
      case Storage::U8: put(block.bytes(), i, static_cast<uint8_t>(random.integer(0, is_wild ? 255 : 1))); break;
      case Storage::I64: put(block.bytes(), i, static_cast<int64_t>(random.next())); break;
      case Storage::I32:
        put(block.bytes(), i,
            bound == 0 ? static_cast<int32_t>(random.next())
                       : static_cast<int32_t>(random.integer(0, is_wild && random.chance(0.01) ? bound : bound - 1)));
    }
  }
}

// The smallest single axis: numbers below it are valid as indices into any. 0 where there is none.
int64_t index_bound(const Call& call) {
  int64_t bound = 0;
  for (size_t i = 0; i < call.sizes.size(); i++) {
    if (call.spec->signature.letters[i].is_group) continue;
    const int64_t size = std::max<int64_t>(call.sizes[i][0], 1);
    bound = bound == 0 ? size : std::min(bound, size);
  }
  return bound;
}

std::vector<Block> make_blocks(Random& random, const Call& call) {
  std::vector<Block> blocks;
  for (size_t i = 0; i < call.views.size(); i++) {
    blocks.emplace_back(call.operands[i].storage, call.views[i].length);
    fill(random, blocks[i], index_bound(call));
  }
  return blocks;
}

// ---- running and comparing

struct Result {
  Outcome outcome;
  std::vector<Block> blocks;
};

Result run(const Call& call, const std::vector<Block>& blocks, const Level& level, int threads) {
  Result result{{}, blocks};
  const std::vector<Buffer> buffers = buffers_of(result.blocks);
  const std::vector<double> words = call.words();
  Program program;
  set_thread_limit(threads);
  result.outcome = load(&program, words, buffers);
  CHECK_IN(result.outcome.ok(), result.outcome.message + " in " + call.describe());
  if (result.outcome.ok()) result.outcome = program.run(level, buffers.data());
  return result;
}

template <class T>
bool both_nan(const unsigned char* a, const unsigned char* b) {
  T x, y;
  std::memcpy(&x, a, sizeof(T));
  std::memcpy(&y, b, sizeof(T));
  return x != x && y != y;
}

// The same bits; a NaN may be any NaN.
bool same_element(Storage storage, const unsigned char* a, const unsigned char* b) {
  if (same_bytes(a, b, storage_bytes(storage))) return true;
  return storage == Storage::F32 ? both_nan<float>(a, b) : storage == Storage::F64 && both_nan<double>(a, b);
}

std::string element_text(Storage storage, const unsigned char* bytes) {
  char text[64];
  double number = 0;
  float single = 0;
  if (storage == Storage::F64) std::memcpy(&number, bytes, 8);
  if (storage == Storage::F32) std::memcpy(&single, bytes, 4), number = static_cast<double>(single);
  if (storage == Storage::F32 || storage == Storage::F64) std::snprintf(text, sizeof text, "%.17g", number);
  else std::snprintf(text, sizeof text, "0x%02x...", *bytes);
  return text;
}

void check_same(const Call& call, const Result& result, const Result& wanted, const std::string& where) {
  CHECK_IN(result.outcome.message == wanted.outcome.message,
           where + ": \"" + result.outcome.message + "\", not \"" + wanted.outcome.message + "\": " +
               call.describe());
  for (size_t i = 0; i < call.views.size(); i++) {
    const Storage storage = call.operands[i].storage;
    if (same_bytes(result.blocks[i].bytes(), wanted.blocks[i].bytes(), wanted.blocks[i].size())) continue;
    for (int64_t at = 0; at < call.views[i].length; at++) {
      const unsigned char* a = result.blocks[i].bytes() + at * storage_bytes(storage);
      const unsigned char* b = wanted.blocks[i].bytes() + at * storage_bytes(storage);
      if (same_element(storage, a, b)) continue;
      CHECK_IN(false, where + ": operand " + std::to_string(i) + " at " + std::to_string(at) + " is " +
                          element_text(storage, a) + ", not " + element_text(storage, b) + ": " + call.describe());
      break;
    }
  }
}

// Whether each element of operand i's buffer belongs to its view and may be written.
std::vector<bool> writable(const Call& call, size_t i) {
  std::vector<bool> elements(static_cast<size_t>(call.views[i].length), false);
  if (call.operands[i].role != Role::In) {
    call.views[i].each([&](int64_t at) { elements[static_cast<size_t>(at)] = true; });
  }
  return elements;
}

// After an error nothing is written; otherwise only the elements of outputs are.
void check_untouched(const Call& call, const std::vector<Block>& before, const Result& result) {
  for (size_t i = 0; i < call.views.size(); i++) {
    const int64_t bytes = storage_bytes(call.operands[i].storage);
    const std::vector<bool> may_change = writable(call, i);
    for (int64_t at = 0; at < call.views[i].length; at++) {
      if (result.outcome.ok() && may_change[static_cast<size_t>(at)]) continue;
      if (same_bytes(before[i].bytes() + at * bytes, result.blocks[i].bytes() + at * bytes, bytes)) continue;
      CHECK_IN(false, "operand " + std::to_string(i) + " was written at " + std::to_string(at) + ": " +
                          call.describe());
      break;
    }
  }
}

// The same inputs with other numbers where pure outputs will be.
std::vector<Block> spoil_outputs(const Call& call, std::vector<Block> blocks) {
  for (size_t i = 0; i < call.views.size(); i++) {
    if (call.operands[i].role != Role::Out) continue;
    const int64_t bytes = storage_bytes(call.operands[i].storage);
    call.views[i].each([&](int64_t at) {
      for (int64_t b = 0; b < bytes; b++) blocks[i].bytes()[at * bytes + b] ^= 0x5a;
    });
  }
  return blocks;
}

void check_call(Random& random, const Call& call, int most_threads) {
  const std::vector<Block> blocks = make_blocks(random, call);
  const Result wanted = run(call, blocks, scalar_level, 1);
  check_untouched(call, blocks, wanted);
  if (wanted.outcome.ok()) {
    check_same(call, run(call, spoil_outputs(call, blocks), scalar_level, 1), wanted, "over other numbers");
  }
  for (const Level* const* level = supported_levels(); *level != nullptr; level++) {
    for (int threads = 1; threads <= most_threads; threads++) {
      if (*level == &scalar_level && threads != most_threads) continue;
      if (is_quick && threads > 1 && threads < most_threads) continue;
      check_same(call, run(call, blocks, **level, threads), wanted,
                 std::string((*level)->name) + " on " + std::to_string(threads) + " threads");
    }
  }
}

// ---- sizes

// Sizes for every letter, with `size` for one of them and small ones for the rest.
std::vector<Sizes> sizes_with(Random& random, const KernelSpec& spec, size_t letter, int64_t size) {
  std::vector<Sizes> sizes;
  for (size_t i = 0; i < spec.signature.letters.size(); i++) {
    const bool is_group = spec.signature.letters[i].is_group;
    Sizes axes(static_cast<size_t>(is_group ? random.integer(i == letter ? 1 : 0, 3) : 1));
    for (int64_t& axis : axes) axis = random.integer(1, is_group ? 3 : size > 1000 ? 5 : 9);
    if (i == letter) axes[random.next() % axes.size()] = size;
    sizes.push_back(axes);
  }
  return sizes;
}

}  // namespace

TEST(odd_sizes_agree_on_all_levels) {
  Random random(1);
  for (const KernelSpec& spec : kernel_table()) {
    for (size_t letter = 0; letter < spec.signature.letters.size(); letter++) {
      for (const int64_t size : kOddSizes) {
        for (const Layout layout : {Layout::Contiguous, Layout::Strided, Layout::Strided}) {
          if (is_quick && random.chance(0.5)) continue;
          check_call(random, random_call(random, spec, sizes_with(random, spec, letter, size), layout), 1);
        }
      }
    }
  }
}

TEST(large_sizes_agree_on_all_levels_and_threads) {
  Random random(2);
  for (const KernelSpec& spec : kernel_table()) {
    for (size_t letter = 0; letter < spec.signature.letters.size(); letter++) {
      for (const int64_t size : kLargeSizes) {
        if (is_quick && random.chance(0.6)) continue;
        const Layout layout = random.chance(0.5) ? Layout::Contiguous : Layout::Strided;
        check_call(random, random_call(random, spec, sizes_with(random, spec, letter, size), layout), kMostThreads);
      }
    }
  }
}

TEST(middling_sizes_in_every_letter_agree) {
  Random random(3);
  for (const KernelSpec& spec : kernel_table()) {
    for (const Layout layout : {Layout::Contiguous, Layout::Strided}) {
      std::vector<Sizes> sizes;
      for (const Letter& letter : spec.signature.letters) {
        sizes.push_back(letter.is_group ? Sizes{random.integer(1, 3), random.integer(20, 70)}
                                        : Sizes{random.integer(20, 70)});
      }
      check_call(random, random_call(random, spec, sizes, layout), 3);
    }
  }
}

TEST(kernels_with_code_agree_on_many_programs) {
  Random random(5);
  for (const KernelSpec& spec : kernel_table()) {
    if (!spec.has_variadic_scalars) continue;
    for (int trial = 0; trial < 400; trial++) {
      // Sizes around those of a tile and of a block, each with room for the others.
      const size_t letters = spec.signature.letters.size();
      std::vector<Sizes> sizes(letters);
      const bool is_backward = random.chance(0.3);
      int64_t most = random.pick({int64_t{40}, int64_t{3000}, int64_t{30000}});
      for (size_t l = 0; l < letters; l++) {
        const size_t i = is_backward ? letters - 1 - l : l;
        Sizes axes(static_cast<size_t>(spec.signature.letters[i].is_group ? random.integer(0, 3) : 1));
        for (int64_t& axis : axes) {
          axis = random.chance(0.03) ? 0 : random.chance(0.3) ? random.integer(1, most) : random.integer(1, 1 + most % 12);
          most = std::max<int64_t>(1, most / std::max<int64_t>(axis, 1));
        }
        sizes[i] = axes;
      }
      const Layout layout = random.chance(0.5) ? Layout::Contiguous : Layout::Strided;
      check_call(random, random_call(random, spec, sizes, layout), 3);
    }
  }
}

// Such outputs are stored past the caches.
TEST(outputs_larger_than_the_caches_agree) {
  Random random(5);
  for (const KernelSpec& spec : kernel_table()) {
    if (spec.name != "add_f32" && spec.name != "relu_f64" && spec.name != "neg_i32") continue;
    for (const int64_t size : {8388608, 8400001}) {
      Call call = random_call(random, spec, {{size}}, Layout::Contiguous);
      View& out = call.views.back();
      out.offset = random.integer(1, 9);
      out.length += out.offset + 3;
      check_call(random, call, 3);
    }
  }
}

TEST(an_elementwise_output_may_be_an_input) {
  Random random(4);
  for (const KernelSpec& spec : kernel_table()) {
    const std::vector<Operand>& operands = spec.signature.operands;
    const size_t out = operands.size() - 1;
    bool is_elementwise = spec.signature.letters.size() == 1 && spec.signature.letters[0].is_group;
    for (const Operand& operand : operands) {
      is_elementwise = is_elementwise && operand.letters.size() == 1 && !operand.is_variadic;
    }
    for (size_t in = 0; in < out && is_elementwise; in++) {
      if (operands[in].storage != operands[out].storage) continue;
      for (const int64_t size : {1, 7, 64, 1000}) {
        Call call = random_call(random, spec, {{3, size}}, size == 7 ? Layout::Strided : Layout::Contiguous);
        call.views[in] = call.views[out];
        const std::vector<Block> blocks = make_blocks(random, call);
        const Result apart = run(call, blocks, scalar_level, 1);
        for (const Level* const* level = supported_levels(); *level != nullptr; level++) {
          std::vector<double> words = call.words();
          words[2 + 2 * out] = static_cast<double>(in);
          const std::vector<Block> together = blocks;
          const std::vector<Buffer> buffers = buffers_of(together);
          Program program;
          CHECK(load(&program, words, buffers).ok());
          CHECK(program.run(**level, buffers.data()).ok());
          call.views[out].each([&](int64_t at) {
            const int64_t bytes = storage_bytes(operands[out].storage);
            CHECK_IN(same_element(operands[out].storage, together[in].bytes() + at * bytes,
                                  apart.blocks[out].bytes() + at * bytes),
                     std::string((*level)->name) + " in place: " + call.describe());
          });
        }
      }
    }
  }
}

namespace {

// FNV-1a over the elements that a call writes, all NaN being one.
class Hash {
 public:
  void add(Storage storage, const unsigned char* element) {
    if ((storage == Storage::F32 && both_nan<float>(element, element)) ||
        (storage == Storage::F64 && both_nan<double>(element, element))) {
      return add_byte('N');
    }
    for (int b = 0; b < storage_bytes(storage); b++) add_byte(element[b]);
  }
  void add(const std::string& text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
  }
  uint64_t value() const { return value_; }

 private:
  void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 1099511628211u; }
  uint64_t value_ = 14695981039346656037u;
};

void add_call(Hash* hash, Random& random, const Call& call) {
  const Result result = run(call, make_blocks(random, call), *best_level(), 1);
  hash->add(result.outcome.message);
  for (size_t i = 0; i < call.views.size(); i++) {
    const Operand& operand = call.operands[i];
    if (operand.role == Role::In) continue;
    const unsigned char* const bytes = result.blocks[i].bytes();
    call.views[i].each([&](int64_t at) {
      hash->add(operand.storage, bytes + at * storage_bytes(operand.storage));
    });
  }
}

void print_fingerprint() {
  for (const KernelSpec& spec : kernel_table()) {
    Random random(5);
    Hash hash;
    for (size_t letter = 0; letter < spec.signature.letters.size(); letter++) {
      for (const int64_t size : {1, 17, 100, 257, 5000}) {
        for (const Layout layout : {Layout::Contiguous, Layout::Strided}) {
          add_call(&hash, random, random_call(random, spec, sizes_with(random, spec, letter, size), layout));
        }
      }
    }
    std::printf("%s %016llx\n", spec.name.c_str(), static_cast<unsigned long long>(hash.value()));
  }
}

void print_levels() {
  std::printf("levels:");
  for (const Level* const* level = supported_levels(); *level != nullptr; level++) std::printf(" %s", (*level)->name);
#if defined(__x86_64__) || defined(_M_X64)
  for (const char* name : {"avx2", "avx512"}) {
    if (find_level(name) == nullptr) std::printf("; %s NOT TESTED, this machine has none", name);
  }
#endif
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "fingerprint") {
    left_out_of_code().assign(argv + 2, argv + argc);
    print_fingerprint();
    return failures() > 0;
  }
  is_quick = mode == "quick";
  print_levels();
  return run_tests();
}
