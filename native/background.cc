// Runs of prepared programs in the background: one step or many, on a thread beside the pool (aside.h), watched and
// stopped by a word that JavaScript shares.
#include <algorithm>
#include <atomic>
#include <memory>
#include <new>
#include <system_error>

#include "aside.h"
#include "compiled.h"
#include "parallel.h"

namespace thalweg {
namespace {

constexpr int kProgress = 0;  // words of `control`: steps that are done, and
constexpr int kStop = 1;      // whether to stop before the next one

}  // namespace

// Segments that run one after the other on another thread.
struct Run {
  Environment* environment = nullptr;
  const Level* level = nullptr;
  int threads = 1;
  std::vector<Segment> segments;
  std::atomic<int32_t>* control = nullptr;
  std::atomic<bool> is_cancelled{false};
  napi_ref callback = nullptr;
  std::vector<napi_ref> held;
  int64_t completed = 0;
  Outcome outcome;

  bool should_stop() const {
    return is_cancelled.load(std::memory_order_relaxed) || control[kStop].load(std::memory_order_relaxed) != 0;
  }

  void run() {
    set_thread_limit(threads);
    for (Segment& segment : segments) {
      for (int64_t step = 0; step < segment.steps; step++) {
        if (should_stop()) return;
        outcome = segment.run_step(*level, step);
        if (!outcome.ok()) return;
        completed++;
        control[kProgress].store(static_cast<int32_t>(completed), std::memory_order_release);
      }
    }
  }
};

namespace {

void run_and_deliver(void* context) {
  Run* const run = static_cast<Run*>(context);
  Environment* const environment = run->environment;
  try {
    run->run();
  } catch (const std::bad_alloc&) {
    run->outcome = {Outcome::Kind::BadProgram, "program: there is not enough memory to run it"};
  }
  // Under the lock, so that the environment is there until the last line.
  const std::lock_guard<std::mutex> lock(environment->mutex);
  std::vector<Run*>& runs = environment->runs;
  runs.erase(std::find(runs.begin(), runs.end(), run));
  if (napi_call_threadsafe_function(environment->deliver, run, napi_tsfn_nonblocking) != napi_ok) delete run;
  environment->has_ended.notify_all();
}

// On JavaScript's thread: hands the outcome over. `env` is null where the environment is being torn down.
void deliver(napi_env env, napi_value, void* context, void* data) {
  const std::unique_ptr<Run> run(static_cast<Run*>(data));
  Environment* const environment = static_cast<Environment*>(context);
  if (env == nullptr) return;
  for (Segment& segment : run->segments) segment.compiled->is_running = false;
  for (napi_ref reference : run->held) napi_delete_reference(env, reference);
  napi_value callback, undefined, arguments[2];
  napi_get_reference_value(env, run->callback, &callback);
  napi_delete_reference(env, run->callback);
  napi_get_undefined(env, &undefined);
  arguments[0] = run->outcome.ok() ? undefined : error_of(env, run->outcome);
  napi_create_int64(env, run->completed, &arguments[1]);
  if (--environment->pending == 0) napi_unref_threadsafe_function(env, environment->deliver);
  if (callback == nullptr || napi_call_function(env, undefined, callback, 2, arguments, nullptr) == napi_ok) return;
  // What the callback throws is nobody's to catch; left pending, Node would print a warning and forget it.
  napi_value thrown;
  if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) napi_fatal_exception(env, thrown);
}

// Before an environment goes (a worker that is terminated, a process that exits), its runs end with the step they are at.
void end_runs(void* context) {
  Environment* const environment = static_cast<Environment*>(context);
  std::unique_lock<std::mutex> lock(environment->mutex);
  for (Run* run : environment->runs) run->is_cancelled = true;
  environment->has_ended.wait(lock, [&] { return environment->runs.empty(); });
}

struct RunDeleter {
  napi_env env;
  void operator()(Run* run) const {
    for (napi_ref reference : run->held) napi_delete_reference(env, reference);
    if (run->callback != nullptr) napi_delete_reference(env, run->callback);
    delete run;
  }
};

bool is_function(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_function;
}

bool hold(napi_env env, napi_value value, Run* run) {
  napi_ref reference;
  if (napi_create_reference(env, value, 1, &reference) != napi_ok) return false;
  run->held.push_back(reference);
  return true;
}

// The arguments of one segment: handle, steps, scalars, buffers, strides. `references` are held to its buffers; no
// JavaScript runs here, so that what is read stays true.
bool read_segment(napi_env env, const napi_value* arguments, const std::vector<napi_ref>& references,
                  Environment* environment, Run* run) {
  Compiled* const compiled = read_handle(env, "start", arguments[0], environment);
  if (compiled == nullptr) return false;
  double steps = 0;
  if (napi_get_value_double(env, arguments[1], &steps) != napi_ok || !(steps >= 0 && steps <= 2147483647) ||
      steps != static_cast<double>(static_cast<int64_t>(steps))) {
    return fail(env, kArgumentError, "start: steps must be an integer from 0 to 2^31 - 1"), false;
  }
  Segment segment{compiled, static_cast<int64_t>(steps), {}, {}, nullptr};
  if (!read_scalars(env, "start", arguments[2], *compiled, segment.steps, &segment.scalars) ||
      !read_bound(env, compiled, &segment.buffers)) {
    return false;
  }
  Buffer strides;
  const size_t count = compiled->rebound.size();
  if (references.size() != count || !read_buffer(env, arguments[4], &strides) || strides.storage != Storage::F64 ||
      strides.length < static_cast<int64_t>(count)) {
    return fail(env, kArgumentError, "start: needs " + std::to_string(count) + " buffers, and as many strides in a "
                                         "Float64Array"), false;
  }
  for (size_t i = 0; i < count; i++) {
    Buffer& buffer = segment.buffers[static_cast<size_t>(compiled->rebound[i])];
    if (!read_reference(env, "start", references[i], i, &buffer)) return false;
    const double stride = static_cast<const double*>(strides.data)[i];
    const int64_t touched = compiled->program.touched(compiled->rebound[i]);
    const double reach = static_cast<double>(touched) + stride * (steps > 0 ? steps - 1 : 0);
    // The range comes first: a number beyond int64 may not be cast to it.
    if (!(stride >= 0 && stride <= static_cast<double>(buffer.length)) ||
        stride != static_cast<double>(static_cast<int64_t>(stride)) || reach > static_cast<double>(buffer.length)) {
      return fail(env, kArgumentError, "start: buffer " + std::to_string(i) + " has " + std::to_string(buffer.length) +
                                           " elements; " + std::to_string(segment.steps) + " steps of " +
                                           std::to_string(stride) + " reach beyond it"), false;
    }
    segment.strides.push_back(static_cast<int64_t>(stride) * storage_bytes(buffer.storage));
  }
  const Outcome outcome =
      compiled->program.check(segment.buffers.data(), static_cast<int>(segment.buffers.size()));
  if (!outcome.ok()) return fail(env, outcome), false;
  if (!hold(env, arguments[0], run) || (segment.scalars != nullptr && !hold(env, arguments[2], run))) return false;
  run->segments.push_back(std::move(segment));
  return true;
}

}  // namespace

// ---- start(callback, control, handle, steps, scalars, buffers, strides, …)

// Runs segments aside, as many as follow. `control` is an Int32Array: the steps done so far, and, once it is not 0,
// that the run should stop before its next step. callback(error or undefined, steps done) is called at the end.
napi_value start(napi_env env, napi_callback_info info, Environment* environment) {
  constexpr size_t kFixed = 2, kPerSegment = 5;
  size_t count = 0;
  napi_get_cb_info(env, info, &count, nullptr, nullptr, nullptr);
  std::vector<napi_value> arguments(std::max(count, kFixed));
  size_t capacity = arguments.size();
  napi_get_cb_info(env, info, &capacity, arguments.data(), nullptr, nullptr);
  if (!is_function(env, arguments[0])) return fail(env, kArgumentError, "start: callback must be a function");
  if (count <= kFixed || (count - kFixed) % kPerSegment != 0) {
    return fail(env, kArgumentError, "start: needs handle, steps, scalars, buffers and strides for each segment");
  }
  std::unique_ptr<Run, RunDeleter> run(new Run, {env});
  run->environment = environment;
  run->level = environment->level;
  run->threads = environment->threads;
  // Getters of strange arrays may run JavaScript, which could detach buffers: all of them first.
  std::vector<std::vector<napi_ref>> references;
  for (size_t i = kFixed; i < count; i += kPerSegment) {
    std::vector<napi_ref> held;
    const bool are_held = hold_buffers(env, "start", arguments[i + 3], &held);
    run->held.insert(run->held.end(), held.begin(), held.end());
    if (!are_held) return nullptr;
    references.push_back(std::move(held));
  }
  for (size_t i = 0; i < references.size(); i++) {
    if (!read_segment(env, &arguments[kFixed + i * kPerSegment], references[i], environment, run.get())) {
      return nullptr;
    }
  }
  for (const Segment& segment : run->segments) {
    for (const Segment& other : run->segments) {
      if (&other != &segment && other.compiled == segment.compiled) {
        return fail(env, kArgumentError, "start: a program may occur once");
      }
    }
  }
  Buffer control;
  if (!read_buffer(env, arguments[1], &control) || control.storage != Storage::I32 || control.length < 2) {
    return fail(env, kArgumentError, "start: control must be an Int32Array of two");
  }
  static_assert(sizeof(std::atomic<int32_t>) == sizeof(int32_t), "an element of control is an atomic");
  run->control = static_cast<std::atomic<int32_t>*>(control.data);
  if (!hold(env, arguments[1], run.get()) ||
      napi_create_reference(env, arguments[0], 1, &run->callback) != napi_ok) {
    return nullptr;
  }
  {
    const std::lock_guard<std::mutex> lock(environment->mutex);
    environment->runs.push_back(run.get());
  }
  try {
    run_aside(run_and_deliver, run.get(), environment->yields);
  } catch (const std::system_error&) {
    const std::lock_guard<std::mutex> lock(environment->mutex);
    environment->runs.pop_back();
    return fail(env, kBackendError, "start: the system has no thread to give");
  }
  // Neither may throw now: the run goes on.
  for (Segment& segment : run->segments) segment.compiled->is_running = true;
  run.release();
  // While one is under way, the process waits for it.
  if (environment->pending++ == 0) napi_ref_threadsafe_function(env, environment->deliver);
  return nullptr;
}

bool prepare_runs(napi_env env, Environment* environment) {
  napi_value name;
  return napi_create_string_utf8(env, "thalweg", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, environment, deliver,
                                         &environment->deliver) == napi_ok &&
         napi_unref_threadsafe_function(env, environment->deliver) == napi_ok &&
         // After the function, since hooks run in the reverse order: it must outlive the runs.
         napi_add_env_cleanup_hook(env, end_runs, environment) == napi_ok;
}

}  // namespace thalweg
