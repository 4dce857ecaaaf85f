// A chain that folds over R for every element of O, in the order of kernels/lanes.h: 16 lanes and a tree in blocks of
// 4096, and the results of the blocks once more. As in kernels/reduction.h there are two ways to walk: along the
// sequences, and across them, a strip of neighbouring sequences at once, where those are neighbours in memory.
#pragma once

#include "args.h"

template <class T>
class FusedFold {
 public:
  FusedFold(const FusedArgs& a, const FusedCode& code)
      : a_(a), code_(code), o_(a.operands.count()), r_(a.full()), folds_(a.operands.folds) {
    for (int axis = 0; axis < a.o.rank; axis++) {
      o_.append(a.o.sizes[axis], [&](int i) { return a.strides[i][axis]; });
    }
    for (int axis = 0; axis < a.r.rank; axis++) {
      r_.append(a.r.sizes[axis], [&](int i) { return a.strides[i][a.o.rank + axis]; });
    }
    o_.close();
    r_.close();
    for (int i = 0; i < code.count; i++) {
      const FusedStep& step = code.steps[i];
      if (step.kind == FusedStep::Kind::Fold) functions_[fold_of(step)] = &fold_functions<T>(step.fold);
    }
    blocks_ = r_.count <= kBlock ? 1 : ceil_div(r_.count, kBlock);
  }

  void run() {
    if (o_.count == 0) return;
    if (blocks_ > 1) results_.reset(new T[static_cast<size_t>(folds_ * o_.count * blocks_)]);
    if (lies_across()) run_across();
    else run_along();
    if (blocks_ == 1) return;
    const int64_t grain = 1 + kBlock * kBlockGrain / (blocks_ + kLanes);
    parallel_for(folds_ * o_.count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int fold = static_cast<int>(i / o_.count);
        *output(fold, i % o_.count) = functions_[fold]->sequence(results_.get() + i * blocks_, blocks_);
      }
    });
  }

 private:
  int fold_of(const FusedStep& step) const { return step.operand - a_.operands.first_fold(); }

  T* output(int fold, int64_t index) const {
    int64_t offsets[kMaxOperands] = {};
    o_.add_offsets(index, o_.rank - 1, offsets);
    const int operand = a_.operands.first_fold() + fold;
    return static_cast<T*>(a_.args.operands[operand]) + offsets[operand];
  }

  // The result of a block for element `index` of O: the output itself where there is one block.
  void put(int fold, int64_t index, int64_t block, T result) {
    if (blocks_ == 1) *output(fold, index) = result;
    else results_[static_cast<size_t>((fold * o_.count + index) * blocks_ + block)] = result;
  }

  // Whether fewer operands need copying if neighbouring elements of a tile belong to neighbouring elements of O.
  bool lies_across() const {
    constexpr int64_t kNarrow = 8;
    if (o_.inner() < kNarrow) return false;
    const auto is_easy = [](int64_t stride) { return stride == 0 || stride == 1; };
    int along = 0, across = 0;
    for (int i = 0; i < a_.full(); i++) {
      along += r_.is_even(i) && is_easy(r_.inner_stride(i));
      across += is_easy(o_.inner_stride(i));
    }
    return across > along;
  }

  // ---- along

  void run_along() {
    const int64_t n = r_.count, height = o_.inner();
    // Short sequences share a tile; long ones have several.
    const int64_t rows = r_.rank == 1 && n > 0 && n <= kFusedTile<T> / 2 ? smaller_of(height, kFusedTile<T> / n) : 1;
    const int64_t down = (height + rows - 1) / rows, units = o_.count / height * down * blocks_;
    const int64_t work = 1 + rows * smaller_of(n, kBlock);
    parallel_for(units, 1 + fused_grain(code_) / work, [&](int64_t begin, int64_t end) {
      FusedMachine<T> machine(code_);
      for (int64_t u = begin; u < end; u++) {
        const int64_t block = u % blocks_, row = u / blocks_ % down * rows, outer = u / (blocks_ * down);
        int64_t offsets[kMaxOperands] = {};
        o_.add_offsets(outer, o_.rank - 2, offsets);
        for (int i = 0; i < o_.operands; i++) offsets[i] += row * o_.inner_stride(i);
        const int64_t index = outer * height + row;
        if (rows > 1) whole_sequences(&machine, offsets, index, smaller_of(rows, height - row));
        else one_block(&machine, offsets, index, block);
      }
    });
  }

  void whole_sequences(FusedMachine<T>* machine, const int64_t* offsets, int64_t index, int64_t rows) {
    const int64_t n = r_.count;
    BlockOperand at[kMaxOperands];
    for (int i = 0; i < a_.full(); i++) {
      at[i] = a_.template at<T>(i, offsets[i], o_.inner_stride(i), r_.inner_stride(i));
    }
    machine->run_tile(rows, n, at, nullptr, [&](const FusedStep& step, const T* x) {
      const int fold = fold_of(step), operand = step.operand;
      T* const to = static_cast<T*>(a_.args.operands[operand]) + offsets[operand];
      for (int64_t k = 0; k < rows; k++) {
        to[k * o_.inner_stride(operand)] = functions_[fold]->sequence(x + k * n, n);
      }
    });
    (void)index;
  }

  void one_block(FusedMachine<T>* machine, const int64_t* offsets, int64_t index, int64_t block) {
    alignas(64) T lanes[kMaxOperands][kLanes];
    for (int f = 0; f < folds_; f++) {
      for (T& lane : lanes[f]) lane = functions_[f]->identity;
    }
    const int64_t begin = block * kBlock, end = smaller_of(begin + kBlock, r_.count);
    BlockOperand at[kMaxOperands];
    for (int64_t first = begin; first < end; first += kFusedTile<T>) {
      const int64_t n = smaller_of(kFusedTile<T>, end - first);
      for (int i = 0; i < a_.full(); i++) {
        const bool is_even = r_.is_even(i);
        const int64_t stride = r_.inner_stride(i);
        at[i] = a_.template at<T>(i, offsets[i] + (is_even ? first * stride : 0), 0, stride);
        at[i].is_scattered = !is_even;
      }
      machine->scatter(r_, first);
      machine->run_tile(1, n, at, nullptr, [&](const FusedStep& step, const T* x) {
        functions_[fold_of(step)]->into_lanes(lanes[fold_of(step)], x, n);
      });
    }
    for (int f = 0; f < folds_; f++) put(f, index, block, functions_[f]->lanes(lanes[f]));
  }

  // ---- across

  void run_across() {
    const int64_t width = o_.inner(), outer = o_.count / width, threads = thread_limit();
    const int64_t strip = strip_width<T>(width, outer * blocks_ < threads ? threads : 1);
    const int64_t strips = ceil_div(width, strip);
    const int64_t work = strip * (smaller_of(r_.count, kBlock) + kLanes);
    parallel_for(outer * strips * blocks_, 1 + fused_grain(code_) / work, [&](int64_t begin, int64_t end) {
      FusedMachine<T> machine(code_);
      const std::unique_ptr<T[]> lanes(new T[static_cast<size_t>(folds_ * kLanes * strip)]);
      for (int64_t u = begin; u < end; u++) {
        const int64_t block = u % blocks_, first = u / blocks_ % strips * strip;
        one_strip(&machine, u / (blocks_ * strips), first, smaller_of(strip, width - first), block, lanes.get());
      }
    });
  }

  // Columns first … first + width − 1 of the inner axis of O. Lane j of a fold is a row of `lanes`.
  void one_strip(FusedMachine<T>* machine, int64_t outer, int64_t first, int64_t width, int64_t block, T* lanes) {
    const int64_t begin = block * kBlock, end = smaller_of(begin + kBlock, r_.count);
    int64_t used = smaller_of(kLanes, end - begin);
    const auto lane = [&](int fold, int64_t j) { return lanes + (fold * kLanes + j) * width; };
    for (int f = 0; f < folds_; f++) {
      for (int64_t i = 0; i < (used > 0 ? used : 1) * width; i++) lane(f, 0)[i] = functions_[f]->identity;
    }
    int64_t base[kMaxOperands] = {};
    o_.add_offsets(outer, o_.rank - 2, base);
    for (int64_t row = begin; row < end;) {
      // Rows of one tile go along the inner axis of R.
      const int64_t rest = r_.inner() - row % r_.inner();
      // One row is read where it stands, several often not.
      const int64_t most = width >= kFusedTile<T> / 4 ? 1 : kFusedTile<T> / width;
      const int64_t rows = smaller_of(smaller_of(most, rest), end - row);
      int64_t offsets[kMaxOperands] = {};
      r_.add_offsets(row, r_.rank - 1, offsets);
      BlockOperand at[kMaxOperands];
      for (int i = 0; i < a_.full(); i++) {
        const int64_t step = o_.inner_stride(i);
        at[i] = a_.template at<T>(i, base[i] + offsets[i] + first * step, r_.inner_stride(i), step);
      }
      machine->run_tile(rows, width, at, nullptr, [&](const FusedStep& step, const T* x) {
        const int f = fold_of(step);
        for (int64_t k = 0; k < rows; k++) {
          functions_[f]->row(lane(f, (row - begin + k) % kLanes), x + k * width, width);
        }
      });
      row += rows;
    }
    // The tree. Lanes beyond `used` hold the identity, which changes nothing.
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int f = 0; f < folds_; f++) {
        for (int64_t j = 0; j + half < used && j < half; j++) functions_[f]->row(lane(f, j), lane(f, j + half), width);
      }
      used = smaller_of(used, half);
    }
    for (int f = 0; f < folds_; f++) {
      for (int64_t c = 0; c < width; c++) put(f, outer * o_.inner() + first + c, block, lane(f, 0)[c]);
    }
  }

  const FusedArgs& a_;
  const FusedCode& code_;
  SharedAxes o_, r_;
  const int64_t folds_;
  int64_t blocks_;
  const FoldFunctions<T>* functions_[kMaxOperands];
  std::unique_ptr<T[]> results_;  // by fold, element of O, and block
};
