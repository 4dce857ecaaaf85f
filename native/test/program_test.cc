// Every check of a program, and hostile programs: whatever the words are, a program is refused or stays inside its
// buffers (run this with AddressSanitizer to see it).
#include "program.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "call.h"
#include "check.h"
#include "parallel.h"

using namespace thalweg;

namespace {

// add_f32 over [2,3]: 2+6 words of header and operands, 3 of sizes, 6 of strides; buffers of 8, 8 and 6 elements.
struct AddProgram {
  enum Word { kKernel, kLength, kSlot0, kOffset0, kSlot1, kOffset1, kSlot2, kOffset2, kRank, kRows, kColumns,
              kStride0, kStride1, kStride2 = kStride0 + 4 };
  std::vector<double> words = {0, 17, 0, 1, 1, 0, 2, 0, 2, 2, 3, 4, 1, 0, 1, 3, 1};
  std::vector<float> x = {9, 1, 2, 3, 9, 4, 5, 6}, y = {10, 20, 30, 0, 0, 0, 0, 0}, z = {0, 0, 0, 0, 0, 0};

  AddProgram() { words[kKernel] = static_cast<double>(&spec_of("add_f32") - kernel_table().data()); }
  std::vector<Buffer> buffers() {
    return {{x.data(), 8, Storage::F32}, {y.data(), 8, Storage::F32}, {z.data(), 6, Storage::F32}};
  }
  Outcome load(Program* program) {
    const std::vector<Buffer> b = buffers();
    return program->load(words.data(), static_cast<int64_t>(words.size()), b.data(), 3);
  }
  // What loading says after one word is changed.
  static std::string error_with(int word, double value) {
    AddProgram add;
    add.words[static_cast<size_t>(word)] = value;
    Program program;
    return add.load(&program).message;
  }
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

#define CHECK_ERROR(word, value, part)                                        \
  do {                                                                        \
    const std::string message = AddProgram::error_with(word, value);          \
    CHECK_IN(contains(message, part), "the message is \"" + message + "\"");  \
  } while (false)

}  // namespace

TEST(a_program_runs) {
  AddProgram add;
  Program program;
  CHECK_EQ(add.load(&program).message, "");
  for (const Level* const* level = supported_levels(); *level != nullptr; level++) {
    std::fill(add.z.begin(), add.z.end(), 0.0f);
    CHECK(program.run(**level, add.buffers().data()).ok());
    CHECK(add.z == (std::vector<float>{11, 22, 33, 14, 25, 36}));
  }
}

TEST(an_empty_program_does_nothing) {
  Program program;
  CHECK(program.load(nullptr, 0, nullptr, 0).ok());
  CHECK(program.check(nullptr, 0).ok());
  CHECK(program.run(scalar_level, nullptr).ok());
}

TEST(header_is_checked) {
  for (const double kernel : {-1.0, 0.5, 1e6, static_cast<double>(kernel_table().size())}) {
    CHECK_ERROR(AddProgram::kKernel, kernel, "kernel is ");
  }
  for (const double length : {0.0, 1.0, -17.0, 18.0, 17.5}) {
    CHECK_ERROR(AddProgram::kLength, length, "number of words is ");
  }
  CHECK_ERROR(AddProgram::kLength, 16, "has 16 words, needs more: there is no word for stride");
  CHECK_ERROR(AddProgram::kLength, 2, "there is no word for slot");
  CHECK_ERROR(AddProgram::kRank, 1, "has 17 words, needs 13");
}

TEST(words_must_be_exact_integers) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  for (int word = 0; word < 17; word++) {
    for (const double value : {nan, infinity, -infinity, 0.5, 9007199254740992.0, -9007199254740992.0, 1e300}) {
      CHECK_ERROR(word, value, "must be an integer in");
    }
  }
}

TEST(operands_are_checked) {
  CHECK_ERROR(AddProgram::kSlot1, 3, "slot is 3; it must be an integer in [0, 2]");
  CHECK_ERROR(AddProgram::kSlot1, -1, "slot is -1");
  AddProgram add;
  std::vector<Buffer> buffers = add.buffers();
  buffers[1].storage = Storage::I32;
  Program program;
  const Outcome outcome = program.load(add.words.data(), 17, buffers.data(), 3);
  CHECK(outcome.kind == Outcome::Kind::BadProgram);
  CHECK_EQ(outcome.message, "program: instruction 0 (add_f32): operand 1 is buffer 1 of i32; it must be of f32");
  CHECK(!program.load(add.words.data(), 17, buffers.data(), 0).ok());
}

TEST(sizes_are_checked) {
  CHECK_ERROR(AddProgram::kRank, 17, "rank is 17; it must be an integer in [0, 16]");
  CHECK_ERROR(AddProgram::kRank, -1, "rank is -1");
  CHECK_ERROR(AddProgram::kRows, -1, "size is -1");
  AddProgram add;
  add.words[AddProgram::kRows] = add.words[AddProgram::kColumns] = 9007199254740991.0;
  Program program;
  CHECK(contains(add.load(&program).message, "it must be at most 2^62"));
}

TEST(a_product_with_a_zero_may_not_overflow_either) {
  AddProgram add;
  const double huge = 9007199254740991.0;
  add.words = {add.words[0], 21, 0, 0, 1, 0, 2, 0, 3, 0, huge, huge, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  Program program;
  CHECK(contains(add.load(&program).message, "it must be at most 2^62"));
}

TEST(extents_are_checked) {
  CHECK_ERROR(AddProgram::kOffset0, 2, "operand 0 reaches element 8 of a buffer with 8");
  CHECK_ERROR(AddProgram::kOffset0, -1, "operand 0 reaches element -1");
  CHECK_ERROR(AddProgram::kOffset2, 1, "operand 2 reaches element 6 of a buffer with 6");
  CHECK_ERROR(AddProgram::kStride0, -4, "operand 0 reaches element -3");
  CHECK_ERROR(AddProgram::kStride0, 9007199254740991.0, "operand 0 reaches element");
  CHECK_ERROR(AddProgram::kStride0, -9007199254740991.0, "operand 0 reaches element");
  CHECK_ERROR(AddProgram::kColumns, 4, "operand 0 reaches element 8");
  CHECK_ERROR(AddProgram::kColumns, 9007199254740991.0 / 2, "must be an integer");
  CHECK_ERROR(AddProgram::kColumns, 4503599627370495.0, "operand 0 reaches element");
  CHECK_EQ(AddProgram::error_with(AddProgram::kOffset0, 0), "");
}

TEST(extents_that_would_overflow_are_refused) {
  // Each of these would come back into the buffer if it wrapped around or cancelled out.
  const double huge = 9007199254740991.0;
  AddProgram add;
  add.words[AddProgram::kOffset0] = huge;
  add.words[AddProgram::kStride0] = -huge;
  Program program;
  CHECK(contains(add.load(&program).message, "operand 0 reaches element 0 of") ||
        contains(add.load(&program).message, "operand 0 reaches element 90071992547409"));
  add.words[AddProgram::kRows] = 2049;  // 2048 · 2^53 wraps to 0 in 64 bits
  add.words[AddProgram::kStride0] = 9007199254740990.0;
  add.words[AddProgram::kOffset0] = 0;
  CHECK(contains(add.load(&program).message, "operand 0 reaches element"));
}

TEST(writes_may_not_repeat) {
  CHECK_ERROR(AddProgram::kStride2, 0, "operand 2 is written; its stride over size 2 must not be 0");
  CHECK_EQ(AddProgram::error_with(AddProgram::kStride0, 0), "");
  AddProgram add;
  add.words[AddProgram::kRows] = 1;
  add.words[AddProgram::kStride2] = 0;
  Program program;
  CHECK_EQ(add.load(&program).message, "");
}

TEST(nothing_is_touched_where_a_size_is_zero) {
  AddProgram add;
  add.words[AddProgram::kRows] = 0;
  add.words[AddProgram::kOffset0] = 1e15;
  add.words[AddProgram::kStride2] = 1e15;
  add.words[AddProgram::kStride2 + 1] = -1e15;
  Program program;
  CHECK_EQ(add.load(&program).message, "");
  const std::vector<Buffer> nothing(3, {nullptr, 0, Storage::F32});
  CHECK(program.check(nothing.data(), 3).ok());
  for (const Level* const* level = supported_levels(); *level != nullptr; level++) {
    CHECK(program.run(**level, nothing.data()).ok());
  }
}

TEST(the_second_instruction_is_checked_too) {
  AddProgram add;
  std::vector<double> words = add.words;
  words.insert(words.end(), add.words.begin(), add.words.end());
  words[17 + AddProgram::kOffset1] = 6;
  add.words = words;
  Program program;
  CHECK_EQ(add.load(&program).message,
           "program: instruction 1 (add_f32): operand 1 reaches element 8 of a buffer with 8");
  CHECK(program.check(nullptr, 0).ok());  // nothing is left of it
}

TEST(buffers_are_checked_again) {
  AddProgram add;
  Program program;
  CHECK(add.load(&program).ok());
  std::vector<Buffer> buffers = add.buffers();
  CHECK(program.check(buffers.data(), 3).ok());
  CHECK(!program.check(buffers.data(), 2).ok());
  buffers[1].length = 3;
  CHECK(program.check(buffers.data(), 3).ok());
  buffers[1].length = 2;
  CHECK_EQ(program.check(buffers.data(), 3).message, "program: buffer 1 has 2 elements of f32; it needs 3 of f32");
  buffers[1] = {add.y.data(), 8, Storage::F64};
  CHECK_EQ(program.check(buffers.data(), 3).message, "program: buffer 1 has 8 elements of f64; it needs 3 of f32");
}

TEST(bad_code_of_a_chain_is_named) {
  // One u8 input, one input, one output and one fold, over O = [3] and R = [2].
  const auto outcome_of = [](const std::vector<double>& code) {
    const KernelSpec& spec = spec_of("fused_f32");
    Call call{&spec, {{3}, {2}}, {}, code, {}, {1, 1, 1, 1}};
    call.operands = spec.signature.operands;
    for (int i = 0; i < 3; i++) call.views.push_back({{3, 2}, {2, 1}, 0, 6});
    call.views.push_back({{3}, {1}, 0, 3});
    uint8_t bytes[6] = {1, 0, 1, 0, 1, 0};
    float x[6] = {1, 2, 3, 4, 5, 6}, y[6] = {7, 7, 7, 7, 7, 7}, sums[3] = {7, 7, 7};
    Program program;
    const Outcome loaded = load(&program, call.words(), {{bytes, 6, Storage::U8}, {x, 6, Storage::F32},
                                                         {y, 6, Storage::F32}, {sums, 3, Storage::F32}});
    CHECK_EQ(loaded.message, "");
    const std::vector<Buffer> buffers = {{bytes, 6, Storage::U8}, {x, 6, Storage::F32}, {y, 6, Storage::F32},
                                         {sums, 3, Storage::F32}};
    Outcome outcome;
    for (const Level* const* level = supported_levels(); *level != nullptr; level++) {
      outcome = program.run(**level, buffers.data());
      CHECK(outcome.ok() || (y[0] == 7 && sums[0] == 7));
      CHECK(outcome.ok() || outcome.kind == Outcome::Kind::BadProgram);
    }
    if (outcome.ok()) CHECK(y[3] == 0 && y[4] == 10 && sums[0] == 2 && sums[2] == 10);
    return outcome.message;
  };
  const auto number = [](const char* name) { return static_cast<double>(&spec_of(name) - kernel_table().data()); };
  const double mul = number("mul_f32"), add = number("add_f32"), sum = number("sum_f32");
  // y = 2·x where the byte is 1, and its sums.
  const std::vector<double> good = {-1, 0, 0, -1, 1, 1, mul, 2, 0, 1, add, 15, 2, 2, -2, 2, 15, sum, 3, 15};
  CHECK_EQ(outcome_of(good), "");
  const auto with = [&](size_t word, double value) {
    std::vector<double> code = good;
    code[word] = value;
    return outcome_of(code);
  };
  const std::string at = "fused_f32: instruction ";
  for (const double bad : {-3.0, 0.5, 1e9, std::nan(""), number("add_f64"), number("softmax_f32"), number("mean_f32"),
                           number("cast_from_f32_f32"), number("logical_and_u8")}) {
    CHECK_IN(contains(with(6, bad), at + "2 of its code: operation is "), with(6, bad));
  }
  const std::string index = "; it must be an integer in [0, 15]";
  CHECK_EQ(with(7, 16), at + "2 of its code: register is 16" + index);
  CHECK_EQ(with(8, -1), at + "2 of its code: register is -1" + index);
  CHECK_EQ(with(9, std::nan("")), at + "2 of its code: register is NaN" + index);
  CHECK_EQ(with(1, 0.5), at + "0 of its code: register is 0.5" + index);
  CHECK_EQ(with(9, 3), at + "2 of its code: register is 3; it must be one that has been written");
  CHECK_EQ(with(2, 2), at + "0 of its code: loaded operand is 2; it must be an input");
  CHECK(contains(with(15, 1), at + "4 of its code: stored operand is 1; it must be an output over O and R"));
  CHECK(contains(with(15, 3), at + "4 of its code: stored operand is 3; it must be an output over O and R"));
  CHECK(contains(with(18, 2), at + "5 of its code: stored operand is 2; it must be an output over O that"));
  CHECK(contains(with(18, 4), at + "5 of its code: stored operand is 4"));
  for (size_t length = 0; length < good.size(); length++) {
    const std::string message = outcome_of({good.begin(), good.begin() + static_cast<long>(length)});
    CHECK_IN(contains(message, "number of words after it is ") || contains(message, "that nothing is stored to is"),
             message);
  }
  std::vector<double> twice = good;
  twice.insert(twice.end(), {-2, 2, 15});
  CHECK(contains(outcome_of(twice), at + "6 of its code: stored operand is 2; it must be an output"));
  std::vector<double> longest;
  for (int i = 0; i < 250; i++) longest.insert(longest.end(), {-1, 9, 1});
  longest.insert(longest.end(), good.begin(), good.end());
  CHECK_EQ(outcome_of(longest), "");
  longest.insert(longest.end(), {-1, 0, 0});
  CHECK(contains(outcome_of(longest), at + "256 of its code: number of instructions is 257; it must be at most 256"));
}

TEST(variadic_operands_are_counted_and_checked) {
  const KernelSpec& spec = spec_of("fused_f32");
  std::vector<float> x(8, 1.0f);
  const std::vector<Buffer> buffers = {{x.data(), 8, Storage::F32}};
  const auto message = [&](const std::vector<double>& rest) {
    std::vector<double> words = {static_cast<double>(&spec - kernel_table().data()), 0};
    words.insert(words.end(), rest.begin(), rest.end());
    words[1] = static_cast<double>(words.size());
    Program program;
    return load(&program, words, buffers).message;
  };
  CHECK(contains(message({0, 33, 0, 0}), "number of operands is 33; it must be an integer in [0, 32]"));
  CHECK(contains(message({0, -1, 0, 0}), "number of operands is -1"));
  CHECK(contains(message({0, 1, 32, 0}), "has 33 operands or more; it may have at most 32"));
  CHECK_EQ(message({0, 0, 0, 0, 0, 0}), "");
  // Two inputs and an output over R = [4]; offsets and strides of each are checked.
  const auto three = [&](double offset, double stride0, double stride2) {
    return message({0, 2, 1, 0, 0, 0, 0, offset, 0, 4, 0, 1, 4, stride0, 1, stride2, -1, 0, 0, -2, 2, 0});
  };
  CHECK_EQ(three(4, 2, 1), "");
  CHECK(contains(three(5, 2, 1), "operand 1 reaches element 8 of a buffer with 8"));
  CHECK(contains(three(4, 3, 1), "operand 0 reaches element 9 of a buffer with 8"));
  CHECK(contains(three(4, 2, 0), "operand 2 is written; its stride over size 4 must not be 0"));
  CHECK(contains(message({0, 2, 1, 0, 0, 0, 0}), "there is no word for offset"));
}

TEST(a_bad_index_is_named) {
  float x[10] = {}, out[3] = {7, 7, 7};
  int32_t index[3] = {0, 9, 12};
  Call call{&spec_of("gather_f32"), {{10}, {1}, {3}}, {}, {}, {}, {}};
  call.views = {{{10, 1}, {1, 1}, 0, 10}, {{3}, {1}, 0, 3}, {{3, 1}, {1, 1}, 0, 3}};
  const std::vector<double> words = call.words();
  const Buffer buffers[] = {{x, 10, Storage::F32}, {index, 3, Storage::I32}, {out, 3, Storage::F32}};
  Program program;
  CHECK_EQ(program.load(words.data(), static_cast<int64_t>(words.size()), buffers, 3).message, "");
  for (const Level* const* level = supported_levels(); *level != nullptr; level++) {
    const Outcome outcome = program.run(**level, buffers);
    CHECK(outcome.kind == Outcome::Kind::BadIndex);
    CHECK_EQ(outcome.message, "gather_f32: index 12 at position 2 is outside [0, 10)");
    CHECK(out[0] == 7 && out[1] == 7 && out[2] == 7);
  }
}

namespace {

// Where an output overlaps another operand, threads race for its values, as the contract allows.
#if defined(__SANITIZE_THREAD__)
constexpr int kMostThreads = 1;
#else
constexpr int kMostThreads = 3;
#endif

// Elements that a program's instructions walk; refused here above a million so that the test ends.
bool is_small(const Call& call, const std::vector<double>& words) {
  size_t at = call.first_dim();
  double count = 1;
  for (const Letter& letter : call.spec->signature.letters) {
    int64_t rank = letter.is_group ? static_cast<int64_t>(words[at++]) : 1;
    for (; rank > 0; rank--) count *= std::max(words[at++], 1.0);
  }
  return count < 1e6;
}

// Puts operands of one type into one buffer, so that outputs overlap inputs and indices.
void share_buffers(Call* call, std::vector<double>* words) {
  const std::vector<Operand>& operands = call->operands;
  for (size_t i = 1; i < operands.size(); i++) {
    for (size_t j = 0; j < i; j++) {
      if (operands[j].storage != operands[i].storage) continue;
      (*words)[call->first_operand() + 2 * i] = static_cast<double>(j);
      call->views[j].length = std::max(call->views[j].length, call->views[i].length);
      break;
    }
  }
}

double hostile_word(Random& random, double word) {
  const double huge = 9007199254740991.0;
  switch (random.integer(0, 9)) {
    case 0: return -word;
    case 1: return word + 1;
    case 2: return word - 1;
    case 3: return word * 2;
    case 4: return random.pick({huge, -huge, huge + 1, 4294967296.0, 2147483648.0, -2147483649.0, 1e300});
    case 5: return random.pick({std::nan(""), HUGE_VAL, -HUGE_VAL, 0.5, -0.0});
    default: return static_cast<double>(random.integer(-3, 20));
  }
}

}  // namespace

TEST(hostile_programs_stay_inside_their_buffers) {
  Random random(1);
  const std::vector<KernelSpec>& table = kernel_table();
  int accepted = 0, refused = 0;
  for (int trial = 0; trial < 60000; trial++) {
    const KernelSpec& spec = table[random.next() % table.size()];
    std::vector<Sizes> sizes;
    for (const Letter& letter : spec.signature.letters) {
      Sizes axes(static_cast<size_t>(letter.is_group ? random.integer(0, 3) : 1));
      for (int64_t& size : axes) size = random.integer(0, 9);
      sizes.push_back(axes);
    }
    Call call = random_call(random, spec, sizes, random.chance(0.5) ? Layout::Strided : Layout::Contiguous);
    std::vector<double> words = call.words();
    if (random.chance(0.3)) share_buffers(&call, &words);
    for (int64_t changes = random.integer(0, 3); changes > 0; changes--) {
      // Kernel and length rarely, since little survives a change of them.
      double& word = words[static_cast<size_t>(random.integer(random.chance(0.05) ? 0 : 2, words.size() - 1))];
      word = hostile_word(random, word);
    }
    std::vector<Block> blocks;
    for (size_t i = 0; i < call.views.size(); i++) {
      blocks.emplace_back(call.operands[i].storage, call.views[i].length);
      for (int64_t b = 0; b < blocks[i].size(); b++) {
        // Small numbers and wild ones, so that indices are sometimes valid.
        const bool is_low_byte = b % storage_bytes(call.operands[i].storage) == 0;
        blocks[i].bytes()[b] = static_cast<unsigned char>(is_low_byte ? random.integer(0, 4) : 0);
      }
    }
    const std::vector<Buffer> buffers = buffers_of(blocks);
    Program program;
    if (!load(&program, words, buffers).ok()) {
      refused++;
      continue;
    }
    accepted++;
    const std::vector<double> given = call.words();
    if (!std::equal(words.begin(), words.begin() + static_cast<long>(call.first_operand()), given.begin())) continue;
    if (!is_small(call, words)) continue;
    set_thread_limit(static_cast<int>(random.integer(1, kMostThreads)));
    for (const Level* const* level = supported_levels(); *level != nullptr; level++) {
      program.run(**level, buffers.data());
    }
  }
  std::printf("     %d accepted, %d refused\n", accepted, refused);
  CHECK(accepted > 10000);
  CHECK(refused > 10000);
}

int main() { return run_tests(); }
