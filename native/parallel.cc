#include "parallel.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "spin.h"
#include "system.h"

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace thalweg {
namespace {

constexpr int kMaxThreads = 256;

// How long an idle worker looks out for work before it sleeps: longer than the gap between two kernels of an eager
// step, so that its threads stay awake through the step, and short enough not to be missed by whatever else wants its
// core (node's garbage collector, for one).
constexpr auto kLookout = std::chrono::microseconds(40);
// How long a caller waits for the last ranges before it offers its core to whoever needs it to finish them.
constexpr auto kPatience = std::chrono::microseconds(100);
// Ranges for each thread where the grain allows it. Chosen on AMD Zen 4 in a virtual machine: with one range each, a
// thread that the host takes off its core for a while makes the other wait for half of the work.
constexpr int kRangesPerThread = 4;

// What a job has to give, in one word that is changed as a whole: its number, seats for workers, and the ranges that
// nobody has claimed, from `first` to `last`. The caller claims from the front and workers from the back, so that in
// a row of jobs over the same memory each thread finds in its cache what it worked on before. The number tells a
// worker that looks again whether this is still the job at which it has a seat.
struct Offer {
  uint64_t word;
  static Offer make(uint64_t number, int seats, int ranges) {
    return {(number & 0xFFFFFF) << 40 | static_cast<uint64_t>(seats) << 32 | static_cast<uint64_t>(ranges)};
  }
  uint64_t number() const { return word >> 40; }
  int seats() const { return static_cast<int>(word >> 32 & 0xFF); }
  int first() const { return static_cast<int>(word >> 16 & 0xFFFF); }
  int last() const { return static_cast<int>(word & 0xFFFF); }
  bool has_ranges() const { return first() < last(); }
  Offer without_first() const { return {word + (1 << 16)}; }
  Offer without_last() const { return {word - 1}; }
  Offer without_seat() const { return {word - (uint64_t{1} << 32)}; }
};

// A fork and join. Who has claimed a range may read the rest, which stays until all ranges are finished. The caller
// waits for claimed ranges alone: a worker that the system wakes late costs its part of the work but no waiting.
// 128 bytes: processors fetch cache lines in pairs.
struct alignas(128) Job {
  std::atomic<uint64_t> offer{0};
  std::atomic<int> finished{0};
  std::atomic<int> limit{0};
  RangeFunction function = nullptr;
  void* context = nullptr;
  int64_t count = 0;
  int ranges = 0;
  uint64_t number = 0;
  std::mutex error_mutex;
  std::exception_ptr error;
  std::atomic<bool> taken{false};  // by a caller

  Offer look() const { return {offer.load(std::memory_order_acquire)}; }
  bool change(Offer* from, Offer to) {
    return offer.compare_exchange_weak(from->word, to.word, std::memory_order_acq_rel, std::memory_order_acquire);
  }

  // What a range throws (for want of memory), the caller hears of when all have finished: they use its stack.
  void run(int64_t range) {
    const int64_t length = count / ranges, extra = count % ranges;
    const int64_t begin = range * length + (range < extra ? range : extra);
    try {
      function(context, begin, begin + length + (range < extra ? 1 : 0));
    } catch (...) {
      std::lock_guard<std::mutex> lock(error_mutex);
      error = std::current_exception();
    }
    finished.fetch_add(1, std::memory_order_release);
  }
};

class Pool {
 public:
  // False if the caller has to do the work by itself.
  bool run(int limit, int ranges, int64_t count, RangeFunction function, void* context) {
    const int at = take_job();
    if (at < 0) return false;
    Job& job = jobs_[at];
    const int workers = start_workers(limit - 1);
    if (workers == 0) {
      job.taken.store(false, std::memory_order_release);
      return false;
    }
    job.function = function;
    job.context = context;
    job.count = count;
    job.ranges = ranges;
    job.finished.store(0, std::memory_order_relaxed);
    job.limit.store(limit, std::memory_order_relaxed);
    Offer offer = Offer::make(++job.number, workers, ranges);
    job.offer.store(offer.word, std::memory_order_release);
    board_.fetch_add(kNews + (uint64_t{1} << at), std::memory_order_seq_cst);
    const int idle_cores = limit - at_work_.load(std::memory_order_relaxed);
    wake(workers < ranges - 1 ? workers : ranges - 1, idle_cores);

    while (offer.has_ranges()) {
      if (job.change(&offer, offer.without_first())) {
        job.run(offer.first());
        offer = job.look();
      }
    }
    board_.fetch_sub(uint64_t{1} << at, std::memory_order_relaxed);
    const auto all_finished = [&] { return job.finished.load(std::memory_order_acquire) == ranges; };
    if (!comes_true(kPatience, all_finished)) {
      while (!all_finished()) std::this_thread::yield();
    }
    const std::exception_ptr error = std::exchange(job.error, nullptr);
    job.taken.store(false, std::memory_order_release);
    if (error != nullptr) std::rethrow_exception(error);
    return true;
  }

  void begin_work() { at_work_.fetch_add(1, std::memory_order_relaxed); }

  void end_work() {
    at_work_.fetch_sub(1, std::memory_order_relaxed);
    // Workers that found no room beside this thread have room now.
    if (jobs_on(board_.load(std::memory_order_relaxed)) == 0) return;
    board_.fetch_add(kNews, std::memory_order_seq_cst);
    wake(1, 1);
  }

 private:
  static constexpr int kJobs = 16;  // more callers at once than that run alone
  // The board: a bit for each job that may have ranges left, and above them a count of what was ever announced.
  static constexpr uint64_t kNews = uint64_t{1} << kJobs;
  static uint64_t jobs_on(uint64_t board) { return board & (kNews - 1); }

  int take_job() {
    for (int at = 0; at < kJobs; at++) {
      if (!jobs_[at].taken.load(std::memory_order_relaxed) &&
          !jobs_[at].taken.exchange(true, std::memory_order_acquire)) {
        return at;
      }
    }
    return -1;
  }

  // Workers there are for a job that wants so many.
  int start_workers(int wanted) {
    if (workers_.load(std::memory_order_acquire) >= wanted) return wanted;
    std::lock_guard<std::mutex> lock(start_);
    int workers = workers_.load(std::memory_order_relaxed);
    try {
      for (; workers < wanted; workers_.store(++workers, std::memory_order_release)) {
        start_thread([](void* pool) { static_cast<Pool*>(pool)->work(); }, this);
      }
    } catch (...) {
      return workers;  // the system has no more threads to give
    }
    return wanted;
  }

  void wake(int wanted, int idle_cores) {
    const int sleepers = sleepers_.load(std::memory_order_seq_cst);
    if (idle_cores < wanted) wanted = idle_cores;
    if (wanted < 1 || sleepers == 0) return;
    // Whoever is about to sleep has the lock, and will have seen the news or be asleep when it is free.
    { std::lock_guard<std::mutex> lock(sleep_); }
    if (wanted >= sleepers) return wake_.notify_all();
    for (; wanted > 0; wanted--) wake_.notify_one();
  }

  void work() {
    set_thread_limit(1);
    uint64_t seen = 0;
    int next = 0;
    for (;;) {
      const uint64_t board = news_after(seen);
      seen = board / kNews;
      // The job after the one served last comes first, so that all are served.
      for (int i = 0, start = next; i < kJobs; i++) {
        const int at = (start + i) % kJobs;
        if ((board >> at & 1) != 0 && serve(jobs_[at])) next = (at + 1) % kJobs;
      }
    }
  }

  // The board, once there are news on it.
  uint64_t news_after(uint64_t seen) {
    const auto look = [&] { return board_.load(std::memory_order_seq_cst); };
    uint64_t board = look();
    const auto is_new = [&] { return (board = look()) / kNews != seen; };
    if (comes_true(kLookout, is_new)) return board;
    std::unique_lock<std::mutex> lock(sleep_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    wake_.wait(lock, is_new);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
    return board;
  }

  // Runs ranges of a job until there are no more, or more threads are at work than the job may have.
  bool serve(Job& job) {
    Offer offer = job.look();
    if (!offer.has_ranges() || offer.seats() == 0) return false;
    const int limit = job.limit.load(std::memory_order_relaxed);
    bool is_seated = false;
    if (at_work_.fetch_add(1, std::memory_order_relaxed) < limit) {
      while (offer.has_ranges() && offer.seats() > 0) {
        if (!job.change(&offer, offer.without_seat().without_last())) continue;
        is_seated = true;
        run_ranges(job, offer, limit);
        break;
      }
    }
    at_work_.fetch_sub(1, std::memory_order_relaxed);
    return is_seated;
  }

  void run_ranges(Job& job, Offer offer, int limit) {
    const uint64_t number = offer.number();
    for (;;) {
      job.run(offer.last() - 1);
      do {
        offer = job.look();
        const bool is_over = offer.number() != number || !offer.has_ranges();
        if (is_over || at_work_.load(std::memory_order_relaxed) > limit) return;
      } while (!job.change(&offer, offer.without_last()));
    }
  }

  std::atomic<uint64_t> board_{0};
  alignas(128) std::atomic<int> at_work_{0};
  alignas(128) std::atomic<int> sleepers_{0};
  std::atomic<int> workers_{0};
  std::mutex start_, sleep_;
  std::condition_variable wake_;
  Job jobs_[kJobs];
};

// Never destroyed: its threads outlive static destructors, and a process may exit in the middle of a job. The
// library is linked so that it is never unloaded (see the build files).
Pool* make_pool() {
  static Pool* the_pool;  // where the lambda below finds it
  the_pool = new Pool;
#if !defined(_WIN32)
  // A child of fork(2) has none of the threads, and whatever they held stays locked: it begins with a new pool.
  pthread_atfork(nullptr, nullptr, [] { new (the_pool) Pool; });
#endif
  return the_pool;
}

Pool& pool() {
  static Pool* const pool = make_pool();
  return *pool;
}

struct ThisThread {
  int limit = 1;
  int at_work = 0;
};
thread_local ThisThread this_thread;

// A job inside a job stays on its own thread.
class OneThread {
 public:
  OneThread() : outer_(std::exchange(this_thread.limit, 1)) {}
  ~OneThread() { this_thread.limit = outer_; }

 private:
  const int outer_;
};

}  // namespace

int hardware_threads() {
  const int cores = usable_cores();
  return cores > kMaxThreads ? kMaxThreads : cores;
}

void set_thread_limit(int n) { this_thread.limit = n < 1 ? 1 : n > kMaxThreads ? kMaxThreads : n; }
int thread_limit() { return this_thread.limit; }

AtWork::AtWork() {
  if (this_thread.at_work++ == 0) pool().begin_work();
}
AtWork::~AtWork() {
  if (--this_thread.at_work == 0) pool().end_work();
}

void parallel_ranges(int64_t count, int64_t grain, RangeFunction run, void* context) {
  if (grain < 1) grain = 1;
  const int64_t most = count / grain;
  const int limit = thread_limit();
  if (most < 2 || limit < 2) return run(context, 0, count);
  const int64_t wanted = int64_t{limit} * kRangesPerThread;
  const AtWork at_work;
  const OneThread guard;
  if (!pool().run(limit, static_cast<int>(most < wanted ? most : wanted), count, run, context)) run(context, 0, count);
}

}  // namespace thalweg
