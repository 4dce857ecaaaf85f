// The loops of elementwise kernels. A kernel gives the function of its elements; where they stand, how they
// are cut and on which thread they run is settled here and in tiles.h.
#pragma once

#include "integers.h"
#include "several.h"
#include "tiles.h"

// The elements of iteration i depend on no other iteration, even where the output is the very same view as an
// input.
#if defined(__clang__)
#define THALWEG_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define THALWEG_INDEPENDENT _Pragma("GCC ivdep")
#else
#define THALWEG_INDEPENDENT __pragma(loop(ivdep))
#endif

// Elements that are worth a thread of their own: some 10 µs of work, for arithmetic, for functions of a dozen
// or more operations, and for calls of the C library.
constexpr int64_t kCheap = 32768, kDear = 8192, kLibrary = 1024;
template <class T>
constexpr int64_t kFunction = std::is_same<T, float>::value ? kDear : kLibrary;

template <class T>
using V = typename Vec<T>::V;

// Outputs from this size on are stored past the caches, which saves reading their lines first. It is the
// last-level cache of an AMD EPYC with Zen 4, where an addition of 160 MB gains a third.
constexpr int64_t kStreamBytes = int64_t{1} << 25;

// What is done to n contiguous elements. A pointer, so that the walk below is compiled once for each set of types and
// not for each function.
template <class Out, class... In>
struct Loop {
  using Body = void (*)(const void* function, int64_t n, Out* y, const In*... x);
  const void* function;
  Body body;
  Body streaming;  // takes its place where the output is large and stands in long rows
};

// Runs a loop over contiguous runs that cover every element of the group S once. The operands are the inputs and then
// the output.
template <class Out, class... In, int... i>
Status run_tiles(const Args& args, int64_t grain, const Loop<Out, In...>& loop, std::integer_sequence<int, i...>) {
  constexpr int inputs = sizeof...(In);
  DimsReader dims(args);
  const Axes<inputs + 1> axes(dims, true);
  const bool is_large = axes.count() * static_cast<int64_t>(sizeof(Out)) >= kStreamBytes;
  const Tiling<inputs + 1> tiling(axes, is_large ? kStreamedElements : kDirectElements);
  if (tiling.tiles == 0) return {};
  const int64_t elements = tiling.rows * tiling.columns;
  parallel_for(tiling.tiles, (grain + elements - 1) / elements, [&](int64_t begin, int64_t end) {
    if (tiling.direct) {
      for (int64_t t = begin; t < end; t++) {
        const Tile<inputs + 1> tile(tiling, t);
        for (int64_t r = 0; r < tile.rows; r++) {
          Out* const to = args.out<Out>(inputs) + tile.at(inputs, r);
          const auto body = is_large ? loop.streaming : loop.body;
          body(loop.function, tile.columns, to, args.in<In>(i) + tile.at(i, r)...);
        }
      }
      return;
    }
    Run<Out> out(args.out<Out>(inputs), tiling.strides(inputs));
    std::tuple<Run<In>...> in{Run<In>(args.out<In>(i), tiling.strides(i))...};
    for (int64_t t = begin; t < end; t++) {
      const Tile<inputs + 1> tile(tiling, t);
      Out* const to = out.write(tile.offsets[inputs], tile.rows, tile.columns);
      loop.body(loop.function, tile.count(), to, std::get<i>(in).read(tile.offsets[i], tile.rows, tile.columns)...);
      out.written(tile.offsets[inputs], tile.rows, tile.columns);
    }
    (void)in;
  });
  return {};
}

// y = f(x…) one element at a time, types as given; the compiler vectorizes what it can.
template <class Out, class... In, class F>
Status map_elements(const Args& args, int64_t grain, F f) {
  const auto body = [](const void* function, int64_t n, Out* y, const In*... x) {
    const F& g = *static_cast<const F*>(function);
    THALWEG_INDEPENDENT
    for (int64_t i = 0; i < n; i++) y[i] = g(x[i]...);
  };
  return run_tiles<Out, In...>(args, grain, {&f, body, body}, std::make_integer_sequence<int, sizeof...(In)>());
}

// ---- functions of elements
//
// `name_op<T>` is the function of a row MAP(name, …) of kernels.def. Its base class says of what its arguments and
// its result are and how they come; `grain` says what it costs; where it has scalar arguments it is made from them.
// The kernel of the row and the tiles of `fused` (kernels/fused/) run the same loop over the same function.

enum class By {
  Vectors,      // V<T> of T
  WideVectors,  // vectors of double, for elements of float: widened, and the result rounded once
  Elements      // one at a time, types as given; the compiler vectorizes what it can
};

// Whether F is a function of four vectors at a time (several.h), too.
template <class F, class T, class... In>
constexpr bool kTakesFour = Vec<T>::W > 1 && std::is_invocable<const F&, typename Four<In>::V...>::value;

// Calls y = f(x…) for n contiguous elements; y may be the very same as an x.
template <By by, class F, class Out, class... In>
void apply(const F& f, int64_t n, Out* y, const In*... x) {
  int64_t i = 0;
  if constexpr (by == By::Vectors) {
    using N = Vec<Out>;
    // Four at a time, where a vector costs little more than the loop around it.
    if constexpr (F::grain == kCheap) {
      const auto at = [&](int64_t j) { N::store(y + j, f(N::load(x + j)...)); };
      THALWEG_INDEPENDENT
      for (; i <= n - 4 * N::W; i += 4 * N::W) {
        at(i);
        at(i + N::W);
        at(i + 2 * N::W);
        at(i + 3 * N::W);
      }
    }
    // And where a function takes four at once.
    if constexpr (kTakesFour<F, Out, In...>) {
      for (; i <= n - Four<Out>::W; i += Four<Out>::W) Four<Out>::store(y + i, f(Four<In>::load(x + i)...));
    }
    THALWEG_INDEPENDENT
    for (; i <= n - N::W; i += N::W) N::store(y + i, f(N::load(x + i)...));
    if constexpr (N::W > 1) {
      const int rest = static_cast<int>(n - i);
      if (rest > 0) N::store_n(y + i, f(N::load_n(x + i, rest)...), rest);
    }
  } else if constexpr (by == By::WideVectors) {
    using N = Vec<double>;
    for (; i <= n - N::W; i += N::W) N::store_f32(y + i, f(N::load_f32(x + i)...));
    if (i == n) return;
    const size_t bytes = static_cast<size_t>(n - i) * sizeof(float);
    const auto rest = [bytes](const float* from) {
      float elements[N::W] = {};
      std::memcpy(elements, from, bytes);
      return N::load_f32(elements);
    };
    float result[N::W];
    N::store_f32(result, f(rest(x + i)...));
    std::memcpy(y + i, result, bytes);
  } else if constexpr (std::is_same<decltype(f(x[0]...)), bool>::value) {
    THALWEG_INDEPENDENT
    for (; i < n; i++) y[i] = f(x[i]...) ? Out{1} : Out{0};
  } else {
    THALWEG_INDEPENDENT
    for (; i < n; i++) y[i] = f(x[i]...);
  }
}

// Bytes of a cache line: a store past the caches should fill one before the next begins.
constexpr int64_t kLineBytes = 64;

// Calls step(i) for vectors of T from 0 on, line by line and in two places in turn: the prefetching of a processor
// follows each up to the end of its page (AMD Zen 3, from memory: a tenth more bandwidth than in one place, while from
// four places the stores get in each other's way). Gives how many of the n elements are done.
template <class T, class Step>
int64_t in_two_places(int64_t n, const Step& step) {
  using N = Vec<T>;
  constexpr int64_t kInLine = kLineBytes / static_cast<int64_t>(sizeof(T)), kUnit = N::W > kInLine ? N::W : kInLine;
  const int64_t half = n / (2 * kUnit) * kUnit;
  for (int64_t i = 0; i < half; i += kUnit) {
    for (int64_t j = 0; j < kUnit; j += N::W) step(i + j);
    for (int64_t j = 0; j < kUnit; j += N::W) step(half + i + j);
  }
  return 2 * half;
}

// The same as apply, in vectors, storing y past the caches.
template <class F, class T, class... Same>
void apply_streaming(const F& f, int64_t n, T* y, const Same*... x) {
  using N = Vec<T>;
  // In place, the lines are in the cache already.
  if (((y == x) || ...)) return apply<By::Vectors>(f, n, y, x...);
  const int64_t past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(y) % kLineBytes);
  int64_t i = (kLineBytes - past) % kLineBytes / static_cast<int64_t>(sizeof(T));
  if (i > n) i = n;
  apply<By::Vectors>(f, i, y, x...);
  // A function that takes four vectors at once spends more time on them than memory does.
  if constexpr (kTakesFour<F, T, Same...>) {
    for (; i <= n - Four<T>::W; i += Four<T>::W) Four<T>::stream(y + i, f(Four<T>::load(x + i)...));
  } else {
    i += in_two_places<T>(n - i, [&](int64_t at) { N::stream(y + i + at, f(N::load(x + i + at)...)); });
  }
  for (; i <= n - N::W; i += N::W) N::stream(y + i, f(N::load(x + i)...));
  N::fence();
  apply<By::Vectors>(f, n - i, y + i, (x + i)...);
}

template <class F>
F function_of(const double* scalars) {
  if constexpr (std::is_constructible<F, const double*>::value) return F(scalars);
  else return (void)scalars, F{};
}

// The base of a function from In… to Out.
template <By by, class Out, class... In>
struct Elementwise {
  static constexpr int kInputs = sizeof...(In);

  template <class F>
  static Status kernel(const Args& args) {
    const F f = function_of<F>(args.scalars);
    Loop<Out, In...> loop{&f, nullptr, nullptr};
    loop.streaming = loop.body = [](const void* function, int64_t n, Out* y, const In*... x) {
      apply<by>(*static_cast<const F*>(function), n, y, x...);
    };
    // Integers and the scalar level, one number at a time, have no such store.
    if constexpr (by == By::Vectors && std::is_floating_point<Out>::value) {
      loop.streaming = [](const void* function, int64_t n, Out* y, const In*... x) {
        apply_streaming(*static_cast<const F*>(function), n, y, x...);
      };
    }
    return run_tiles<Out, In...>(args, F::grain, loop, std::make_integer_sequence<int, kInputs>());
  }

  // The same with all arguments and the result of type T, truth values being 0 and 1: a step of a fused chain.
  template <class F, class T>
  static void tile(int64_t n, const double* scalars, void* y, const void* const* x) {
    tile<F, T>(n, scalars, y, x, std::make_integer_sequence<int, kInputs>());
  }

 private:
  template <class F, class T, int... i>
  static void tile(int64_t n, const double* scalars, void* y, const void* const* x,
                   std::integer_sequence<int, i...>) {
    (void)x;
    apply<by>(function_of<F>(scalars), n, static_cast<T*>(y), static_cast<const T*>(x[i])...);
  }
};

template <class F>
Status map_kernel(const Args& args) {
  return F::template kernel<F>(args);
}

// name_op<T>: a function of one or two V<T>, in the words of N = Vec<T>.
#define THALWEG_MAP1(name, cost, expression)             \
  template <class T>                                     \
  struct name##_op : Elementwise<By::Vectors, T, T> {    \
    using N = Vec<T>;                                    \
    static constexpr int64_t grain = cost;               \
    V<T> operator()(V<T> x) const { return expression; } \
  };
#define THALWEG_MAP2(name, cost, expression)                     \
  template <class T>                                             \
  struct name##_op : Elementwise<By::Vectors, T, T, T> {         \
    using N = Vec<T>;                                            \
    static constexpr int64_t grain = cost;                       \
    V<T> operator()(V<T> x, V<T> y) const { return expression; } \
  };

// name_op<T>: a truth value of one or two elements of type T.
#define THALWEG_TEST1(name, expression)                      \
  template <class T>                                         \
  struct name##_op : Elementwise<By::Elements, uint8_t, T> { \
    static constexpr int64_t grain = kCheap;                 \
    bool operator()(T x) const { return expression; }        \
  };
#define THALWEG_TEST2(name, expression)                         \
  template <class T>                                            \
  struct name##_op : Elementwise<By::Elements, uint8_t, T, T> { \
    static constexpr int64_t grain = kCheap;                    \
    bool operator()(T x, T y) const { return expression; }      \
  };
