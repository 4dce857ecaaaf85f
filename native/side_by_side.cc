#include "side_by_side.h"

#include <algorithm>

namespace thalweg {

bool depend(std::vector<Extent>* extents) {
  std::sort(extents->begin(), extents->end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  // Extents that meet, directly or through others, form a cluster.
  Extent cluster{nullptr, nullptr, 0, false};
  bool has_several = false;
  for (const Extent& extent : *extents) {
    if (extent.begin >= cluster.end) {
      cluster = extent;
      has_several = false;
      continue;
    }
    has_several = has_several || extent.instruction != cluster.instruction;
    cluster.is_written = cluster.is_written || extent.is_written;
    if (has_several && cluster.is_written) return true;
    if (extent.end > cluster.end) cluster.end = extent.end;
  }
  return false;
}

double Work::cost() const {
  // Products add up some 80 terms a nanosecond, what walks its operands once some 8 elements (AMD Zen 5, one thread).
  return steps >= 4 * elements ? steps / 80 : steps / 8;
}

size_t side_by_side(const Work* works, size_t count, int threads) {
  // What all threads together get out of an instruction of 5 to 50 µs, and what a fork and join costs.
  constexpr double kEfficiency = 0.8, kFork = 2000;
  double total = 0, longest = 0, in_turn = 0;
  double best_gain = 0;
  size_t best = 0;
  for (size_t i = 0; i < count; i++) {
    const double cost = works[i].cost(), shared = cost / (threads * kEfficiency) + kFork;
    total += cost;
    longest = std::max(longest, cost);
    in_turn += std::min(cost, shared);
    const double gain = in_turn - (std::max(longest, total / threads) + kFork);
    if (gain > best_gain) {
      best_gain = gain;
      best = i + 1;
    }
  }
  return best;
}

}  // namespace thalweg
