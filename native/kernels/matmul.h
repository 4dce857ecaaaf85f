// Matrix product, batched: T[Bmk], T[Bkn] -> T[Bmn].
#pragma once

#include "matmul/blocked.h"
#include "walk.h"

// The same product in the form that costs least: as its transpose, where c is contiguous by columns
// (multiplication commutes, so each chain keeps its bits).
template <class T>
Product<T> oriented(const Product<T>& x) {
  const bool by_columns = x.n > 1 ? x.c.column != 1 && x.c.row == 1 : x.c.row == 1 && x.a.row == 1;
  if (!by_columns) return x;
  const Matrix<const T> a{x.b.p, x.b.column, x.b.row}, b{x.a.p, x.a.column, x.a.row};
  return {x.n, x.k, x.m, a, b, {x.c.p, x.c.column, x.c.row}};
}

// c[B, i, j] = Σ_p a[B, i, p]·b[B, p, j]: for each block of 256 p one chain acc = fma(a, b, acc) from 0, p
// ascending; the blocks' results are added in order. Error: at most (256 + k/256)·ε·Σ|a·b|. NaN and ∞ as in
// that chain; k = 0 gives 0; int32 wraps. c may not overlap a or b.
template <class T>
Status matmul_kernel(const Args& args) {
  DimsReader dims(args);
  const Group b = dims.group();
  Product<T> product;
  product.m = dims.size();
  product.k = dims.size();
  product.n = dims.size();
  const int64_t* const a_b = dims.strides(b);
  const int64_t a_row = dims.stride(), a_column = dims.stride();
  const int64_t* const b_b = dims.strides(b);
  const int64_t b_row = dims.stride(), b_column = dims.stride();
  const int64_t* const c_b = dims.strides(b);
  const int64_t c_row = dims.stride(), c_column = dims.stride();
  product.a = {args.in<T>(0), a_row, a_column};
  product.b = {args.in<T>(1), b_row, b_column};
  product.c = {args.out<T>(2), c_row, c_column};
  const Walk<3> walk(b, {a_b, b_b, c_b});
  int64_t batch = walk.count;

  // A product by one matrix for all of the batch is one product of all rows.
  if (batch > 1 && walk.rank == 1 && walk.stride[1][0] == 0) {
    Product<T>& p = product;
    if (p.m == 1) {
      p.a.row = walk.stride[0][0];
      p.c.row = walk.stride[2][0];
    }
    if (walk.stride[0][0] == p.m * p.a.row && walk.stride[2][0] == p.m * p.c.row) {
      p.m *= batch;
      batch = 1;
    }
  }
  if (batch == 1) {
    multiply(oriented(product));
    return {};
  }
  // Enough products share themselves out; few are shared out one by one.
  const int64_t work = product.m * product.k * product.n;
  const int64_t grain = batch < thread_limit() ? batch : 1 + kProductGrain / (work + 1);
  parallel_for(batch, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      Product<T> x = product;
      x.a.p += walk.offset(0, i);
      x.b.p += walk.offset(1, i);
      x.c.p += walk.offset(2, i);
      multiply(oriented(x));
    }
  });
  return {};
}
