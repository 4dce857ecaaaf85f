// Instructions that run side by side: only independent ones, only where that is faster, and with the bits of one after
// the other, also where their arrays overlap.
#include "side_by_side.h"

#include <algorithm>

#include "call.h"
#include "check.h"
#include "parallel.h"
#include "program.h"

using namespace thalweg;

namespace {

constexpr double kProduct100 = 1e6;  // steps of a product of 100 × 100 matrices, of 1e4 elements each

size_t chosen(std::initializer_list<Work> works, int threads) {
  const std::vector<Work> list(works);
  return side_by_side(list.data(), list.size(), threads);
}

// `count` products of square matrices at random places of one buffer, which may overlap.
std::vector<double> products(Random& random, int count, int64_t size, int64_t length) {
  std::vector<double> words;
  const double id = static_cast<double>(&spec_of("matmul_f32") - kernel_table().data());
  const double n = static_cast<double>(size);
  for (int i = 0; i < count; i++) {
    const int64_t last = length / (size * size) - 1;
    int64_t places[3];
    // The result overlaps no operand of its own product.
    for (int64_t& place : places) place = random.integer(0, last);
    if (places[2] == places[0] || places[2] == places[1]) places[2] = (std::max(places[0], places[1]) + 1) % (last + 1);
    if (places[2] == places[0] || places[2] == places[1]) continue;
    const double begin = static_cast<double>(words.size());
    words.insert(words.end(), {id, 0});
    for (const int64_t place : places) words.insert(words.end(), {0.0, static_cast<double>(place * size * size)});
    words.insert(words.end(), {0, n, n, n, n, 1, n, 1, n, 1});
    words[static_cast<size_t>(begin) + 1] = static_cast<double>(words.size()) - begin;
  }
  return words;
}

}  // namespace

TEST(extents_that_meet_and_are_written_depend) {
  const char memory[64] = {};
  const auto check = [&](std::vector<Extent> extents) { return depend(&extents); };
  CHECK(!check({{memory, memory + 8, 0, true}, {memory + 8, memory + 16, 1, true}}));
  CHECK(check({{memory, memory + 9, 0, true}, {memory + 8, memory + 16, 1, false}}));
  CHECK(!check({{memory, memory + 9, 0, false}, {memory + 8, memory + 16, 1, false}}));
  CHECK(!check({{memory, memory + 9, 0, true}, {memory + 8, memory + 16, 0, false}}));
}

TEST(two_equal_products_share_two_threads_but_not_eight) {
  const Work product{kProduct100, 1e4}, sum{1e4, 1e4};
  CHECK_EQ(chosen({product, product}, 2), size_t{2});
  CHECK_EQ(chosen({sum, product, product}, 2), size_t{3});
  CHECK_EQ(chosen({product, product}, 8), size_t{0});
  CHECK_EQ(chosen({product, sum}, 2), size_t{0});
  CHECK_EQ(chosen({sum, sum}, 2), size_t{0});
}

TEST(the_bits_are_those_of_one_after_the_other) {
  Random random(3);
  constexpr int64_t kSize = 72, kPlaces = 6, kLength = kSize * kSize * kPlaces;
  for (int round = 0; round < 200; round++) {
    std::vector<float> start(kLength);
    for (float& x : start) x = static_cast<float>(random.uniform() - 0.5) / 8;
    const std::vector<double> words = products(random, 6, kSize, kLength);
    std::vector<float> wanted;
    for (const int threads : {1, 2, 3}) {
      std::vector<float> got = start;
      const std::vector<Buffer> buffers = {{got.data(), kLength, Storage::F32}};
      Program program;
      CHECK(program.load(words.data(), static_cast<int64_t>(words.size()), buffers.data(), 1).ok());
      set_thread_limit(threads);
      CHECK(program.run(*best_level(), buffers.data()).ok());
      if (threads == 1) wanted = got;
      CHECK(same_bytes(reinterpret_cast<const unsigned char*>(got.data()), reinterpret_cast<const unsigned char*>(wanted.data()),
                       static_cast<int64_t>(sizeof(float)) * kLength));
    }
  }
}

int main() { return run_tests(); }
