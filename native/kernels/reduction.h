// The skeleton of all reductions over axes R for every element of axes O: it chooses how to walk memory and
// how to share the work among threads. What is folded, and into what, is said by passes (kernels/reduce.h).
//
// A pass is a type with
//   Op                    what folds (kernels/lanes.h)
//   map(x, state) -> V    the number to be folded, from one element of each input
//   finish(total, state)  the pass's result, from the folded total
// where `state` holds, for the output at hand, the parameters and then the results of earlier passes.
#pragma once

#include "lanes.h"
#include "walk.h"

template <class T, int kInputs, int kParameters, int kPasses>
class Reduction {
 public:
  static constexpr int kState = kParameters + kPasses;

  // Inputs have axes O and R; parameters and results (one of each pass; null: not kept) have axes O. Strides
  // over O come in this order, those of a result that is not kept being any.
  Reduction(const Group& o, const int64_t* const (&o_strides)[kInputs + kState], const Group& r,
            const int64_t* const (&r_strides)[kInputs], const T* const (&inputs)[kInputs],
            const T* const* parameters, T* const (&results)[kPasses])
      : o_(o, o_strides), r_(r, r_strides), parameters_(parameters) {
    for (int i = 0; i < kInputs; i++) inputs_[i] = inputs[i];
    for (int p = 0; p < kPasses; p++) results_[p] = results[p];
  }

  // Runs the passes for every element of O. Parameters and inputs are read before results are written.
  template <class... Passes>
  void run(const Passes&... passes) const {
    static_assert(sizeof...(Passes) == kPasses, "one result per pass");
    if (o_.count == 0) return;
    if (lies_across()) run_across(passes...);
    else run_along(passes...);
  }

  // Whether neighbouring outputs, and not neighbouring numbers of one sequence, are neighbours in memory.
  bool lies_across() const {
    bool along = true, across = o_.inner() > 1;
    for (int i = 0; i < kInputs; i++) {
      along = along && r_.contiguous(i);
      across = across && o_.inner_stride(i) == 1;
    }
    return across && !along;
  }

 private:
  using X = Words<T>;
  using V = typename X::V;
  static constexpr int W = X::W;

  // Numbers per thread that make waking one worth it (see kBlockGrain).
  static constexpr int64_t kGrain = int64_t{kBlock} * kBlockGrain / 2;

  // ---- along: one output after the other; a sequence that is not contiguous is copied block by block.

  template <class... Passes>
  void run_along(const Passes&... passes) const {
    // Few long sequences are better shared block by block (fold_blocks).
    const bool few = o_.count < thread_limit() && r_.count >= 2 * kGrain;
    const int64_t grain = few ? o_.count : 1 + kGrain / (r_.count + kLanes);
    parallel_for(o_.count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t index = begin; index < end; index++) {
        T state[kState];
        for (int k = 0; k < kParameters; k++) state[k] = parameters_[k][o_.offset(kInputs + k, index)];
        along<kParameters>(index, state, passes...);
        for (int p = 0; p < kPasses; p++) {
          const int k = kParameters + p;
          if (results_[p]) results_[p][o_.offset(kInputs + k, index)] = state[k];
        }
      }
    });
  }

  // Blocks of a sequence whose numbers are contiguous in every input, for one pass.
  template <class Pass>
  struct Standing {
    const T* const* x;
    const V* known;
    const Pass& pass;

    T operator()(int64_t first, int n) const { return fold_block<typename Pass::Op, T>(n, from(first)); }
    void four(int64_t first, T* results) const { fold_four_blocks<typename Pass::Op, T>(from(first), results); }

   private:
    auto from(int64_t first) const {
      return [this, first](int64_t i, int k) {
        V elements[kInputs];
        for (int input = 0; input < kInputs; input++) elements[input] = load_part<X>(x[input] + first + i, k);
        return pass.map(elements, known);
      };
    }
  };

  // Runs the pass whose result is state[kSlot], and those after it.
  template <int kSlot, class Pass, class... Rest>
  void along(int64_t index, T* state, const Pass& pass, const Rest&... rest) const {
    V known[kState];
    for (int k = 0; k < kSlot; k++) known[k] = X::set1(state[k]);
    const T* base[kInputs];
    for (int i = 0; i < kInputs; i++) base[i] = inputs_[i] + o_.offset(i, index);
    using Op = typename Pass::Op;
    bool all_stand = true;
    for (int i = 0; i < kInputs; i++) all_stand = all_stand && r_.contiguous(i);
    const auto copied = [&](int64_t first, int n) {
      T scratch[kInputs][kBlock];
      const T* x[kInputs];
      for (int i = 0; i < kInputs; i++) {
        x[i] = r_.contiguous(i) ? base[i] + first : scratch[i];
        if (x[i] == scratch[i]) r_.copy(base[i], i, first, n, scratch[i]);
      }
      return Standing<Pass>{x, known, pass}(0, n);
    };
    const T total = all_stand ? fold_blocks<Op, T>(r_.count, Standing<Pass>{base, known, pass})
                              : fold_blocks<Op, T>(r_.count, copied);
    state[kSlot] = first_element<X, T>(pass.finish(X::set1(total), known));
    if constexpr (sizeof...(Rest) > 0) along<kSlot + 1>(index, state, rest...);
  }

  // ---- across: a strip of neighbouring outputs at once, row of inputs after row of inputs.

  template <class... Passes>
  void run_across(const Passes&... passes) const {
    const int64_t columns = o_.inner(), outer = o_.count / columns, threads = thread_limit();
    // Narrower strips, but whole cache lines, where there would be too few for the threads.
    const int64_t strip = strip_width<T>(columns, outer < threads ? threads : 1);
    const int64_t strips = ceil_div(columns, strip);
    const bool few = outer * strips < threads && r_.count * strip >= 2 * kGrain;
    const int64_t grain = few ? outer * strips : 1 + kGrain / ((r_.count + kLanes) * strip);
    parallel_for(outer * strips, grain, [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; u++) {
        const int64_t first = u % strips * strip, index = u / strips * columns + first;
        const int width = static_cast<int>(columns - first < strip ? columns - first : strip);
        T state[kState][kStrip<T>];
        for (int k = 0; k < kParameters; k++) o_.copy(parameters_[k], kInputs + k, index, width, state[k]);
        across<kParameters>(index, width, state, passes...);
        for (int p = 0; p < kPasses; p++) {
          const int k = kParameters + p;
          if (!results_[p]) continue;
          T* const to = results_[p] + o_.offset(kInputs + k, index);
          for (int c = 0; c < width; c++) to[c * o_.inner_stride(kInputs + k)] = state[k][c];
        }
      }
    });
  }

  template <int kSlot, class Pass, class... Rest>
  void across(int64_t index, int width, T (*state)[kStrip<T>], const Pass& pass, const Rest&... rest) const {
    const T* base[kInputs];
    for (int i = 0; i < kInputs; i++) base[i] = inputs_[i] + o_.offset(i, index);
    const auto load_state = [&](V* known, int c, int k) {
      for (int s = 0; s < kSlot; s++) known[s] = load_part<X>(state[s] + c, k);
    };
    struct Row {
      const T* x[kInputs];
    };
    const auto rows = [&](int64_t r) {
      Row row;
      for (int i = 0; i < kInputs; i++) row.x[i] = base[i] + r_.offset(i, r);
      return [&, row](int64_t c, int k) {
        V elements[kInputs], known[kState];
        for (int i = 0; i < kInputs; i++) elements[i] = load_part<X>(row.x[i] + c, k);
        load_state(known, static_cast<int>(c), k);
        return pass.map(elements, known);
      };
    };
    T total[kStrip<T>];
    fold_columns<typename Pass::Op, T>(r_.count, width, rows, total);
    for (int c = 0; c < width; c += W) {
      const int k = width - c < W ? width - c : W;
      V known[kState];
      load_state(known, c, k);
      store_part<X>(state[kSlot] + c, pass.finish(load_part<X>(total + c, k), known), k);
    }
    if constexpr (sizeof...(Rest) > 0) across<kSlot + 1>(index, width, state, rest...);
  }

  Walk<kInputs + kState> o_;
  Walk<kInputs> r_;
  const T* inputs_[kInputs];
  const T* const* parameters_;
  T* results_[kPasses];
};
