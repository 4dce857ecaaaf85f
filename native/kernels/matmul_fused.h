// Matrix product with an epilogue, batched: T[Bmk], T[Bkn], u8[Bmn]*, T[Bmn]* -> T[Bmn]*.
#pragma once

#include "fused.h"
#include "matmul.h"
#include "matmul/epilogue.h"

template <class T>
void multiply(const Product<T>& x, const Epilogue<T>& epilogue) {
  if (x.m == 0 || x.n == 0) return;
  if (x.m == 1) return finish_vector(x, epilogue);
  if (x.n == 1) return finish_vector(transposed(x), epilogue.transposed());
  if (x.k > 0 && !epilogue.is_by_columns() && pays_transposed(x)) return finish_transposed(x, epilogue);
  if (epilogue.is_by_columns()) return FinishedBlocks<T>(transposed(x), epilogue.transposed()).run();
  FinishedBlocks<T>(x, epilogue).run();
}

// Register 0 of the code holds a·b at the start (docs/kernels.md, "Chains"). The bits are those of `matmul` into other
// memory, and of `fused` on that. An output may be the very same view as an input that is neither a nor b.
template <class T>
Status matmul_fused_kernel(const Args& args) {
  const auto count = [&](int i) { return static_cast<int>(args.counts[i]); };
  const FusedOperands operands{count(0), count(1), count(2), 0, true};
  FusedCode code;
  const Status status = decode_fused(args.scalars, args.scalar_count, operands, kStorageOf<T>, &code);
  if (!status.ok() || operands.outputs == 0) return status;

  // All operands: a, b, and behind them those of the code.
  constexpr int kFirst = 2;
  const int all = kFirst + operands.count();
  DimsReader dims(args);
  const Group b = dims.group();
  Product<T> product;
  product.m = dims.size();
  product.k = dims.size();
  product.n = dims.size();
  const int64_t* batch_strides[kMaxOperands];
  int64_t rows[kMaxOperands], columns[kMaxOperands];
  for (int o = 0; o < all; o++) {
    batch_strides[o] = dims.strides(b);
    rows[o] = dims.stride();
    columns[o] = dims.stride();
  }
  product.a = {args.in<T>(0), rows[0], columns[0]};
  product.b = {args.in<T>(1), rows[1], columns[1]};
  product.c = {nullptr, 0, 0};
  bool is_shared[kMaxOperands] = {};
  find_shared(args.operands + kFirst, operands, is_shared);
  Epilogue<T> epilogue{code, {}};
  for (int o = 0; o < operands.count(); o++) {
    epilogue.operands[o] = {args.operands[kFirst + o], rows[kFirst + o], columns[kFirst + o], is_shared[o], false};
  }
  SharedAxes batch_axes(all);
  for (int i = 0; i < b.rank; i++) batch_axes.append(b.sizes[i], [&](int o) { return batch_strides[o][i]; });
  batch_axes.close();
  int64_t batch = batch_axes.count;

  // As in matmul: a product by one matrix is one product of all rows.
  if (batch > 1 && product.m > 1 && product.n > 1 && batch_axes.rank == 1 && batch_axes.inner_stride(1) == 0) {
    bool merges = true;
    for (int o = 0; o < all; o++) merges = merges && (o == 1 || batch_axes.inner_stride(o) == product.m * rows[o]);
    if (merges) {
      product.m *= batch;
      batch = 1;
    }
  }
  if (batch == 1) {
    multiply(product, epilogue);
    return {};
  }
  const double worth = static_cast<double>(product.m) * static_cast<double>(product.n) * epilogue.worth(product.k);
  const int64_t grain = batch < thread_limit() || worth == 0 ? batch : 1 + static_cast<int64_t>(1 / worth);
  parallel_for(batch, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      int64_t offsets[kMaxOperands] = {};
      batch_axes.add_offsets(i, batch_axes.rank - 1, offsets);
      Product<T> x = product;
      x.a.p += offsets[0];
      x.b.p += offsets[1];
      Epilogue<T> e = epilogue;
      for (int o = 0; o < operands.count(); o++) {
        const int64_t bytes = operands.element_bytes<T>(o);
        e.operands[o].data = static_cast<char*>(epilogue.operands[o].data) + offsets[kFirst + o] * bytes;
      }
      multiply(x, e);
    }
  });
  return {};
}
