// Chains of elementwise operations and folds in one pass over memory: docs/kernels.md, "Chains". An output may be the
// very same view as an input. Every step has the bits of the kernel of its name.
#pragma once

#include "fused/fold.h"
#include "fused/map.h"

template <class T>
constexpr Storage kStorageOf = std::is_same<T, float>::value ? Storage::F32 : Storage::F64;

template <class T>
Status fused_kernel(const Args& args) {
  const auto count = [&](int i) { return static_cast<int>(args.counts[i]); };
  const FusedOperands operands{count(0), count(1), count(2), count(3), false};
  FusedCode code;
  const Status status = decode_fused(args.scalars, args.scalar_count, operands, kStorageOf<T>, &code);
  if (!status.ok()) return status;
  const FusedArgs a(args, operands);
  if (operands.folds > 0) FusedFold<T>(a, code).run();
  else if (operands.outputs > 0) fused_map<T>(a, code);
  return {};
}
