// Layer normalization over the last axis, and its gradient. Included by kernels/norm.h.
#pragma once

// (x[Bn], weight[n], bias[n]) -> (y[Bn], mean[B], rstd[B]), over n: mean, biased variance,
//   rstd = 1/√(var + eps), y = (x − mean)·rstd·weight + bias.
template <class T>
Status layer_norm_kernel(const Args& args) {
  using X = Vec<T>;
  using V = typename X::V;
  DimsReader dims(args);
  const Group b = dims.group();
  const int64_t n = dims.size();
  const int64_t* const x_b = dims.strides(b);
  const Lines<const T> xs(args.in<T>(0), b, x_b, dims.stride());
  const Line<const T> weight{args.in<T>(1), dims.stride()}, bias{args.in<T>(2), dims.stride()};
  const int64_t* const y_b = dims.strides(b);
  const Lines<T> ys(args.out<T>(3), b, y_b, dims.stride());
  const Numbers<T> means(args.out<T>(4), b, dims.strides(b)), rstds(args.out<T>(5), b, dims.strides(b));
  const T eps = static_cast<T>(args.scalars[0]), count = static_cast<T>(n);
  for_rows(b.count(), n, [&](int64_t row) {
    const auto normalize = [&](auto x, auto weight, auto bias, auto y) {
      const V mean = X::set1(fold<Sum, T>(n, numbers(x)) / count);
      const T squares = fold<Sum, T>(n, [=](int64_t i, int k) {
        const V d = X::sub(x.load(i, k), mean);
        return X::mul(d, d);
      });
      const V rstd = reciprocal_deviation<T>(X::set1(squares / count), eps);
      for_vectors<T>(n, [=](int64_t i, int k) {
        const V h = normalized<T>(x.load(i, k), mean, rstd);
        y.store(i, X::add(X::mul(h, weight.load(i, k)), bias.load(i, k)), k);
      });
      means[row] = first_element<X, T>(mean);
      rstds[row] = first_element<X, T>(rstd);
    };
    with_lines(normalize, xs[row], weight, bias, ys[row]);
  });
  return {};
}

// The operands that layer_norm_grad reads line by line.
template <class T>
struct LayerNormGradArgs {
  Group b;
  int64_t n;
  Lines<const T> g, x;
  Line<const T> weight;
  Numbers<const T> mean, rstd;
};

// gx = rstd·(d − (Σd)/n − h·((Σ d·h)/n)), h = (x − mean)·rstd, d = g·weight.
template <class T>
void layer_norm_gx(const LayerNormGradArgs<T>& a, const Lines<T>& gxs) {
  using X = Vec<T>;
  using V = typename X::V;
  const T count = static_cast<T>(a.n);
  for_rows(a.b.count(), a.n, [&](int64_t row) {
    const V mean = X::set1(a.mean[row]), rstd = X::set1(a.rstd[row]);
    const auto differentiate = [&](auto g, auto x, auto weight, auto gx) {
      const auto h = [=](int64_t i, int k) { return normalized<T>(x.load(i, k), mean, rstd); };
      const auto d = [=](int64_t i, int k) { return X::mul(g.load(i, k), weight.load(i, k)); };
      const auto dh = [=](int64_t i, int k) { return X::mul(d(i, k), h(i, k)); };
      const V d_mean = X::set1(fold<Sum, T>(a.n, d) / count);
      const V dh_mean = X::set1(fold<Sum, T>(a.n, dh) / count);
      for_vectors<T>(a.n, [=](int64_t i, int k) {
        gx.store(i, X::mul(rstd, X::sub(X::sub(d(i, k), d_mean), X::mul(h(i, k), dh_mean))), k);
      });
    };
    with_lines(differentiate, a.g[row], a.x[row], a.weight, gxs[row]);
  });
}

// gweight = Σ_B g·h and gbias = Σ_B g, a strip of columns at a time.
template <class T>
void layer_norm_sums(const LayerNormGradArgs<T>& a, const Line<T>& gweight, const Line<T>& gbias) {
  using X = Vec<T>;
  using V = typename X::V;
  if (a.n == 0) return;
  const int64_t rows = a.b.count(), strip = strip_width<T>(a.n, thread_limit());
  const int64_t strips = ceil_div(a.n, strip);
  const int64_t grain = 1 + kBlock * kBlockGrain / 4 / ((rows + kLanes) * strip);
  parallel_for(strips, grain, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; s++) {
      const int64_t first = s * strip;
      const int width = static_cast<int>(a.n - first < strip ? a.n - first : strip);
      T total[kStrip<T>];
      const auto put = [&](const Line<T>& out) {
        for (int c = 0; c < width; c++) out.p[(first + c) * out.stride] = total[c];
      };
      const auto products = [&](int64_t row) {
        const V mean = X::set1(a.mean[row]), rstd = X::set1(a.rstd[row]);
        return [g = a.g[row], x = a.x[row], mean, rstd, first](int64_t c, int k) {
          return X::mul(g.load(first + c, k), normalized<T>(x.load(first + c, k), mean, rstd));
        };
      };
      fold_columns<Sum, T>(rows, width, products, total);
      put(gweight);
      const auto gradients = [&](int64_t row) {
        return [g = a.g[row], first](int64_t c, int k) { return g.load(first + c, k); };
      };
      fold_columns<Sum, T>(rows, width, gradients, total);
      put(gbias);
    }
  });
}

// (g[Bn], x[Bn], weight[n], mean[B], rstd[B]) -> (gx[Bn], gweight[n], gbias[n]).
template <class T>
Status layer_norm_grad_kernel(const Args& args) {
  DimsReader dims(args);
  const Group b = dims.group();
  const int64_t n = dims.size();
  const int64_t* const g_b = dims.strides(b);
  const int64_t g_n = dims.stride();
  const int64_t* const x_b = dims.strides(b);
  const int64_t x_n = dims.stride(), weight_n = dims.stride();
  const int64_t* const mean_b = dims.strides(b);
  const int64_t* const rstd_b = dims.strides(b);
  const int64_t* const gx_b = dims.strides(b);
  const int64_t gx_n = dims.stride(), gweight_n = dims.stride(), gbias_n = dims.stride();
  const LayerNormGradArgs<T> a{b,
                               n,
                               {args.in<T>(0), b, g_b, g_n},
                               {args.in<T>(1), b, x_b, x_n},
                               {args.in<T>(2), weight_n},
                               {args.in<T>(3), b, mean_b},
                               {args.in<T>(4), b, rstd_b}};
  layer_norm_gx<T>(a, {args.out<T>(5), b, gx_b, gx_n});
  layer_norm_sums<T>(a, {args.out<T>(6), gweight_n}, {args.out<T>(7), gbias_n});
  return {};
}
