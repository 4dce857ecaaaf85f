#include "parallel.h"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace thalweg {
namespace {

inline void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  asm volatile("yield");
#endif
}

// About 50 µs on a 3 GHz core: longer than the gap between two kernels of an eager step, so that its threads stay
// awake through the step, and far too short to be seen in a process that is idle.
constexpr int kSpinsBeforeSleep = 2000;
constexpr int kSpinsBeforeYield = 4000;
constexpr int kMaxThreads = 256;

class Pool {
 public:
  bool run(int parties, int64_t count, RangeFunction function, void* context) {
    // Another program is using the threads: the caller does its own work, and the machine is not oversubscribed.
    std::unique_lock<std::mutex> owner(owner_, std::try_to_lock);
    if (!owner.owns_lock()) return false;
    parties = start_workers(parties);
    if (parties < 2) return false;
    function_ = function;
    context_ = context;
    count_ = count;
    finished_.store(0, std::memory_order_relaxed);
    const uint32_t job = job_of(state_.load(std::memory_order_relaxed)) + 1;
    state_.store(static_cast<uint64_t>(job) << 32 | static_cast<uint64_t>(parties) << 16, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) {
      std::lock_guard<std::mutex> lock(sleep_);
      wake_.notify_all();
    }
    run_shares(job);
    for (int spins = 0; finished_.load(std::memory_order_acquire) < parties; spins++) {
      if (spins < kSpinsBeforeYield) pause();
      else std::this_thread::yield();
    }
    if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
    return true;
  }

 private:
  // The state word: the job's number, its number of shares (one for each thread that may take part), and the first
  // share that nobody has claimed. A thread looks at the job itself only once it has claimed a share, and the caller
  // waits for claimed shares alone: a worker that the system wakes late, because another process has its core, costs
  // the caller its share of the work but no waiting.
  static uint32_t job_of(uint64_t state) { return static_cast<uint32_t>(state >> 32); }
  static int shares_of(uint64_t state) { return static_cast<int>(state >> 16 & 0xFFFF); }
  static int next_of(uint64_t state) { return static_cast<int>(state & 0xFFFF); }

  void run_shares(uint32_t job) {
    uint64_t state = state_.load(std::memory_order_acquire);
    while (job_of(state) == job && next_of(state) < shares_of(state)) {
      if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) continue;
      run_share(next_of(state), shares_of(state));
      finished_.fetch_add(1, std::memory_order_release);
      state = state_.load(std::memory_order_acquire);
    }
  }

  // What a share throws (for want of memory), the caller hears of when all have finished: they use its stack.
  void run_share(int64_t number, int64_t shares) {
    const int64_t share = count_ / shares, extra = count_ % shares;
    const int64_t begin = number * share + (number < extra ? number : extra);
    try {
      function_(context_, begin, begin + share + (number < extra ? 1 : 0));
    } catch (...) {
      std::lock_guard<std::mutex> lock(sleep_);
      error_ = std::current_exception();
    }
  }

  int start_workers(int parties) {
    const uint32_t seen = job_of(state_.load(std::memory_order_relaxed));
    while (workers_ < parties - 1) {
      try {
        std::thread([this, seen] { work(seen); }).detach();
      } catch (...) {
        return workers_ + 1;  // the system has no more threads to give
      }
      workers_++;
    }
    return parties;
  }

  void work(uint32_t seen) {
    set_thread_limit(1);
    for (;;) {
      seen = next_job(seen);
      run_shares(seen);
    }
  }

  uint32_t next_job(uint32_t seen) {
    const auto job = [&] { return job_of(state_.load(std::memory_order_seq_cst)); };
    for (int spins = 0; spins < kSpinsBeforeSleep; spins++) {
      if (job() != seen) return job();
      pause();
    }
    std::unique_lock<std::mutex> lock(sleep_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    wake_.wait(lock, [&] { return job() != seen; });
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
    return job();
  }

  std::mutex owner_;  // held by the caller whose job runs
  std::mutex sleep_;
  std::condition_variable wake_;
  std::atomic<uint64_t> state_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<int> finished_{0};
  int workers_ = 0;  // guarded by owner_
  RangeFunction function_ = nullptr;
  void* context_ = nullptr;
  int64_t count_ = 0;
  std::exception_ptr error_;  // written under sleep_, read by the caller when all have finished
};

// Never destroyed: its threads outlive static destructors, and a process may exit in the middle of a job. The
// library is linked so that it is never unloaded (see the build files).
Pool& pool() {
  static Pool* const pool = new Pool;
  return *pool;
}

thread_local int limit = 1;

// A job inside a job stays on its own thread.
class OneThread {
 public:
  OneThread() : outer_(std::exchange(limit, 1)) {}
  ~OneThread() { limit = outer_; }

 private:
  const int outer_;
};

}  // namespace

int hardware_threads() {
  const unsigned n = std::thread::hardware_concurrency();
  return n == 0 ? 1 : n > kMaxThreads ? kMaxThreads : static_cast<int>(n);
}

void set_thread_limit(int n) { limit = n < 1 ? 1 : n > kMaxThreads ? kMaxThreads : n; }
int thread_limit() { return limit; }

void parallel_ranges(int64_t count, int64_t grain, RangeFunction run, void* context) {
  if (grain < 1) grain = 1;
  const int64_t most = count / grain;
  const int parties = most < limit ? static_cast<int>(most) : limit;
  if (parties < 2) return run(context, 0, count);
  const OneThread guard;
  if (!pool().run(parties, count, run, context)) run(context, 0, count);
}

}  // namespace thalweg
