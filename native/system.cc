#include "system.h"

#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>

#if !defined(_WIN32)
#include <pthread.h>
#include <signal.h>
#endif
#if defined(__linux__)
#include <sched.h>
#elif defined(__APPLE__)
#include <sys/resource.h>
#elif defined(_WIN32)
#define NOMINMAX
#include <windows.h>
#endif

namespace thalweg {
namespace {

#if defined(__linux__)
std::string read_file(const std::string& path) {
  std::string text;
  if (std::FILE* file = std::fopen(path.c_str(), "re")) {
    char part[512];
    for (size_t n; (n = std::fread(part, 1, sizeof part, file)) > 0;) text.append(part, n);
    std::fclose(file);
  }
  return text;
}

// The line of /proc/self/cgroup that starts so, without the start and the line's end; false where there is none.
bool cgroup_path(const std::string& groups, const std::string& start, std::string* path) {
  for (size_t at = 0; at < groups.size();) {
    const size_t end = groups.find('\n', at) == std::string::npos ? groups.size() : groups.find('\n', at);
    const std::string line = groups.substr(at, end - at);
    const size_t found = line.find(start);
    if (found != std::string::npos) {
      *path = line.substr(found + start.size());
      return true;
    }
    at = end + 1;
  }
  return false;
}

// The smallest quota of the process's control group and those around it; 0 where there is none.
double smallest_quota() {
  const std::string groups = read_file("/proc/self/cgroup");
  double smallest = 0;
  const auto limit_to = [&](double quota) {
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
  };
  // A group of version 2 is "0::/path", one of version 1 "4:cpu,cpuacct:/path". A container sees its own group at the
  // root, whatever path it is told.
  std::string path;
  if (cgroup_path(groups, "0::", &path)) {
    for (;; path.resize(path.rfind('/'))) {
      limit_to(cpu_quota(read_file("/sys/fs/cgroup" + path + "/cpu.max")));
      if (path.rfind('/') == std::string::npos) break;
    }
  }
  if (cgroup_path(groups, "cpu,cpuacct:", &path)) {
    for (;; path.resize(path.rfind('/'))) {
      const std::string folder = "/sys/fs/cgroup/cpu,cpuacct" + path;
      limit_to(cpu_quota(read_file(folder + "/cpu.cfs_quota_us") + " " + read_file(folder + "/cpu.cfs_period_us")));
      if (path.rfind('/') == std::string::npos) break;
    }
  }
  return smallest;
}

// Logical processors in the affinity mask of the calling thread; 0 where that cannot be said.
int affinity() {
  // The mask of a machine with more than 1024 processors does not fit the fixed type.
  for (int most = 1024; most <= 1 << 16; most *= 4) {
    cpu_set_t* const set = CPU_ALLOC(most);
    if (set == nullptr) return 0;
    const size_t size = CPU_ALLOC_SIZE(most);
    const bool known = sched_getaffinity(0, size, set) == 0;
    const int count = known ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (known) return count;
  }
  return 0;
}
#endif

}  // namespace

double cpu_quota(const std::string& cpu_max) {
  char* end = nullptr;
  const double quota = std::strtod(cpu_max.c_str(), &end);
  if (end == cpu_max.c_str()) return 0;  // "max 100000", or nothing
  const double period = std::strtod(end, nullptr);
  return quota > 0 && period > 0 ? quota / period : 0;
}

int usable_cores() {
  int cores = static_cast<int>(std::thread::hardware_concurrency());
#if defined(__linux__)
  if (const int allowed = affinity()) cores = allowed;
  const double quota = smallest_quota();
  if (quota > 0 && quota < cores) cores = static_cast<int>(quota);
#endif
  return cores < 1 ? 1 : cores;
}

#if defined(_WIN32)
void start_thread(void (*body)(void*), void* context) { std::thread(body, context).detach(); }
#else
namespace {

struct Start {
  void (*body)(void*);
  void* context;
};

void* run_thread(void* memory) {
  const Start start = *static_cast<Start*>(memory);
  delete static_cast<Start*>(memory);
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "thalweg");
#elif defined(__APPLE__)
  pthread_setname_np("thalweg");
#endif
  start.body(start.context);
  return nullptr;
}

}  // namespace

void start_thread(void (*body)(void*), void* context) {
  constexpr size_t kStack = size_t{2} << 20;
  Start* const start = new Start{body, context};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // A thread inherits the mask of the one that makes it: a signal for the process goes to a thread of its own.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, run_thread, start);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error == 0) return;
  delete start;
  throw std::system_error(error, std::generic_category());
}
#endif

void yield_to_others() {
#if defined(__linux__)
  // A nice value would leave the threads that become ready waiting for the end of a time slice.
  const sched_param parameters{};
  pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameters);
#elif defined(__APPLE__)
  setpriority(PRIO_DARWIN_THREAD, 0, PRIO_DARWIN_BG);
#elif defined(_WIN32)
  SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_IDLE);
#endif
}

}  // namespace thalweg
