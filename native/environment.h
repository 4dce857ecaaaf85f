// What the parts of the addon share: the state of one environment (the main thread's, a worker's), and reading and
// throwing across Node-API. Knows no kernel and no program.
#pragma once

#define NAPI_VERSION 8
#include <node_api.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "program.h"

namespace thalweg {

constexpr const char* kArgumentError = "ERR_ARGUMENT";
constexpr const char* kBackendError = "ERR_BACKEND";
constexpr const char* kIndexError = "ERR_INDEX";
constexpr const char* kProgramError = "ERR_PROGRAM";

struct Run;

// All state belongs to one environment; only the thread pool is shared.
struct Environment {
  const Level* level;
  int threads;
  bool yields = false;          // whether runs in the background take only cores that would be idle
  Program program;              // of the `run` in progress
  std::vector<Buffer> buffers;  // of the `execute`, or the `run` with many buffers, in progress

  // Runs away from JavaScript's thread (background.cc); `mutex` guards `runs`.
  std::mutex mutex;
  std::condition_variable has_ended;
  std::vector<Run*> runs;
  napi_threadsafe_function deliver = nullptr;
  int pending = 0;  // runs that were not delivered yet; only JavaScript's thread looks at it

  Environment();
};

// Throws an Error with a code; for the caller to return.
napi_value fail(napi_env env, const char* code, const std::string& message);
napi_value fail(napi_env env, const Outcome& outcome);
// The Error itself, not thrown; null where even that fails.
napi_value error_of(napi_env env, const char* code, const std::string& message);
napi_value error_of(napi_env env, const Outcome& outcome);

// False where the value is no typed array of a storage type. A detached buffer has length 0.
bool read_buffer(napi_env env, napi_value value, Buffer* buffer);
napi_value fail_buffer(napi_env env, const char* function, size_t i);

// Reads the words and their count, the first two arguments of `run` and `create`; false once an error is thrown.
bool read_words(napi_env env, const char* function, napi_value words, napi_value count, Buffer* buffer);

// compiled.cc: prepared programs.
napi_value create(napi_env env, napi_callback_info info, Environment* environment);
napi_value execute(napi_env env, napi_callback_info info, Environment* environment);

// background.cc: their runs away from JavaScript's thread.
napi_value start(napi_env env, napi_callback_info info, Environment* environment);
// To be called once for each environment; false once an error is thrown.
bool prepare_runs(napi_env env, Environment* environment);

}  // namespace thalweg
