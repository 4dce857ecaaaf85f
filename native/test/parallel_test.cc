// The thread pool: ranges cover everything once, whoever calls and however many call at once.
#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <set>
#include <thread>
#include <vector>

#include "check.h"
#include "random.h"

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

int main() { return run_tests(); }
