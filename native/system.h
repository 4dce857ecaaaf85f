// What the thread pool needs of the operating system: how many cores this process may use, and threads made for
// calculating.
#pragma once

#include <string>

namespace thalweg {

// Cores that this process may use (at least 1): those that its affinity allows, and on Linux no more than the quota of
// its control group, of which a fraction is not counted: a group that uses more than its quota is stopped for the
// rest of the period, all its threads at once.
int usable_cores();

// Cores' worth of time that a control group's `cpu.max` allows ("200000 100000" is 2); 0 where there is no limit.
double cpu_quota(const std::string& cpu_max);

// Starts a thread that is never joined: it receives no signals, has a stack of 2 MiB whatever the C library's default
// (128 KiB in musl), and a name that debuggers show. Throws std::system_error where the system has none to give.
void start_thread(void (*body)(void* context), void* context);

// From here on the calling thread runs only where a core would be idle otherwise: any other thread that becomes ready
// takes its core at once. It may not be allowed to go back.
void yield_to_others();

}  // namespace thalweg
