// Signatures and the kernel table.
#include "table.h"

#include "call.h"
#include "check.h"

using namespace thalweg;

namespace {

std::string parse_error(const std::string& text) {
  Signature signature;
  return parse_signature(text, &signature);
}

// FNV-1a over a string, written apart from table.cc.
uint32_t fnv1a(const std::string& text) {
  uint32_t hash = 0x811c9dc5;
  for (const unsigned char c : text) {
    hash ^= c;
    hash *= 0x01000193;
  }
  return hash;
}

}  // namespace

TEST(signatures_parse) {
  Signature s;
  CHECK_EQ(parse_signature("f32[Bmk], i32[] -> &u8[Bm], f64[kB]", &s), "");
  CHECK_EQ(s.letters.size(), size_t{3});
  CHECK(s.letters[0].name == 'B' && s.letters[0].is_group);
  CHECK(s.letters[2].name == 'k' && !s.letters[2].is_group);
  CHECK_EQ(s.operands.size(), size_t{4});
  CHECK(s.operands[0].storage == Storage::F32 && s.operands[0].role == Role::In);
  CHECK(s.operands[1].storage == Storage::I32 && s.operands[1].letters.empty());
  CHECK(s.operands[2].storage == Storage::U8 && s.operands[2].role == Role::InOut);
  CHECK(s.operands[3].role == Role::Out && s.operands[3].letters == (std::vector<int>{2, 0}));
  CHECK_EQ(parse_signature("u8[S]*, f32[S] -> f32[S]*", &s), "");
  CHECK(s.operands[0].is_variadic && !s.operands[1].is_variadic && s.operands[2].is_variadic);
  CHECK_EQ(parse_signature("-> i64[S]", &s), "");
  CHECK_EQ(s.operands.size(), size_t{1});
}

TEST(bad_signatures_are_refused) {
  for (const char* text : {"", "f32[S]", "f32[S] ->", "->", "f32[S] -> f32", "f31[S] -> f32[S]", "T[S] -> f32[S]",
                           "&f32[S] -> f32[S]", "f32[S] -> f32[S] more", "f32[S -> f32[S]", "f32[1] -> f32[S]",
                           "f32[S],f32[S] -> f32[S]", "f32[abcdefghi] -> f32[a]", "f32*[S] -> f32[S]",
                           "f32[S]** -> f32[S]"}) {
    CHECK_IN(!parse_error(text).empty(), text);
  }
}

TEST(types_are_substituted_outside_brackets) {
  CHECK_EQ(substitute_type("T[TS], i32[T] -> &T[S]", "f64"), "f64[TS], i32[T] -> &f64[S]");
}

TEST(the_table_is_sorted_and_complete) {
  const std::vector<KernelSpec>& table = kernel_table();
  std::vector<bool> rows(table.size(), false);
  for (size_t i = 0; i < table.size(); i++) {
    if (i > 0) CHECK_IN(table[i - 1].name < table[i].name, table[i].name);
    rows[static_cast<size_t>(table[i].row)] = true;
  }
  for (const bool row : rows) CHECK(row);
  CHECK_EQ(spec_of("adam_f64").scalars, 9);
  CHECK_EQ(spec_of("adam_f64").signature.operands.size(), size_t{4});
  CHECK_EQ(table_line(spec_of("matmul_i32")), "matmul_i32:i32[Bmk], i32[Bkn] -> i32[Bmn]:");
  CHECK_EQ(table_line(spec_of("gather_u8")), "gather_u8:u8[nd], i32[i] -> u8[id]:");
}

TEST(the_version_is_the_hash_of_all_lines) {
  CHECK_EQ(fnv1a("foobar"), 0xbf9cf968u);
  std::string lines;
  for (const KernelSpec& spec : kernel_table()) lines += table_line(spec) + "\n";
  CHECK_EQ(table_version(), fnv1a(lines));
}

int main() { return run_tests(); }
