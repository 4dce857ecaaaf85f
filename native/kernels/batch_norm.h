// Batch normalization over batch and length for each channel, and its gradient. Included by kernels/norm.h.
#pragma once

#include "reduce.h"

// Strides of an operand with axes [bcl].
struct ImageStrides {
  int64_t b, c, l;
  explicit ImageStrides(DimsReader& dims) : b(dims.stride()), c(dims.stride()), l(dims.stride()) {}
};

// The lines that cover operands with axes [bcl]: along c where l is 1, else along l.
struct ImageLines {
  int64_t b, c, l;

  bool across() const { return l == 1; }
  int64_t length() const { return across() ? c : l; }

  template <class T>
  Line<T> line(T* p, const ImageStrides& s, int64_t row) const {
    if (across()) return {p + row * s.b, s.c};
    return {p + row / c * s.b + row % c * s.c, s.l};
  }

  // Calls body(row, parameter) for every row of lines. `table` has rows of one number per channel, and
  // parameter(j) gives those of its row j that belong to the elements of the line.
  template <class T, class Body>
  void each_row(const T* table, const Body& body) const {
    for_rows(across() ? b : b * c, length(), [&](int64_t row) {
      if (across()) return body(row, [=](int j) { return DenseLine<const T>{table + j * c}; });
      body(row, [=](int j) { return RepeatedLine<T>{Vec<T>::set1(table[j * c + row % c])}; });
    });
  }
};

// (x[bcl], weight[c], bias[c]) -> (y[bcl], mean[c], var[c]), over b and l: mean, biased variance,
//   rstd = 1/√(var + eps), y = (x − mean)·rstd·weight + bias.
template <class T>
Status batch_norm_kernel(const Args& args) {
  using X = Vec<T>;
  using V = typename X::V;
  DimsReader dims(args);
  const int64_t b = dims.size(), c = dims.size(), l = dims.size();
  const ImageStrides x_strides(dims);
  const Line<const T> weight{args.in<T>(1), dims.stride()}, bias{args.in<T>(2), dims.stride()};
  const ImageStrides y_strides(dims);
  const Line<T> mean{args.out<T>(4), dims.stride()}, var{args.out<T>(5), dims.stride()};
  const T* const x = args.in<T>(0);
  T* const y = args.out<T>(3);

  const T count = static_cast<T>(b * l);
  const int64_t channels[] = {c}, samples[] = {b, l}, x_samples[] = {x_strides.b, x_strides.l};
  Reduction<T, 1, 0, 2>({1, channels}, {&x_strides.c, &mean.stride, &var.stride}, {2, samples}, {x_samples},
                        {x}, nullptr, {mean.p, var.p})
      .run(MeanPass<T>{count}, VariancePass<T>{count});

  const T eps = static_cast<T>(args.scalars[0]);
  enum { kMean, kRstd, kWeight, kBias, kRows };
  const std::unique_ptr<T[]> table(new T[kRows * c]);
  const auto row_of = [&](int j) { return Line<T>{table.get() + j * c, 1}; };
  for_vectors<T>(c, [&](int64_t i, int k) {
    row_of(kMean).store(i, mean.load(i, k), k);
    row_of(kRstd).store(i, reciprocal_deviation<T>(var.load(i, k), eps), k);
    row_of(kWeight).store(i, weight.load(i, k), k);
    row_of(kBias).store(i, bias.load(i, k), k);
  });

  const ImageLines lines{b, c, l};
  lines.each_row(table.get(), [&](int64_t row, auto parameter) {
    const auto means = parameter(kMean), rstds = parameter(kRstd);
    const auto weights = parameter(kWeight), biases = parameter(kBias);
    const auto normalize = [&](auto x, auto y) {
      for_vectors<T>(lines.length(), [=](int64_t i, int k) {
        const V h = normalized<T>(x.load(i, k), means.load(i, k), rstds.load(i, k));
        y.store(i, X::add(X::mul(h, weights.load(i, k)), biases.load(i, k)), k);
      });
    };
    with_lines(normalize, lines.line(x, x_strides, row), lines.line(y, y_strides, row));
  });
  return {};
}

// Σ g·h with h = (x − mean)·rstd, from inputs g and x and parameters mean and rstd.
template <class T>
struct NormalizedProductPass {
  using Op = Sum;
  using V = typename Vec<T>::V;
  V map(const V* in, const V* state) const {
    return Vec<T>::mul(in[0], normalized<T>(in[1], state[0], state[1]));
  }
  V finish(V total, const V*) const { return total; }
};

// (g[bcl], x[bcl], weight[c], mean[c], var[c]) -> (gx[bcl], gweight[c], gbias[c]), all sums over b and l, N =
// b·l:
//   rstd = 1/√(var + eps), h = (x − mean)·rstd, gweight = Σ g·h, gbias = Σg,
//   gx = weight·rstd·(g − (Σg)/N − h·((Σ g·h)/N)).
template <class T>
Status batch_norm_grad_kernel(const Args& args) {
  using X = Vec<T>;
  using V = typename X::V;
  DimsReader dims(args);
  const int64_t b = dims.size(), c = dims.size(), l = dims.size();
  const ImageStrides g_strides(dims), x_strides(dims);
  const Line<const T> weight{args.in<T>(2), dims.stride()}, mean{args.in<T>(3), dims.stride()};
  const Line<const T> var{args.in<T>(4), dims.stride()};
  const ImageStrides gx_strides(dims);
  const Line<T> gweight{args.out<T>(6), dims.stride()}, gbias{args.out<T>(7), dims.stride()};
  const T *const g = args.in<T>(0), *const x = args.in<T>(1);
  T* const gx = args.out<T>(5);

  const T eps = static_cast<T>(args.scalars[0]);
  // The last two: sums of g·h and of g, then the same divided by N.
  enum { kMean, kRstd, kScale, kProducts, kGradients, kRows };
  const std::unique_ptr<T[]> table(new T[kRows * c]);
  const auto row_of = [&](int j) { return Line<T>{table.get() + j * c, 1}; };
  for_vectors<T>(c, [&](int64_t i, int k) {
    const V rstd = reciprocal_deviation<T>(var.load(i, k), eps);
    row_of(kMean).store(i, mean.load(i, k), k);
    row_of(kRstd).store(i, rstd, k);
    row_of(kScale).store(i, X::mul(weight.load(i, k), rstd), k);
  });

  const int64_t one = 1, channels[] = {c}, samples[] = {b, l};
  const int64_t g_samples[] = {g_strides.b, g_strides.l}, x_samples[] = {x_strides.b, x_strides.l};
  const T* const parameters[] = {row_of(kMean).p, row_of(kRstd).p};
  Reduction<T, 2, 2, 2>({1, channels}, {&g_strides.c, &x_strides.c, &one, &one, &one, &one}, {2, samples},
                        {g_samples, x_samples}, {g, x}, parameters,
                        {row_of(kProducts).p, row_of(kGradients).p})
      .run(NormalizedProductPass<T>{}, FoldPass<Sum, T>{});

  const V count = X::set1(static_cast<T>(b * l));
  for_vectors<T>(c, [&](int64_t i, int k) {
    const V products = row_of(kProducts).load(i, k), gradients = row_of(kGradients).load(i, k);
    gweight.store(i, products, k);
    gbias.store(i, gradients, k);
    row_of(kProducts).store(i, X::div(products, count), k);
    row_of(kGradients).store(i, X::div(gradients, count), k);
  });

  const ImageLines lines{b, c, l};
  lines.each_row(table.get(), [&](int64_t row, auto parameter) {
    const auto means = parameter(kMean), rstds = parameter(kRstd), scales = parameter(kScale);
    const auto products = parameter(kProducts), gradients = parameter(kGradients);
    const auto differentiate = [&](auto g, auto x, auto gx) {
      for_vectors<T>(lines.length(), [=](int64_t i, int k) {
        const V h = normalized<T>(x.load(i, k), means.load(i, k), rstds.load(i, k));
        const V rest = X::sub(X::sub(g.load(i, k), gradients.load(i, k)), X::mul(h, products.load(i, k)));
        gx.store(i, X::mul(scales.load(i, k), rest), k);
      });
    };
    with_lines(differentiate, lines.line(g, g_strides, row), lines.line(x, x_strides, row),
               lines.line(gx, gx_strides, row));
  });
  return {};
}
