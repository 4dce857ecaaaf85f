// What this machine can do at most, to hold kernels against:
//   fma(isDouble, variant, threads, calls) → ns     chains of fused multiply-adds in registers
//   loop(pattern, variant, threads, calls, ...arrays) → ns     hand-written loops of the kernels' access patterns
//   fmaVariants, fmaFlops, patterns: { name: { reads, writes } }, loopVariants
// The fastest variant on a machine is its ceiling. Compiled with all that the machine has (compile.mjs); the vectors
// are the compiler's, so that it serves any processor.
#include <node_api.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace {

template <class T, int bytes>
using Vector __attribute__((vector_size(bytes))) = T;

// ---- fused multiply-adds

constexpr int64_t kSteps = 1 << 14;

// `count` independent chains hide the latency of the instruction; they and two constants stay in registers. The
// results are stored, so they are computed: floating-point rules forbid the compiler to shorten the chains.
template <class T, int bytes, int count>
void fma_chains(double* flops, int calls) {
  using V = Vector<T, bytes>;
  volatile T numbers[2] = {T(0.999), T(1e-3)};
  const V factor = V{} + numbers[0], addend = V{} + numbers[1];
  V chains[count];
#pragma GCC unroll 16
  for (int i = 0; i < count; i++) chains[i] = V{} + T(i);
  for (int64_t step = 0; step < kSteps * calls; step++) {
#pragma GCC unroll 16
    for (int i = 0; i < count; i++) chains[i] = chains[i] * factor + addend;
  }
#pragma GCC unroll 16
  for (int i = 1; i < count; i++) chains[0] += chains[i];
  volatile T sink = chains[0][0];
  static_cast<void>(sink);
  *flops = 2.0 * kSteps * count * (bytes / sizeof(T));
}

// ---- memory

#if defined(__AVX512F__)
constexpr int kStreamed = 64;
inline void stream(float* to, Vector<float, 64> x) { _mm512_stream_ps(to, (__m512)x); }
#elif defined(__AVX__)
constexpr int kStreamed = 32;
inline void stream(float* to, Vector<float, 32> x) { _mm256_stream_ps(to, (__m256)x); }
#else
constexpr int kStreamed = 16;
inline void stream(float* to, Vector<float, 16> x) { std::memcpy(to, &x, sizeof x); }
#endif

using V = Vector<float, kStreamed>;
constexpr int64_t kLanes = kStreamed / sizeof(float), kBlock = 8 * kLanes;

inline V load(const float* from) {
  V x;
  std::memcpy(&x, from, sizeof x);
  return x;
}

// `streams`: past the caches, which spares reading what is overwritten whole. The address must be aligned.
template <bool streams>
inline void store(float* to, V x) {
  if constexpr (streams) stream(to, x);
  else std::memcpy(to, &x, sizeof x);
}

template <bool streams>
void copy(float* const* p, int64_t begin, int64_t end) {
  const float* a = p[0];
  float* c = p[1];
#pragma GCC unroll 4
  for (int64_t i = begin; i < end; i += kLanes) store<streams>(c + i, load(a + i));
}

template <bool streams>
void add(float* const* p, int64_t begin, int64_t end) {
  const float *a = p[0], *b = p[1];
  float* c = p[2];
#pragma GCC unroll 4
  for (int64_t i = begin; i < end; i += kLanes) store<streams>(c + i, load(a + i) + load(b + i));
}

template <bool streams>
void sum(float* const* p, int64_t begin, int64_t end) {
  const float* a = p[0];
  V sums[8] = {};
  for (int64_t i = begin; i < end; i += 8 * kLanes) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) sums[j] += load(a + i + j * kLanes);
  }
  for (int j = 1; j < 8; j++) sums[0] += sums[j];
  volatile float sink = sums[0][0];
  static_cast<void>(sink);
}

// Updates in place: g → p, as gradient descent has it, and g → p, m, v, as Adam has it, with less arithmetic.
template <bool streams>
void update1(float* const* arrays, int64_t begin, int64_t end) {
  const float* g = arrays[0];
  float* p = arrays[1];
#pragma GCC unroll 4
  for (int64_t i = begin; i < end; i += kLanes) store<streams>(p + i, load(p + i) - 1e-3f * load(g + i));
}

template <bool streams>
void update3(float* const* arrays, int64_t begin, int64_t end) {
  const float* g = arrays[0];
  float *p = arrays[1], *m = arrays[2], *v = arrays[3];
#pragma GCC unroll 4
  for (int64_t i = begin; i < end; i += kLanes) {
    const V gradient = load(g + i), first = load(m + i) * 0.9f + gradient * 0.1f;
    const V second = load(v + i) * 0.999f + gradient * gradient * 0.001f;
    store<streams>(m + i, first);
    store<streams>(v + i, second);
    store<streams>(p + i, load(p + i) - first * second * 1e-3f);
  }
}

using Loop = void (*)(float* const*, int64_t, int64_t);
const struct {
  const char* name;
  int arrays, inputs, moves;  // arrays, the first that are only read, how many times an array's size is moved
  Loop loops[2];      // without and with streaming stores
} kPatterns[] = {{"copy", 2, 1, 2, {copy<false>, copy<true>}},
                 {"add", 3, 2, 3, {add<false>, add<true>}},
                 {"sum", 1, 1, 1, {sum<false>, sum<false>}},
                 {"update1", 2, 1, 3, {update1<false>, update1<true>}},
                 {"update3", 4, 1, 7, {update3<false>, update3<true>}}};

// ---- Node

int integer(napi_env env, napi_value value) {
  int32_t result = 0;
  napi_get_value_int32(env, value, &result);
  return result;
}

// Nanoseconds until all threads have ended; each runs body(number).
template <class Body>
napi_value timed(napi_env env, int threads, Body body) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> others;
  for (int t = 1; t < threads; t++) others.emplace_back(body, t);
  body(0);
  for (std::thread& other : others) other.join();
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  napi_value result = nullptr;
  napi_create_double(env, elapsed.count(), &result);
  return result;
}

using Chains = void (*)(double*, int);
const Chains kFma[2][3] = {{fma_chains<float, 16, 12>, fma_chains<float, 32, 12>, fma_chains<float, 64, 12>},
                           {fma_chains<double, 16, 12>, fma_chains<double, 32, 12>, fma_chains<double, 64, 12>}};

napi_value fma(napi_env env, napi_callback_info info) {
  napi_value v[4];
  size_t count = 4;
  napi_get_cb_info(env, info, &count, v, nullptr, nullptr);
  bool is_double = false;
  napi_get_value_bool(env, v[0], &is_double);
  const Chains chains = kFma[is_double][integer(env, v[1])];
  const int calls = integer(env, v[3]);
  return timed(env, integer(env, v[2]), [=](int) {
    double flops;
    chains(&flops, calls);
  });
}

// Flops of one call of fma on one thread.
napi_value fma_flops(napi_env env, napi_callback_info info) {
  napi_value v[2], result = nullptr;
  size_t count = 2;
  napi_get_cb_info(env, info, &count, v, nullptr, nullptr);
  bool is_double = false;
  napi_get_value_bool(env, v[0], &is_double);
  double flops = 0;
  kFma[is_double][integer(env, v[1])](&flops, 1);
  napi_create_double(env, flops, &result);
  return result;
}

napi_value loop(napi_env env, napi_callback_info info) {
  napi_value v[8];
  size_t count = 8;
  napi_get_cb_info(env, info, &count, v, nullptr, nullptr);
  const auto& pattern = kPatterns[integer(env, v[0])];
  const Loop run = pattern.loops[integer(env, v[1])];
  const int threads = integer(env, v[2]), calls = integer(env, v[3]);
  float* arrays[4] = {};
  size_t length = 0;
  for (int i = 0; i < pattern.arrays; i++) {
    void* data = nullptr;
    napi_get_typedarray_info(env, v[4 + i], nullptr, &length, &data, nullptr, nullptr);
    arrays[i] = static_cast<float*>(data);
  }
  const auto misaligned = [](const float* p) { return reinterpret_cast<uintptr_t>(p) % kStreamed / sizeof(float); };
  // From where stores are aligned, so many whole blocks that a few elements at the ends are left out.
  const int64_t first = misaligned(arrays[pattern.arrays - 1]) == 0 ? 0 : kLanes - misaligned(arrays[pattern.arrays - 1]);
  for (int i = 0; i < pattern.arrays; i++) {
    if (i >= pattern.inputs && misaligned(arrays[i] + first) != 0) return nullptr;  // no streaming loop can do it
    arrays[i] += first;
  }
  const int64_t blocks = (static_cast<int64_t>(length) - first) / kBlock;
  return timed(env, threads, [=](int t) {
    const int64_t begin = blocks * t / threads * kBlock, end = blocks * (t + 1) / threads * kBlock;
    for (int i = 0; i < calls; i++) run(arrays, begin, end);
  });
}

napi_value patterns(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  napi_create_array(env, &result);
  uint32_t i = 0;
  for (const auto& pattern : kPatterns) {
    napi_value entry = nullptr, name = nullptr, moves = nullptr;
    napi_create_object(env, &entry);
    napi_create_string_utf8(env, pattern.name, NAPI_AUTO_LENGTH, &name);
    napi_create_int32(env, pattern.moves, &moves);
    napi_set_named_property(env, entry, "name", name);
    napi_set_named_property(env, entry, "moves", moves);
    napi_set_element(env, result, i++, entry);
  }
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {{"fma", fma}, {"fmaFlops", fma_flops}, {"loop", loop}, {"patterns", patterns}};
  for (const auto& entry : functions) {
    napi_value function = nullptr;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, nullptr, &function);
    napi_set_named_property(env, exports, entry.name, function);
  }
  return exports;
}
