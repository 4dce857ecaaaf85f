#include "aside.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "spin.h"
#include "system.h"

namespace thalweg {
namespace {

// A thread looks for its next task so long before it sleeps: a step that is called again and again finds it awake, where
// waking it would take 20 to 50 µs.
constexpr std::chrono::microseconds kLook{50};

struct Task {
  void (*body)(void*);
  void* context;
};

// Never destroyed: its threads outlive everything.
struct Waiting {
  std::mutex mutex;
  std::condition_variable has_task;
  std::deque<Task> tasks;
  std::atomic<size_t> count{0};  // of tasks, for a look without the lock
  size_t idle = 0;
};

// Threads that yield cannot always be made normal again, so there are two sets of them.
Waiting& waiting(bool yields) {
  static Waiting* const normal = new Waiting;
  static Waiting* const yielding = new Waiting;
  return yields ? *yielding : *normal;
}

void serve(Waiting& w) {
  for (;;) {
    Task task;
    {
      const std::lock_guard<std::mutex> lock(w.mutex);
      w.idle++;
    }
    comes_true(kLook, [&] { return w.count.load(std::memory_order_acquire) > 0; });
    {
      std::unique_lock<std::mutex> lock(w.mutex);
      w.has_task.wait(lock, [&] { return !w.tasks.empty(); });
      w.idle--;
      task = w.tasks.front();
      w.tasks.pop_front();
      w.count = w.tasks.size();
    }
    task.body(task.context);
  }
}

void serve_normally(void*) { serve(waiting(false)); }

void serve_yielding(void*) {
  yield_to_others();
  serve(waiting(true));
}

}  // namespace

void run_aside(void (*body)(void*), void* context, bool yields) {
  Waiting& w = waiting(yields);
  {
    const std::lock_guard<std::mutex> lock(w.mutex);
    // Each task that waits has a thread that is about to take it.
    if (w.idle <= w.tasks.size()) start_thread(yields ? serve_yielding : serve_normally, nullptr);
    w.tasks.push_back({body, context});
    w.count = w.tasks.size();
  }
  w.has_task.notify_one();
}

}  // namespace thalweg
