// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As
// Easy as 1, 2, 3" (SC 2011): a keyed bijection of 128-bit counters. No state lives here.
#pragma once

// Blocks that are made together, in a loop over them that the compiler vectorizes.
constexpr int kPhiloxBlocks = 16;

// Word w of block j is words[w][j].
using PhiloxWords = uint32_t[4][kPhiloxBlocks];

struct PhiloxStream {
  uint32_t key_low, key_high;
  uint64_t offset;

  // The first four scalars are seed_low, seed_high, offset_low, offset_high: 32-bit numbers.
  explicit PhiloxStream(const double* scalars)
      : key_low(word(scalars[0])),
        key_high(word(scalars[1])),
        offset(static_cast<uint64_t>(word(scalars[3])) << 32 | word(scalars[2])) {}

  // Blocks first, first + 1, …: their counters are (offset + block) as (low, high, 0, 0).
  void blocks(uint64_t first, PhiloxWords& words) const {
    // Copies, since `words` could be these very members for all the compiler knows.
    const PhiloxStream self = *this;
    for (int j = 0; j < kPhiloxBlocks; j++) {
      const uint64_t counter = self.offset + first + static_cast<uint64_t>(j);
      uint32_t c0 = static_cast<uint32_t>(counter), c1 = static_cast<uint32_t>(counter >> 32), c2 = 0, c3 = 0;
      uint32_t low = self.key_low, high = self.key_high;
      for (int round = 0; round < 10; round++, low += 0x9e3779b9u, high += 0xbb67ae85u) {
        const uint64_t product0 = uint64_t{0xd2511f53u} * c0, product1 = uint64_t{0xcd9e8d57u} * c2;
        c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ low;
        c1 = static_cast<uint32_t>(product1);
        c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ high;
        c3 = static_cast<uint32_t>(product0);
      }
      words[0][j] = c0, words[1][j] = c1, words[2][j] = c2, words[3][j] = c3;
    }
  }

 private:
  static uint32_t word(double x) { return static_cast<uint32_t>(convert<int64_t>(x)); }
};
