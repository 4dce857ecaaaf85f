#include "aside.h"

#include <condition_variable>
#include <deque>
#include <mutex>

#include "system.h"

namespace thalweg {
namespace {

struct Task {
  void (*body)(void*);
  void* context;
};

// Never destroyed: its threads outlive everything.
struct Waiting {
  std::mutex mutex;
  std::condition_variable has_task;
  std::deque<Task> tasks;
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
      std::unique_lock<std::mutex> lock(w.mutex);
      w.idle++;
      w.has_task.wait(lock, [&] { return !w.tasks.empty(); });
      w.idle--;
      task = w.tasks.front();
      w.tasks.pop_front();
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
  }
  w.has_task.notify_one();
}

}  // namespace thalweg
