// Consecutive updates of one kernel, run as one loop: the bits of one after the other, whatever the threads, and also
// where the arrays of different updates overlap.
#include "program.h"

#include <algorithm>

#include "call.h"
#include "check.h"
#include "parallel.h"

using namespace thalweg;

namespace {

// Updates of many arrays, one instruction each.
struct Updates {
  // Where arrays lie in one buffer, those of one update are in regions of their own and those of different updates
  // may overlap.
  static constexpr int64_t kRegion = 130000;
  std::vector<std::vector<double>> instructions;
  std::vector<Block> blocks;

  Updates(Random& random, const KernelSpec& spec, bool is_shared) {
    const int count = static_cast<int>(random.integer(1, 6));
    const Storage storage = spec.signature.operands[0].storage;
    const int64_t operand_count = static_cast<int64_t>(spec.signature.operands.size());
    if (is_shared) blocks.emplace_back(storage, operand_count * kRegion);
    for (int i = 0; i < count; i++) {
      const int64_t n = random.pick({int64_t{0}, int64_t{1}, int64_t{100}, int64_t{16384}, random.integer(1, 60000)});
      std::vector<double> words = {static_cast<double>(&spec - kernel_table().data()), 0};
      std::vector<double> strides;
      for (size_t o = 0; o < spec.signature.operands.size(); o++) {
        const int64_t stride = random.pick({int64_t{1}, int64_t{1}, int64_t{2}, int64_t{-1}});
        const int64_t length = (n > 0 ? n - 1 : 0) * std::abs(stride) + 1;
        const int64_t region = (static_cast<int64_t>(o) + i) % operand_count * kRegion;
        const int64_t start = is_shared ? region + random.integer(0, kRegion - length) : 0;
        if (!is_shared) blocks.emplace_back(storage, length);
        words.push_back(is_shared ? 0.0 : static_cast<double>(blocks.size() - 1));
        words.push_back(static_cast<double>(stride < 0 ? start + length - 1 : start));
        strides.push_back(static_cast<double>(stride));
      }
      words.push_back(static_cast<double>(n));
      words.insert(words.end(), strides.begin(), strides.end());
      for (int s = 0; s < spec.scalars; s++) words.push_back(random.pick({0.5, 0.25, 0.9}));
      words[1] = static_cast<double>(words.size());
      instructions.push_back(words);
    }
    for (const Block& block : blocks) {
      for (int64_t i = 0; i < block.size() / storage_bytes(storage); i++) {
        const double x = random.uniform();
        const float single = static_cast<float>(x);
        if (storage == Storage::F64) std::memcpy(block.bytes() + 8 * i, &x, 8);
        else std::memcpy(block.bytes() + 4 * i, &single, 4);
      }
    }
  }

  // What the buffers hold after these programs have run one after the other.
  std::vector<Block> after(const std::vector<std::vector<double>>& programs, const Level& level, int threads) const {
    std::vector<Block> result = blocks;
    const std::vector<Buffer> buffers = buffers_of(result);
    set_thread_limit(threads);
    for (const std::vector<double>& words : programs) {
      Program program;
      const Outcome outcome = thalweg::load(&program, words, buffers);
      CHECK_IN(outcome.ok(), outcome.message);
      if (outcome.ok()) CHECK(program.run(level, buffers.data()).ok());
    }
    return result;
  }
};

}  // namespace

TEST(merged_updates_have_the_bits_of_one_after_the_other) {
  Random random(7);
  for (const KernelSpec& spec : kernel_table()) {
    if (!spec.merges) continue;
    for (int round = 0; round < 20; round++) {
      const bool is_shared = round % 2 == 1;
      const Updates updates(random, spec, is_shared);
      std::vector<double> together;
      for (const auto& words : updates.instructions) together.insert(together.end(), words.begin(), words.end());
      const std::vector<Block> wanted = updates.after(updates.instructions, *best_level(), 1);
      for (int threads = 1; threads <= 8; threads++) {
        const std::vector<Block> got = updates.after({together}, *best_level(), threads);
        for (size_t b = 0; b < got.size(); b++) {
          CHECK_IN(same_bytes(got[b].bytes(), wanted[b].bytes(), got[b].size()),
                   spec.name + " on " + std::to_string(threads) + " threads, buffer " + std::to_string(b));
        }
      }
    }
  }
}

TEST(optimizer_updates_merge) {
  const std::vector<std::string> rules = {"adadelta", "adagrad", "adam", "adamax", "amsgrad", "lion", "look_ahead",
                                          "muon_momentum", "nadam", "nesterov", "rmsprop", "rmsprop_centered",
                                          "rmsprop_centered_momentum", "rmsprop_momentum", "sgd", "sgd_momentum"};
  for (const KernelSpec& spec : kernel_table()) {
    const std::string stem = spec.name.substr(0, spec.name.rfind('_'));
    CHECK_IN(spec.merges == (std::count(rules.begin(), rules.end(), stem) > 0), spec.name);
  }
}

int main() { return run_tests(); }
