// What this machine can do at most, to hold kernels against:
//   fma(isDouble, variant, threads, calls) → ns                chains of fused multiply-adds in registers
//   fmaFlops(isDouble, variant)                                what a call of it does on each thread
//   loop(pattern, variant, threads, calls, ...arrays) → ns     loops by hand of the kernels' access patterns
//   patterns() → [{ name, moves }], variants() → [name]        of loops
// The fastest variant on a machine is its ceiling. Compiled with all that the machine has (compile.mjs); the
// vectors are the compiler's, so that it serves any processor.
#include <node_api.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#if defined(__AVX__)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <sched.h>
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
constexpr int64_t kLanes = kStreamed / sizeof(float), kBlock = 64 * kLanes;

// How a loop goes about it. `streams`: stores past the caches, which spares reading what is overwritten whole (the
// address must be aligned). `ahead`: how many floats later a line is asked for, since the processor's own
// prefetching ends at every page. `fronts`: at four places in turn.
template <bool streams, int ahead, bool fronts>
struct How {
  static constexpr bool kFronts = fronts;

  static V load(const float* from) {
    if (ahead > 0) __builtin_prefetch(from + ahead);
    V x;
    std::memcpy(&x, from, sizeof x);
    return x;
  }

  static void store(float* to, V x) {
    if constexpr (streams) stream(to, x);
    else std::memcpy(to, &x, sizeof x);
  }
};

// A pattern is a step on one vector of its arrays; j counts four steps that are made in turn.
template <class How>
struct Copy {
  const float* a;
  float* c;
  explicit Copy(float* const* p) : a(p[0]), c(p[1]) {}
  void step(int64_t i, int) { How::store(c + i, How::load(a + i)); }
};

template <class How>
struct Add {
  const float *a, *b;
  float* c;
  explicit Add(float* const* p) : a(p[0]), b(p[1]), c(p[2]) {}
  void step(int64_t i, int) { How::store(c + i, How::load(a + i) + How::load(b + i)); }
};

template <class How>
struct Sum {
  const float* a;
  V sums[4] = {};
  explicit Sum(float* const* p) : a(p[0]) {}
  void step(int64_t i, int j) { sums[j] += How::load(a + i); }
  ~Sum() {
    volatile float sink = (sums[0] + sums[1] + sums[2] + sums[3])[0];
    static_cast<void>(sink);
  }
};

// Updates in place: g → p, as gradient descent has it, and g → p, m, v, as Adam has it, with less arithmetic.
template <class How>
struct Update1 {
  const float* g;
  float* p;
  explicit Update1(float* const* arrays) : g(arrays[0]), p(arrays[1]) {}
  void step(int64_t i, int) { How::store(p + i, How::load(p + i) - 1e-3f * How::load(g + i)); }
};

template <class How>
struct Update3 {
  const float* g;
  float *p, *m, *v;
  explicit Update3(float* const* arrays) : g(arrays[0]), p(arrays[1]), m(arrays[2]), v(arrays[3]) {}
  void step(int64_t i, int) {
    const V gradient = How::load(g + i), first = How::load(m + i) * 0.9f + gradient * 0.1f;
    const V second = How::load(v + i) * 0.999f + gradient * gradient * 0.001f;
    How::store(m + i, first);
    How::store(v + i, second);
    How::store(p + i, How::load(p + i) - first * second * 1e-3f);
  }
};

template <template <class> class Pattern, class How>
void loop_over(float* const* arrays, int64_t begin, int64_t end) {
  Pattern<How> pattern(arrays);
  const int64_t quarter = (end - begin) / 4, apart = How::kFronts ? quarter : kLanes;
  const int64_t stop = How::kFronts ? begin + quarter : end, stride = How::kFronts ? kLanes : 4 * kLanes;
  for (int64_t i = begin; i < stop; i += stride) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) pattern.step(i + j * apart, j);
  }
}

using Loop = void (*)(float* const*, int64_t, int64_t);

constexpr int kVariants = 8;
const char* const kVariantNames[kVariants] = {
    "loop",           "loop, prefetch",           "loop, 4 fronts",           "loop, 4 fronts, prefetch",
    "streaming loop", "streaming loop, prefetch", "streaming loop, 4 fronts", "streaming loop, 4 fronts, prefetch"};
constexpr int kPrefetch = 512;

struct Variants {
  Loop loops[kVariants];
};

template <template <class> class Pattern>
constexpr Variants variants_of() {
  return {{loop_over<Pattern, How<false, 0, false>>, loop_over<Pattern, How<false, kPrefetch, false>>,
           loop_over<Pattern, How<false, 0, true>>, loop_over<Pattern, How<false, kPrefetch, true>>,
           loop_over<Pattern, How<true, 0, false>>, loop_over<Pattern, How<true, kPrefetch, false>>,
           loop_over<Pattern, How<true, 0, true>>, loop_over<Pattern, How<true, kPrefetch, true>>}};
}

const struct {
  const char* name;
  int arrays, inputs, moves;  // arrays, the first that are only read, how many times an array's size is moved
  Variants variants;
} kPatterns[] = {{"copy", 2, 1, 2, variants_of<Copy>()},
                 {"add", 3, 2, 3, variants_of<Add>()},
                 {"sum", 1, 1, 1, variants_of<Sum>()},
                 {"update1", 2, 1, 3, variants_of<Update1>()},
                 {"update3", 4, 1, 7, variants_of<Update3>()}};

// ---- Node

int integer(napi_env env, napi_value value) {
  int32_t result = 0;
  napi_get_value_int32(env, value, &result);
  return result;
}

// Holds threads back until each has a core of its own: for some milliseconds after their start the system may have
// put several on one. It gives up after 50 ms.
class Gate {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Gate(int threads) : cores_(threads) {
    for (std::atomic<int>& core : cores_) core = kNowhere;
  }

  void pass(int number) {
    while (!open_.load(std::memory_order_acquire)) {
#if defined(__linux__)
      cores_[number].store(sched_getcpu(), std::memory_order_relaxed);
#else
      cores_[number].store(number, std::memory_order_relaxed);
#endif
      if (number == 0 && (are_distinct() || Clock::now() - made_ > std::chrono::milliseconds(50))) {
        start_ = Clock::now();
        open_.store(true, std::memory_order_release);
      }
    }
  }

  double nanoseconds() const { return std::chrono::duration<double, std::nano>(Clock::now() - start_).count(); }

 private:
  static constexpr int kNowhere = -1;

  bool are_distinct() const {
    for (size_t i = 0; i < cores_.size(); i++) {
      if (cores_[i] == kNowhere) return false;
      for (size_t j = 0; j < i; j++) {
        if (cores_[i] == cores_[j]) return false;
      }
    }
    return true;
  }

  std::vector<std::atomic<int>> cores_;
  std::atomic<bool> open_{false};
  const Clock::time_point made_ = Clock::now();
  Clock::time_point start_;
};

// Nanoseconds until all threads have ended, from when they begin; each runs body(number).
template <class Body>
napi_value timed(napi_env env, int threads, Body body) {
  Gate gate(threads);
  const auto work = [&](int number) {
    gate.pass(number);
    body(number);
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; t++) others.emplace_back(work, t);
  work(0);
  for (std::thread& other : others) other.join();
  napi_value result = nullptr;
  napi_create_double(env, gate.nanoseconds(), &result);
  return result;
}

using Chains = void (*)(double*, int);
const Chains kFma[2][3] = {
    {fma_chains<float, 16, 12>, fma_chains<float, 32, 12>, fma_chains<float, 64, 12>},
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
  const int variant = integer(env, v[1]);
  const Loop run = pattern.variants.loops[variant];
  const int threads = integer(env, v[2]), calls = integer(env, v[3]);
  float* arrays[4] = {};
  size_t length = 0;
  for (int i = 0; i < pattern.arrays; i++) {
    void* data = nullptr;
    napi_get_typedarray_info(env, v[4 + i], nullptr, &length, &data, nullptr, nullptr);
    arrays[i] = static_cast<float*>(data);
  }
  const auto misaligned = [](const float* p) -> int64_t {
    return reinterpret_cast<uintptr_t>(p) % kStreamed / sizeof(float);
  };
  // From where stores are aligned, so many whole blocks that a few elements at the ends are left out.
  const int64_t off = misaligned(arrays[pattern.arrays - 1]), first = off == 0 ? 0 : kLanes - off;
  for (int i = 0; i < pattern.arrays; i++) {
    // No streaming loop can do that: no time, no rate, and so it is not chosen.
    const bool streams = variant >= kVariants / 2 && i >= pattern.inputs;
    if (streams && misaligned(arrays[i] + first) != 0) return nullptr;
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

napi_value variants(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  napi_create_array(env, &result);
  for (uint32_t i = 0; i < kVariants; i++) {
    napi_value name = nullptr;
    napi_create_string_utf8(env, kVariantNames[i], NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, result, i, name);
  }
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {{"fma", fma},           {"fmaFlops", fma_flops}, {"loop", loop},
                   {"patterns", patterns}, {"variants", variants}};
  for (const auto& entry : functions) {
    napi_value function = nullptr;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, nullptr, &function);
    napi_set_named_property(env, exports, entry.name, function);
  }
  return exports;
}
