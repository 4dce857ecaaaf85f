// Optimizer updates in place, in one pass over (gradient, parameter, state…), all of length e. Threads share the
// elements of consecutive updates (Program::run), so a kernel has no parallel loop of its own. Every operation is
// rounded separately in T, in the order of docs/kernels.md; products of scalars are taken in float64 first. No two
// operands may overlap. NaN and infinities spread as in IEEE 754.
#pragma once

// Elements of a strided operand that are copied to contiguous scratch at a time.
constexpr int64_t kUpdateChunk = 256;

// Applies step(x) to every element: x[0] is the gradient, x[1], … are read and written.
template <class T, int operands, class Step>
void update_contiguous(int64_t n, T* const (&p)[operands], const Step& step) {
  using N = Vec<T>;
  typename N::V x[operands];
  int64_t i = 0;
  for (; i <= n - N::W; i += N::W) {
    for (int o = 0; o < operands; o++) x[o] = N::load(p[o] + i);
    step(x);
    for (int o = 1; o < operands; o++) N::store(p[o] + i, x[o]);
  }
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

// (g, p, m, v): decoupled ? p −= (lr·weight_decay)·p : g = ±g + weight_decay·p; m = beta1·m + (1 − beta1)·g;
// v = beta2·v + (1 − beta2)·(g·g); p −= (lr/correction1)·(m/(√v/√correction2 + eps))
template <class T>
Status adam_kernel(const Args& args) {
  using N = Vec<T>;
  using V = typename N::V;
  const double* s = args.scalars;
  const auto scalar = [](double x) { return N::set1(static_cast<T>(x)); };
  const V beta1 = scalar(s[1]), fresh1 = scalar(1 - s[1]), beta2 = scalar(s[2]), fresh2 = scalar(1 - s[2]);
  const V eps = scalar(s[3]), step = scalar(s[0] / s[7]), root2 = scalar(std::sqrt(s[8]));
  const bool decoupled = s[5] != 0;
  const V decay = scalar(decoupled ? s[0] * s[4] : s[4]);
  const V sign = scalar(s[6] != 0 ? -1 : 1);
  return update<T, 4>(args, [=](V(&x)[4]) {
    V &p = x[1], &m = x[2], &v = x[3];
    V g = N::mul(sign, x[0]);
    if (decoupled) p = N::sub(p, N::mul(decay, p));
    else g = N::add(g, N::mul(decay, p));
    m = N::add(N::mul(beta1, m), N::mul(fresh1, g));
    v = N::add(N::mul(beta2, v), N::mul(fresh2, N::mul(g, g)));
    const V root = N::add(N::div(N::sqrt(v), root2), eps);
    p = N::sub(p, N::mul(step, N::div(m, root)));
  });
}
