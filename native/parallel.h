// One pool of threads for the process; a fork-join over a partition of [0, count).
// Which thread computes an element never changes its bits, so kernels may cut their work anywhere.
#pragma once

#include <cstdint>
#include <type_traits>

namespace thalweg {

// Cores that this process may use (at least 1).
int hardware_threads();

// Upper limit of threads for jobs started on the calling thread from now on (at least 1).
void set_thread_limit(int limit);
int thread_limit();

// While one exists, its thread counts among those at work, of which there should be no more than a job's limit: of two
// programs that run side by side on four cores, each gets one worker for its jobs. Within another it counts nothing.
class AtWork {
 public:
  AtWork();
  ~AtWork();
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;
};

using RangeFunction = void (*)(void* context, int64_t begin, int64_t end);

// Calls run(context, begin, end) over disjoint ranges that cover [0, count), on up to thread_limit() threads and so
// that no range is shorter than `grain` (unless there is only one). A thread that is done with one range takes the next
// that is left, so there are a few for each thread where the grain allows it. The ranges depend on count, grain and
// limit alone; who runs them does not. A job inside a job runs on its own thread. What `run` throws on any thread is
// thrown to the caller once all ranges have ended.
void parallel_ranges(int64_t count, int64_t grain, RangeFunction run, void* context);

// The same for a callable (begin, end).
template <class F>
void parallel_for(int64_t count, int64_t grain, F&& body) {
  using Body = std::remove_reference_t<F>;
  if (count <= 0) return;
  if (count <= grain) return body(int64_t{0}, count);
  parallel_ranges(
      count, grain, [](void* context, int64_t begin, int64_t end) { (*static_cast<Body*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace thalweg
