// Threads that run whole programs while the thread that asked goes on: not the workers of parallel.h, whose help such a
// program asks for like any other.
#pragma once

namespace thalweg {

// Calls body(context) on another thread, at once if one can be had: a thread that is idle, or a new one. One that yields
// runs only where a core would be idle otherwise. Throws std::system_error where the system has none to give.
void run_aside(void (*body)(void* context), void* context, bool yields);

}  // namespace thalweg
