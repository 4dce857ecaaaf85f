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

Waiting& waiting() {
  static Waiting* const instance = new Waiting;
  return *instance;
}

void serve(void*) {
  Waiting& w = waiting();
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

}  // namespace

void run_aside(void (*body)(void*), void* context) {
  Waiting& w = waiting();
  {
    const std::lock_guard<std::mutex> lock(w.mutex);
    // Each task that waits has a thread that is about to take it.
    if (w.idle <= w.tasks.size()) start_thread(serve, nullptr);
    w.tasks.push_back({body, context});
    w.count = w.tasks.size();
  }
  w.has_task.notify_one();
}

}  // namespace thalweg
