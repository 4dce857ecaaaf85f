// Random code of fused chains that is valid for given operands (docs/kernels.md, "Chains").
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "fused_code.h"
#include "random.h"
#include "table.h"

namespace thalweg {

// Kernels that random code does not apply, by name: results of theirs are not to be compared.
inline std::vector<std::string>& left_out_of_code() {
  static std::vector<std::string> names;
  return names;
}

// Kernels that a chain of elements of `type` may apply (or fold with), as numbers.
inline std::vector<size_t> chain_kernels(Storage type, bool folds) {
  std::vector<size_t> numbers;
  const std::vector<KernelSpec>& table = kernel_table();
  for (size_t i = 0; i < table.size(); i++) {
    const std::vector<std::string>& left_out = left_out_of_code();
    if (table[i].type != type || std::count(left_out.begin(), left_out.end(), table[i].name) > 0) continue;
    const std::string stem = table[i].name.substr(0, table[i].name.rfind('_'));
    const bool is_fold = stem == "sum" || stem == "prod" || stem == "max" || stem == "min";
    if (folds ? is_fold : table[i].is_map) numbers.push_back(i);
  }
  return numbers;
}

// Code for a kernel with variadic operands: `counts` of u8 inputs, inputs, outputs and, where the kernel has such,
// folds. Where other inputs come before these, register 0 holds what is computed of them. Stores come anywhere once a
// register has been written.
inline std::vector<double> random_code(Random& random, const KernelSpec& spec, const std::vector<int64_t>& counts) {
  const Storage type = spec.type;
  const std::vector<KernelSpec>& table = kernel_table();
  const std::vector<size_t> maps = chain_kernels(type, false), folds = chain_kernels(type, true);
  const int64_t inputs = counts[0] + counts[1], outputs = counts[2] + (counts.size() > 3 ? counts[3] : 0);
  std::vector<int64_t> left;  // outputs that nothing is stored to yet
  for (int64_t i = 0; i < outputs; i++) left.push_back(inputs + i);
  std::vector<int64_t> written;
  if (!spec.signature.operands[0].is_variadic) written.push_back(0);
  std::vector<double> code;
  const auto push = [&](int64_t word) { code.push_back(static_cast<double>(word)); };
  const auto written_register = [&] { return written[random.next() % written.size()]; };
  for (int64_t steps = random.integer(0, 12); steps > 0 || !left.empty(); steps--) {
    if (!written.empty() && !left.empty() && (steps <= 0 || random.chance(0.2))) {
      const size_t which = random.next() % left.size();
      const bool is_fold = left[which] >= inputs + counts[2];
      push(is_fold ? static_cast<int64_t>(folds[random.next() % folds.size()]) : -2);
      push(left[which]);
      push(written_register());
      left.erase(left.begin() + static_cast<long>(which));
      continue;
    }
    // Few registers, so that they are often written again.
    const int64_t to = random.chance(0.1) ? kTileRegisters - 1 : random.integer(0, 5);
    if (inputs > 0 && (written.empty() || random.chance(0.4))) {
      push(-1);
      push(to);
      push(random.integer(0, inputs - 1));
    } else {
      size_t number = maps[random.next() % maps.size()];
      while (written.empty() && table[number].signature.operands.size() > 1) number = maps[random.next() % maps.size()];
      push(static_cast<int64_t>(number));
      push(to);
      for (size_t i = 1; i < table[number].signature.operands.size(); i++) push(written_register());
      for (int i = 0; i < table[number].scalars; i++) code.push_back(random.pick({-1.0, 0.0, 0.1, 0.5, 2.0}));
    }
    written.push_back(to);
  }
  return code;
}

}  // namespace thalweg
