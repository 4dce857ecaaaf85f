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
  int64_t rows() const { return across() ? b : b * c; }
  int64_t length() const { return across() ? c : l; }

  template <class T>
  Line<T> line(T* p, const ImageStrides& s, int64_t row) const {
    if (across()) return {p + row * s.b, s.c};
    return {p + row / c * s.b + row % c * s.c, s.l};
  }
  // The numbers per channel that belong to that line.
  template <class T>
  Line<T> parameters(T* p, int64_t stride, int64_t row) const {
    if (across()) return {p, stride};
    return {p + row % c * stride, 0};
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
  const int64_t weight_c = dims.stride(), bias_c = dims.stride();
  const ImageStrides y_strides(dims);
  const int64_t mean_c = dims.stride(), var_c = dims.stride();
  const T* const x = args.in<T>(0);
  T *const y = args.out<T>(3), *const mean = args.out<T>(4), *const var = args.out<T>(5);

  const T count = static_cast<T>(b * l);
  const int64_t channels[] = {c}, samples[] = {b, l}, x_samples[] = {x_strides.b, x_strides.l};
  Reduction<T, 1, 0, 2>({1, channels}, {&x_strides.c, &mean_c, &var_c}, {2, samples}, {x_samples}, {x}, nullptr,
                        {mean, var})
      .run(MeanPass<T>{count}, VariancePass<T>{count});

  const T eps = static_cast<T>(args.scalars[0]);
  const std::unique_ptr<T[]> rstd(new T[c]);
  const Line<T> var_line{var, var_c}, rstd_line{rstd.get(), 1};
  for_vectors<T>(c, [&](int64_t i, int k) { rstd_line.store(i, reciprocal_deviation<T>(var_line.load(i, k), eps), k); });
  const ImageLines lines{b, c, l};
  for_rows(lines.rows(), lines.length(), [&](int64_t row) {
    const Line<const T> x_line = lines.line(x, x_strides, row);
    const Line<T> y_line = lines.line(y, y_strides, row);
    const auto means = lines.parameters(mean, mean_c, row), rstds = lines.parameters(rstd.get(), 1, row);
    const auto weights = lines.parameters(args.in<T>(1), weight_c, row);
    const auto biases = lines.parameters(args.in<T>(2), bias_c, row);
    for_vectors<T>(lines.length(), [&](int64_t i, int k) {
      const V h = normalized<T>(x_line.load(i, k), means.load(i, k), rstds.load(i, k));
      y_line.store(i, X::add(X::mul(h, weights.load(i, k)), biases.load(i, k)), k);
    });
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

// (g[bcl], x[bcl], weight[c], mean[c], var[c]) -> (gx[bcl], gweight[c], gbias[c]), all sums over b and l, N = b·l:
//   rstd = 1/√(var + eps), h = (x − mean)·rstd, gweight = Σ g·h, gbias = Σg,
//   gx = weight·rstd·(g − (Σg)/N − h·((Σ g·h)/N)).
template <class T>
Status batch_norm_grad_kernel(const Args& args) {
  using X = Vec<T>;
  using V = typename X::V;
  DimsReader dims(args);
  const int64_t b = dims.size(), c = dims.size(), l = dims.size();
  const ImageStrides g_strides(dims), x_strides(dims);
  const int64_t weight_c = dims.stride(), mean_c = dims.stride(), var_c = dims.stride();
  const ImageStrides gx_strides(dims);
  const int64_t gweight_c = dims.stride(), gbias_c = dims.stride();
  const T *const g = args.in<T>(0), *const x = args.in<T>(1);
  T* const gx = args.out<T>(5);

  // For each channel: rstd, weight·rstd, Σ g·h, Σg, and the last two divided by N.
  const std::unique_ptr<T[]> scratch(new T[6 * c]);
  T* const rstd = scratch.get();
  const Line<T> rstd_line{rstd, 1}, scale{rstd + c, 1}, gh_sum{rstd + 2 * c, 1}, g_sum{rstd + 3 * c, 1};
  const Line<T> gh_mean{rstd + 4 * c, 1}, g_mean{rstd + 5 * c, 1};
  const Line<const T> weight{args.in<T>(2), weight_c}, mean{args.in<T>(3), mean_c}, var{args.in<T>(4), var_c};

  const T eps = static_cast<T>(args.scalars[0]);
  for_vectors<T>(c, [&](int64_t i, int k) {
    const V r = reciprocal_deviation<T>(var.load(i, k), eps);
    rstd_line.store(i, r, k);
    scale.store(i, X::mul(weight.load(i, k), r), k);
  });

  const int64_t one = 1, channels[] = {c}, samples[] = {b, l};
  const int64_t g_samples[] = {g_strides.b, g_strides.l}, x_samples[] = {x_strides.b, x_strides.l};
  const T* const parameters[] = {mean.p, rstd};
  Reduction<T, 2, 2, 2>({1, channels}, {&g_strides.c, &x_strides.c, &mean_c, &one, &one, &one}, {2, samples},
                        {g_samples, x_samples}, {g, x}, parameters, {gh_sum.p, g_sum.p})
      .run(NormalizedProductPass<T>{}, FoldPass<Sum, T>{});

  const V count = X::set1(static_cast<T>(b * l));
  const Line<T> gweight{args.out<T>(6), gweight_c}, gbias{args.out<T>(7), gbias_c};
  for_vectors<T>(c, [&](int64_t i, int k) {
    gweight.store(i, gh_sum.load(i, k), k);
    gbias.store(i, g_sum.load(i, k), k);
    gh_mean.store(i, X::div(gh_sum.load(i, k), count), k);
    g_mean.store(i, X::div(g_sum.load(i, k), count), k);
  });
  const ImageLines lines{b, c, l};
  for_rows(lines.rows(), lines.length(), [&](int64_t row) {
    const Line<const T> g_line = lines.line(g, g_strides, row), x_line = lines.line(x, x_strides, row);
    const Line<T> gx_line = lines.line(gx, gx_strides, row);
    const auto means = lines.parameters(mean.p, mean_c, row);
    const auto rstds = lines.parameters(rstd, 1, row), scales = lines.parameters(scale.p, 1, row);
    const auto g_means = lines.parameters(g_mean.p, 1, row), gh_means = lines.parameters(gh_mean.p, 1, row);
    for_vectors<T>(lines.length(), [&](int64_t i, int k) {
      const V h = normalized<T>(x_line.load(i, k), means.load(i, k), rstds.load(i, k));
      const V centred = X::sub(X::sub(g_line.load(i, k), g_means.load(i, k)), X::mul(h, gh_means.load(i, k)));
      gx_line.store(i, X::mul(scales.load(i, k), centred), k);
    });
  });
  return {};
}
