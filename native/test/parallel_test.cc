// The thread pool: ranges cover everything once, whoever calls and however many call at once.
#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <mutex>
#include <new>
#include <set>
#include <thread>
#include <vector>

#include "check.h"
#include "random.h"
#include "system.h"

#if defined(__linux__)
#include <sched.h>
#endif
#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace thalweg;

namespace {

// Runs a job that counts its visits; true if each of [0, count) was visited exactly once.
bool covers_once(int64_t count, int64_t grain) {
  std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
  for (auto& visit : visits) visit = 0;
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) visits[static_cast<size_t>(i)]++;
  });
  for (const auto& visit : visits) {
    if (visit != 1) return false;
  }
  return true;
}

}  // namespace

TEST(ranges_cover_everything_once) {
  for (const int threads : {1, 2, 3, 4, 7, 8}) {
    set_thread_limit(threads);
    for (const int64_t count : {0, 1, 2, 7, 8, 9, 100, 1001, 4096}) {
      for (const int64_t grain : {0, 1, 3, 64, 5000}) CHECK(covers_once(count, grain));
    }
  }
}

TEST(no_range_is_shorter_than_the_grain) {
  set_thread_limit(8);
  std::mutex mutex;
  std::vector<int64_t> lengths;
  parallel_for(1000, 300, [&](int64_t begin, int64_t end) {
    std::lock_guard<std::mutex> lock(mutex);
    lengths.push_back(end - begin);
  });
  CHECK_EQ(lengths.size(), size_t{3});
  for (const int64_t length : lengths) CHECK(length >= 300);
}

TEST(the_limit_holds) {
  for (const int threads : {1, 2, 3, 8}) {
    set_thread_limit(threads);
    std::mutex mutex;
    size_t most = 0;
    for (int repeat = 0; repeat < 50; repeat++) {
      std::set<std::thread::id> ids;
      parallel_for(64, 1, [&](int64_t, int64_t) {
        // Long enough for the others to wake and take their share.
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        std::lock_guard<std::mutex> lock(mutex);
        ids.insert(std::this_thread::get_id());
      });
      CHECK(ids.size() <= static_cast<size_t>(threads));
      most = std::max(most, ids.size());
    }
    CHECK_EQ(most, static_cast<size_t>(threads));
  }
}

TEST(limits_are_clamped) {
  set_thread_limit(-3);
  CHECK_EQ(thread_limit(), 1);
  set_thread_limit(1 << 20);
  CHECK_EQ(thread_limit(), 256);
  CHECK(hardware_threads() >= 1);
}

TEST(the_limit_belongs_to_the_calling_thread) {
  set_thread_limit(5);
  int other = 0;
  std::thread([&] { other = thread_limit(); }).join();
  CHECK_EQ(other, 1);
  CHECK_EQ(thread_limit(), 5);
}

TEST(a_job_inside_a_job_stays_on_its_thread) {
  set_thread_limit(4);
  std::atomic<int> strays{0}, visits{0};
  parallel_for(8, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const std::thread::id outer = std::this_thread::get_id();
      parallel_for(16, 1, [&](int64_t b, int64_t e) {
        visits += static_cast<int>(e - b);
        if (std::this_thread::get_id() != outer) strays++;
      });
    }
  });
  CHECK_EQ(strays.load(), 0);
  CHECK_EQ(visits.load(), 8 * 16);
  CHECK_EQ(thread_limit(), 4);
}

TEST(what_a_range_throws_reaches_the_caller) {
  set_thread_limit(4);
  for (const int64_t thrower : {0, 25, 99}) {
    std::atomic<int> visits{0};
    bool caught = false;
    try {
      parallel_for(100, 25, [&](int64_t begin, int64_t end) {
        visits += static_cast<int>(end - begin);
        if (begin <= thrower && thrower < end) throw std::bad_alloc();
      });
    } catch (const std::bad_alloc&) {
      caught = true;
    }
    CHECK(caught);
    CHECK_EQ(visits.load(), 100);
    CHECK_EQ(thread_limit(), 4);
    CHECK(covers_once(100, 1));
  }
}

TEST(callers_at_once) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; caller++) {
    callers.emplace_back([&, caller] {
      Random random(static_cast<uint64_t>(caller));
      for (int repeat = 0; repeat < 300; repeat++) {
        set_thread_limit(static_cast<int>(random.integer(1, 6)));
        if (!covers_once(random.integer(0, 300), random.integer(1, 20))) wrong++;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_EQ(wrong.load(), 0);
}

TEST(workers_wake_after_a_pause) {
  set_thread_limit(3);
  for (int repeat = 0; repeat < 20; repeat++) {
    CHECK(covers_once(90, 1));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

namespace {

void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// Counts threads that are inside, and the most there ever were.
struct Census {
  std::atomic<int> inside{0}, most{0};

  void visit(int ms) {
    const int now = ++inside;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    sleep_ms(ms);
    inside--;
  }
};

}  // namespace

TEST(programs_at_once_share_the_workers) {
  constexpr int kCallers = 2, kLimit = 3;
  Census census;
  std::atomic<int> ready{0}, helped[kCallers] = {};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; caller++) {
    callers.emplace_back([&, caller] {
      set_thread_limit(kLimit);
      const AtWork at_work;
      for (ready++; ready < kCallers;) std::this_thread::yield();
      const std::thread::id self = std::this_thread::get_id();
      for (int job = 0; job < 40; job++) {
        parallel_for(8, 1, [&](int64_t, int64_t) {
          census.visit(1);
          if (std::this_thread::get_id() != self) helped[caller]++;
        });
      }
      for (ready++; ready < 2 * kCallers;) sleep_ms(1);  // so that neither is ever alone
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_EQ(census.most.load(), kLimit);
  for (const std::atomic<int>& ranges : helped) CHECK(ranges > 0);
}

TEST(a_worker_comes_when_another_program_ends) {
  std::atomic<bool> is_running{false};
  std::thread caller;
  std::set<std::thread::id> ids;
  {
    const AtWork at_work;
    caller = std::thread([&] {
      set_thread_limit(2);
      std::mutex mutex;
      parallel_for(8, 1, [&](int64_t, int64_t) {
        is_running = true;
        sleep_ms(20);
        std::lock_guard<std::mutex> lock(mutex);
        ids.insert(std::this_thread::get_id());
      });
    });
    while (!is_running) sleep_ms(1);
  }
  caller.join();
  CHECK_EQ(ids.size(), size_t{2});
}

TEST(idle_threads_use_no_processor) {
  set_thread_limit(4);
  CHECK(covers_once(1000, 1));
  sleep_ms(100);
  const std::clock_t before = std::clock();
  sleep_ms(1000);
  const double used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  CHECK_IN(used < 0.05, std::to_string(used) + " s");
}

TEST(more_callers_than_jobs) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 40; caller++) {
    callers.emplace_back([&] {
      set_thread_limit(3);
      for (int repeat = 0; repeat < 20; repeat++) {
        std::atomic<int> visits{0};
        parallel_for(6, 1, [&](int64_t begin, int64_t end) {
          visits += static_cast<int>(end - begin);
          std::this_thread::yield();
        });
        if (visits != 6) wrong++;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_EQ(wrong.load(), 0);
}

TEST(quotas_are_read) {
  CHECK_EQ(cpu_quota("200000 100000\n"), 2.0);
  CHECK_EQ(cpu_quota("150000\n 100000\n"), 1.5);
  CHECK_EQ(cpu_quota("max 100000\n"), 0.0);
  CHECK_EQ(cpu_quota("-1\n 100000\n"), 0.0);
  CHECK_EQ(cpu_quota("100000"), 0.0);
  CHECK_EQ(cpu_quota(""), 0.0);
}

#if defined(__linux__)
TEST(cores_are_those_that_affinity_allows) {
  int cores = 0;
  std::thread([&] {
    cpu_set_t before, one;
    CHECK_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++) {
      if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
    }
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    cores = hardware_threads();
  }).join();
  CHECK_EQ(cores, 1);
}
#endif

// qemu itself does not survive threads in a forked child of several threads, and ThreadSanitizer forbids them.
#if !defined(_WIN32) && !defined(__SANITIZE_THREAD__) && !defined(THALWEG_EMULATED)
TEST(a_forked_child_has_a_pool_of_its_own) {
  set_thread_limit(3);
  CHECK(covers_once(90, 1));
  for (int repeat = 0; repeat < 10; repeat++) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      Census census;
      parallel_for(12, 1, [&](int64_t, int64_t) { census.visit(2); });
      bool ok = census.most == 3;
      for (int job = 0; job < 20; job++) ok = ok && covers_once(90, 1);
      _exit(ok ? 0 : 1);
    }
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(covers_once(90, 1));
  }
}

#endif

#if !defined(_WIN32) && !defined(__SANITIZE_THREAD__)
TEST(signals_go_to_the_callers_threads) {
  static std::atomic<int> on_main{0}, elsewhere{0};
  static const pthread_t main = pthread_self();
  std::signal(SIGUSR1, [](int) { (pthread_equal(pthread_self(), main) ? on_main : elsewhere)++; });
  set_thread_limit(4);
  // This thread takes no signals for a while, so that any other that does would be given them.
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  CHECK(covers_once(90, 1));
  kill(getpid(), SIGUSR1);
  sleep_ms(5);
  pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
  CHECK_EQ(elsewhere.load(), 0);
  CHECK_EQ(on_main.load(), 1);
  std::signal(SIGUSR1, SIG_DFL);
}
#endif

int main() { return run_tests(); }
