// Matrix product, batched: T[Bmk], T[Bkn] -> T[Bmn].
#pragma once

#include "matmul/blocked.h"
#include "matmul/transposed.h"
#include "matmul/vector.h"
#include "walk.h"

// The same product as its transpose: multiplication commutes, so each element keeps its bits.
template <class T>
Product<T> transposed(const Product<T>& x) {
  const Matrix<const T> a{x.b.p, x.b.column, x.b.row}, b{x.a.p, x.a.column, x.a.row};
  return {x.n, x.k, x.m, a, b, {x.c.p, x.c.column, x.c.row}};
}

template <class T>
void multiply(const Product<T>& x) {
  if (x.m == 0 || x.n == 0) return;
  if (x.k == 0) {
    for (int64_t i = 0; i < x.m; i++) {
      for (int64_t j = 0; j < x.n; j++) *x.c.at(i, j) = 0;
    }
    return;
  }
  if (x.m == 1) return multiply_vector(x);
  if (x.n == 1) return multiply_vector(transposed(x));
  if (x.c.column == 1 && pays_transposed(x)) {
    const double worth = static_cast<double>(x.m * x.k * x.n) / kProductGrain;
    return multiply_transposed(x, worth, [&](int64_t j, int64_t columns, const T* turned) {
      turn(turned, x.m, columns, x.m, x.c.at(0, j), x.c.row);
    });
  }
  // Tiles write rows.
  const bool by_columns = x.c.column != 1 && x.c.row == 1;
  multiply_blocked(by_columns ? transposed(x) : x);
}

// c[B, i, j] = Σ_p a[B, i, p]·b[B, p, j]: for each block of 256 p one chain acc = fma(a, b, acc) from 0, p
// ascending; the blocks' results are added in order. With m = 1 or n = 1 in the order of sums, each lane a chain.
// Error: at most (256 + k/256)·ε·Σ|a·b|. NaN and ∞ as in those chains; k = 0 gives 0; int32 wraps. c may not overlap
// a or b.
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
  // (Not of vectors: their order of additions is another.)
  if (batch > 1 && product.m > 1 && product.n > 1 && walk.rank == 1 && walk.stride[1][0] == 0) {
    Product<T>& p = product;
    if (walk.stride[0][0] == p.m * p.a.row && walk.stride[2][0] == p.m * p.c.row) {
      p.m *= batch;
      batch = 1;
    }
  }
  if (batch == 1) {
    multiply(product);
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
      multiply(x);
    }
  });
  return {};
}
