// Prepared programs, and reading what runs of them are given: what running one on JavaScript's thread (compiled.cc) and
// in the background (background.cc) have in common.
#pragma once

#include "environment.h"

namespace thalweg {

// Memory that JavaScript gave: an ArrayBuffer, or a typed array over a SharedArrayBuffer, of which Node-API tells less.
struct Memory {
  napi_ref reference;
  bool is_shared;
  char* data;  // as of the last look
  size_t bytes;
};

// A typed array that a program is bound to: elements from `offset` bytes of a memory on.
struct Bound {
  size_t memory, offset;
  Storage storage;
  int64_t length;
};

// What is behind a handle from `create`. The handle itself, a JavaScript object, keeps the memories alive: a garbage
// collector that may free both can do so at once, while finalizers wait for the event loop, which a long loop of
// synchronous steps never reaches. References to the memories are weak, and each run looks at them anew, since they may
// have been detached or resized. (At memories and not at typed arrays: one lookup serves the many arrays that share a
// buffer, and costs a third.)
struct Compiled {
  const Environment* environment;
  Program program;
  std::vector<Memory> memories;
  std::vector<Bound> bound;
  std::vector<int> rebound;      // slots whose buffers each run gives
  std::vector<int64_t> patched;  // words whose values each step gives
  bool is_running = false;       // aside; only JavaScript's thread looks at it
};

// Steps of one program on the same buffers; a rebound buffer may move on from step to step, as the scalars do.
struct Segment {
  Compiled* compiled;
  int64_t steps;
  std::vector<Buffer> buffers;
  std::vector<int64_t> strides;  // by rebound slot, in bytes
  const double* scalars;         // steps × patched

  Outcome run_step(const Level& level, int64_t step) {
    const std::vector<int64_t>& patched = compiled->patched;
    const double* const values = scalars + step * static_cast<int64_t>(patched.size());
    for (size_t i = 0; i < patched.size(); i++) compiled->program.set_scalar(patched[i], values[i]);
    Outcome outcome = compiled->program.run(level, buffers.data());
    for (size_t i = 0; i < strides.size(); i++) {
      Buffer& buffer = buffers[static_cast<size_t>(compiled->rebound[i])];
      buffer.data = static_cast<char*>(buffer.data) + strides[i];
    }
    return outcome;
  }
};

// Takes references to all elements of an array. Getters of a strange array may run JavaScript here, so nothing is
// looked at before all of them have.
bool hold_buffers(napi_env env, const char* function, napi_value array, std::vector<napi_ref>* references);

// The buffer behind reference i; false once an error is thrown.
bool read_reference(napi_env env, const char* function, napi_ref reference, size_t i, Buffer* buffer);

// All buffers that a program is bound to, as they are now; false once an error is thrown.
bool read_bound(napi_env env, Compiled* compiled, std::vector<Buffer>* buffers);

// The compiled program of an argument, ready to run, or null once an error is thrown.
Compiled* read_handle(napi_env env, const char* function, napi_value handle, const Environment* environment);

// The scalars of `steps` steps; false once an error is thrown.
bool read_scalars(napi_env env, const char* function, napi_value value, const Compiled& compiled, int64_t steps,
                  const double** scalars);

}  // namespace thalweg
