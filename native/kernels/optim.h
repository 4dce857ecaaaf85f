// Optimizer updates in place, in one pass over (gradient, parameter, state…), all of length e. Threads share the
// elements of consecutive updates (Program::run), so a kernel has no parallel loop of its own. Every operation is
// rounded separately in T, in the order of docs/kernels.md; products of scalars are taken in float64 first. No two
// operands may overlap. NaN and infinities spread as in IEEE 754.
#pragma once

// Elements of a strided operand that are copied to contiguous scratch at a time.
constexpr int64_t kUpdateChunk = 256;

// Applies step(x) to every element: x[0] is the gradient, x[1], … are read and written.
template <class T, int operands, class Step>
void update_contiguous(int64_t n, T* const (&arrays)[operands], const Step& step) {
  using N = Vec<T>;
  typename N::V x[operands];
  // Of its own: what is stored might change the others, for all the compiler knows.
  T* p[operands];
  for (int o = 0; o < operands; o++) p[o] = arrays[o];
  const auto vector_at = [&](int64_t at) {
    for (int o = 0; o < operands; o++) x[o] = N::load(p[o] + at);
    step(x);
    for (int o = 1; o < operands; o++) N::store(p[o] + at, x[o]);
  };
  // More arrays than two would be too many places.
  int64_t i = operands <= 2 ? in_two_places<T>(n, vector_at) : 0;
  for (; i <= n - N::W; i += N::W) vector_at(i);
  const int rest = static_cast<int>(n - i);
  if (rest == 0) return;
  for (int o = 0; o < operands; o++) x[o] = N::load_n(p[o] + i, rest);
  step(x);
  for (int o = 1; o < operands; o++) N::store_n(p[o] + i, x[o], rest);
}

template <class T, int operands, class Step>
void update_strided(int64_t n, T* const (&p)[operands], const int64_t (&strides)[operands],
                    const Step& step) {
  alignas(64) T scratch[operands][kUpdateChunk];
  T* chunk[operands];
  for (int o = 0; o < operands; o++) chunk[o] = scratch[o];
  for (int64_t begin = 0; begin < n; begin += kUpdateChunk) {
    const int64_t length = n - begin < kUpdateChunk ? n - begin : kUpdateChunk;
    for (int o = 0; o < operands; o++) {
      for (int64_t i = 0; i < length; i++) scratch[o][i] = p[o][(begin + i) * strides[o]];
    }
    update_contiguous(length, chunk, step);
    for (int o = 1; o < operands; o++) {
      for (int64_t i = 0; i < length; i++) p[o][(begin + i) * strides[o]] = scratch[o][i];
    }
  }
}

template <class T, int operands, class Step>
Status update(const Args& args, const Step& step) {
  DimsReader dims(args);
  const int64_t n = dims.size();
  int64_t strides[operands];
  bool contiguous = true;
  for (int64_t& stride : strides) {
    stride = dims.stride();
    contiguous = contiguous && stride == 1;
  }
  T* p[operands];
  for (int o = 0; o < operands; o++) p[o] = args.out<T>(o);
  if (contiguous) update_contiguous<T, operands>(n, p, step);
  else update_strided<T, operands>(n, p, strides, step);
  return {};
}

// (g, p): g = ±g + weight_decay·p; p −= lr·g
template <class T>
Status sgd_kernel(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const V lr = N::set1(static_cast<T>(s[0])), decay = N::set1(static_cast<T>(s[1]));
  const V sign = N::set1(s[2] != 0 ? T{-1} : T{1});
  return update<T, 2>(args, [=](V(&x)[2]) {
    V& p = x[1];
    const V g = N::add(N::mul(sign, x[0]), N::mul(decay, p));
    p = N::sub(p, N::mul(lr, g));
  });
}

// (g, p, u): g as in sgd; u = first ? g : momentum·u + (1 − dampening)·g; d = nesterov ? g + momentum·u : u;
// p −= lr·d
template <class T>
Status sgd_momentum_kernel(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const V lr = N::set1(static_cast<T>(s[0])), momentum = N::set1(static_cast<T>(s[1]));
  const V fresh = N::set1(static_cast<T>(1 - s[2])), decay = N::set1(static_cast<T>(s[3]));
  const bool nesterov = s[4] != 0, first = s[6] != 0;
  const V sign = N::set1(s[5] != 0 ? T{-1} : T{1});
  return update<T, 3>(args, [=](V(&x)[3]) {
    V &p = x[1], &u = x[2];
    const V g = N::add(N::mul(sign, x[0]), N::mul(decay, p));
    u = first ? g : N::add(N::mul(momentum, u), N::mul(fresh, g));
    const V d = nesterov ? N::add(g, N::mul(momentum, u)) : u;
    p = N::sub(p, N::mul(lr, d));
  });
}

// (u, p, s): s = p; p −= scale·u
template <class T>
Status look_ahead_kernel(const Args& args) {
  using N = Vec<T>;
  const typename N::V scale = N::set1(static_cast<T>(args.scalars[0]));
  return update<T, 3>(args, [=](typename N::V(&x)[3]) {
    x[2] = x[1];
    x[1] = N::sub(x[1], N::mul(scale, x[0]));
  });
}

// (g, p, u, s): g as in sgd; u = momentum·u + (1 − dampening)·g; p = s − lr·u
template <class T>
Status nesterov_kernel(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const V lr = N::set1(static_cast<T>(s[0])), momentum = N::set1(static_cast<T>(s[1]));
  const V fresh = N::set1(static_cast<T>(1 - s[2])), decay = N::set1(static_cast<T>(s[3]));
  const V sign = N::set1(s[4] != 0 ? T{-1} : T{1});
  return update<T, 4>(args, [=](V(&x)[4]) {
    V &p = x[1], &u = x[2];
    const V g = N::add(N::mul(sign, x[0]), N::mul(decay, p));
    u = N::add(N::mul(momentum, u), N::mul(fresh, g));
    p = N::sub(x[3], N::mul(lr, u));
  });
}

// (g, u, d): g = ±g; u = momentum·u + (1 − momentum)·g; d = nesterov ? momentum·u + (1 − momentum)·g : u
template <class T>
Status muon_momentum_kernel(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const V momentum = N::set1(static_cast<T>(s[0])), fresh = N::set1(static_cast<T>(1 - s[0]));
  const bool nesterov = s[1] != 0;
  const V sign = N::set1(s[2] != 0 ? T{-1} : T{1});
  return update<T, 3>(args, [=](V(&x)[3]) {
    V& u = x[1];
    const V part = N::mul(fresh, N::mul(sign, x[0]));
    u = N::add(N::mul(momentum, u), part);
    x[2] = nesterov ? N::add(N::mul(momentum, u), part) : u;
  });
}

// (g, p, m, v), with amsgrad (g, p, m, v, w): decoupled ? p −= (lr·weight_decay)·p : g = ±g + weight_decay·p;
// m = beta1·m + (1 − beta1)·g; v = beta2·v + (1 − beta2)·(g·g); w = v < w ? w : v;
// p −= (lr·√correction2/correction1)·(m/(√v + eps·√correction2)), with amsgrad √w. (With √v/√correction2 in the place of
// √v each element would cost a second division.)
template <class T, bool amsgrad>
Status adam_update(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const auto scalar = [](double x) { return N::set1(static_cast<T>(x)); };
  const double root2 = std::sqrt(s[8]);
  const V beta1 = scalar(s[1]), fresh1 = scalar(1 - s[1]), beta2 = scalar(s[2]), fresh2 = scalar(1 - s[2]);
  const V eps = scalar(s[3] * root2), step = scalar(s[0] * root2 / s[7]);
  const bool decoupled = s[5] != 0;
  const V decay = scalar(decoupled ? s[0] * s[4] : s[4]);
  const V sign = scalar(s[6] != 0 ? -1 : 1);
  constexpr int operands = amsgrad ? 5 : 4;
  return update<T, operands>(args, [=](V(&x)[operands]) {
    V &p = x[1], &m = x[2], &v = x[3];
    V g = N::mul(sign, x[0]);
    if (decoupled) p = N::sub(p, N::mul(decay, p));
    else g = N::add(g, N::mul(decay, p));
    m = N::add(N::mul(beta1, m), N::mul(fresh1, g));
    v = N::add(N::mul(beta2, v), N::mul(fresh2, N::mul(g, g)));
    if constexpr (amsgrad) x[4] = N::select(N::lt(v, x[4]), x[4], v);
    const V root = N::add(N::sqrt(x[operands - 1]), eps);
    p = N::sub(p, N::mul(step, N::div(m, root)));
  });
}

template <class T>
Status adam_kernel(const Args& args) {
  return adam_update<T, false>(args);
}

template <class T>
Status amsgrad_kernel(const Args& args) {
  return adam_update<T, true>(args);
}

// (g, p, m, v): decoupled ? p −= decay·p : g = ±g + decay·p; m, v as in adam;
// d = c·gradient_rate·g + c·momentum_rate·m; p −= adaptive ? d/(√v + c·eps) : d, c = adaptive ? √correction2 : 1
template <class T>
Status nadam_kernel(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const auto scalar = [](double x) { return N::set1(static_cast<T>(x)); };
  const bool decoupled = s[6] != 0, adaptive = s[9] != 0;
  const double root2 = adaptive ? std::sqrt(s[8]) : 1;
  const V rate_g = scalar(s[0] * root2), rate_m = scalar(s[1] * root2);
  const V beta1 = scalar(s[2]), fresh1 = scalar(1 - s[2]), beta2 = scalar(s[3]), fresh2 = scalar(1 - s[3]);
  const V eps = scalar(s[4] * root2), decay = scalar(s[5]), sign = scalar(s[7] != 0 ? -1 : 1);
  return update<T, 4>(args, [=](V(&x)[4]) {
    V &p = x[1], &m = x[2], &v = x[3];
    V g = N::mul(sign, x[0]);
    if (decoupled) p = N::sub(p, N::mul(decay, p));
    else g = N::add(g, N::mul(decay, p));
    m = N::add(N::mul(beta1, m), N::mul(fresh1, g));
    v = N::add(N::mul(beta2, v), N::mul(fresh2, N::mul(g, g)));
    V d = N::add(N::mul(rate_g, g), N::mul(rate_m, m));
    if (adaptive) d = N::div(d, N::add(N::sqrt(v), eps));
    p = N::sub(p, d);
  });
}

// (g, p, m, u): g as in sgd; m = beta1·m + (1 − beta1)·g; u = max(beta2·u, |g| + eps);
// p −= (lr/correction1)·(m/u)
template <class T>
Status adamax_kernel(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const auto scalar = [](double x) { return N::set1(static_cast<T>(x)); };
  const V step = scalar(s[0] / s[6]), beta1 = scalar(s[1]), fresh1 = scalar(1 - s[1]), beta2 = scalar(s[2]);
  const V eps = scalar(s[3]), decay = scalar(s[4]), sign = scalar(s[5] != 0 ? -1 : 1);
  return update<T, 4>(args, [=](V(&x)[4]) {
    V &p = x[1], &m = x[2], &u = x[3];
    const V g = N::add(N::mul(sign, x[0]), N::mul(decay, p));
    m = N::add(N::mul(beta1, m), N::mul(fresh1, g));
    const V old = N::mul(beta2, u), now = N::add(N::abs(g), eps);
    u = N::select(N::or_(N::lt(old, now), N::is_nan(now)), now, old);
    p = N::sub(p, N::mul(step, N::div(m, u)));
  });
}

// (g, p, v): g as in sgd; v += g·g; p −= lr·(g/(√v + eps))
template <class T>
Status adagrad_kernel(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const V lr = N::set1(static_cast<T>(s[0])), eps = N::set1(static_cast<T>(s[1]));
  const V decay = N::set1(static_cast<T>(s[2])), sign = N::set1(s[3] != 0 ? T{-1} : T{1});
  return update<T, 3>(args, [=](V(&x)[3]) {
    V &p = x[1], &v = x[2];
    const V g = N::add(N::mul(sign, x[0]), N::mul(decay, p));
    v = N::add(v, N::mul(g, g));
    p = N::sub(p, N::mul(lr, N::div(g, N::add(N::sqrt(v), eps))));
  });
}

// (g, p, v, a): g as in sgd; v = rho·v + (1 − rho)·(g·g); d = (√(a + eps)/√(v + eps))·g;
// a = rho·a + (1 − rho)·(d·d); p −= lr·d
template <class T>
Status adadelta_kernel(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const V lr = N::set1(static_cast<T>(s[0])), rho = N::set1(static_cast<T>(s[1]));
  const V fresh = N::set1(static_cast<T>(1 - s[1])), eps = N::set1(static_cast<T>(s[2]));
  const V decay = N::set1(static_cast<T>(s[3])), sign = N::set1(s[4] != 0 ? T{-1} : T{1});
  return update<T, 4>(args, [=](V(&x)[4]) {
    V &p = x[1], &v = x[2], &a = x[3];
    const V g = N::add(N::mul(sign, x[0]), N::mul(decay, p));
    v = N::add(N::mul(rho, v), N::mul(fresh, N::mul(g, g)));
    const V d = N::mul(N::div(N::sqrt(N::add(a, eps)), N::sqrt(N::add(v, eps))), g);
    a = N::add(N::mul(rho, a), N::mul(fresh, N::mul(d, d)));
    p = N::sub(p, N::mul(lr, d));
  });
}

// (g, p, v), with momentum (…, b), centered (…, a): g as in sgd; v = alpha·v + (1 − alpha)·(g·g);
// a = alpha·a + (1 − alpha)·g; w = v, centered v − a·a, but 0 where that is negative; d = g/(√w + eps);
// b = momentum·b + d; p −= lr·d, with momentum lr·b
template <class T, bool has_momentum, bool is_centered>
Status rmsprop_update(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const auto scalar = [](double x) { return N::set1(static_cast<T>(x)); };
  const V lr = scalar(s[0]), alpha = scalar(s[1]), fresh = scalar(1 - s[1]), eps = scalar(s[2]);
  const V decay = scalar(s[3]), sign = scalar(s[4] != 0 ? -1 : 1), momentum = scalar(has_momentum ? s[5] : 0);
  constexpr int operands = 3 + has_momentum + is_centered;
  return update<T, operands>(args, [=](V(&x)[operands]) {
    V &p = x[1], &v = x[2];
    const V g = N::add(N::mul(sign, x[0]), N::mul(decay, p));
    v = N::add(N::mul(alpha, v), N::mul(fresh, N::mul(g, g)));
    V w = v;
    if constexpr (is_centered) {
      V& a = x[operands - 1];
      a = N::add(N::mul(alpha, a), N::mul(fresh, g));
      w = N::sub(v, N::mul(a, a));
      w = N::select(N::lt(w, N::zero()), N::zero(), w);
    }
    V d = N::div(g, N::add(N::sqrt(w), eps));
    if constexpr (has_momentum) d = x[3] = N::add(N::mul(momentum, x[3]), d);
    p = N::sub(p, N::mul(lr, d));
  });
}

template <class T>
Status rmsprop_kernel(const Args& args) {
  return rmsprop_update<T, false, false>(args);
}

template <class T>
Status rmsprop_momentum_kernel(const Args& args) {
  return rmsprop_update<T, true, false>(args);
}

template <class T>
Status rmsprop_centered_kernel(const Args& args) {
  return rmsprop_update<T, false, true>(args);
}

template <class T>
Status rmsprop_centered_momentum_kernel(const Args& args) {
  return rmsprop_update<T, true, true>(args);
}

// (g, p, m): g = ±g; p −= (lr·weight_decay)·p; d = beta1·m + (1 − beta1)·g; p −= lr·(the sign of d, 0 of 0);
// m = beta2·m + (1 − beta2)·g
template <class T>
Status lion_kernel(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const auto scalar = [](double x) { return N::set1(static_cast<T>(x)); };
  const V lr = scalar(s[0]), beta1 = scalar(s[1]), fresh1 = scalar(1 - s[1]), beta2 = scalar(s[2]);
  const V fresh2 = scalar(1 - s[2]), decay = scalar(s[0] * s[3]), sign = scalar(s[4] != 0 ? -1 : 1);
  return update<T, 3>(args, [=](V(&x)[3]) {
    V &p = x[1], &m = x[2];
    const V g = N::mul(sign, x[0]);
    p = N::sub(p, N::mul(decay, p));
    const V d = N::add(N::mul(beta1, m), N::mul(fresh1, g));
    const V unit = N::select(N::or_(N::eq(d, N::zero()), N::is_nan(d)), d, N::copysign(N::set1(1), d));
    p = N::sub(p, N::mul(lr, unit));
    m = N::add(N::mul(beta2, m), N::mul(fresh2, g));
  });
}
