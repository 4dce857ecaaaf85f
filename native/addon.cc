// The Node-API side: takes buffers and programs from JavaScript and runs them. Knows no kernel by name, and does not
// change when one is added. Whatever its arguments are, it throws an Error with a `code` and never crashes.
// Prepared programs are in compiled.cc, their runs in the background in background.cc.
#include <cstring>
#include <new>

#include "environment.h"
#include "parallel.h"

namespace thalweg {
namespace {

constexpr int kMaxThreads = 256;
// Buffers of a `run` for which there is space on the stack.
constexpr size_t kFewBuffers = 32;

// ---- run(words, count, ...buffers)

napi_value run(napi_env env, napi_callback_info info, Environment* environment) {
  napi_value few_arguments[2 + kFewBuffers];
  Buffer few_buffers[kFewBuffers];
  napi_value* arguments = few_arguments;
  Buffer* buffers = few_buffers;
  std::vector<napi_value> many_arguments;
  size_t count = 2 + kFewBuffers;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  if (count > 2 + kFewBuffers) {
    many_arguments.resize(count);
    arguments = many_arguments.data();
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
    environment->buffers.resize(count);
    buffers = environment->buffers.data();
  }
  Buffer words;
  if (!read_words(env, "run", arguments[0], arguments[1], &words)) return nullptr;
  const size_t buffer_count = count < 2 ? 0 : count - 2;
  for (size_t i = 0; i < buffer_count; i++) {
    if (!read_buffer(env, arguments[2 + i], &buffers[i])) return fail_buffer(env, "run", i);
  }
  Program& program = environment->program;
  Outcome outcome = program.load(static_cast<const double*>(words.data), words.length, buffers,
                                 static_cast<int>(buffer_count));
  if (outcome.ok()) {
    set_thread_limit(environment->threads);
    outcome = program.run(*environment->level, buffers);
  }
  return outcome.ok() ? nullptr : fail(env, outcome);
}

// ---- lineOffset(array)

// Where in a cache line of 64 bytes the array's first element stands. JavaScript, which allocates the arrays, does not
// know addresses, and vectors of 64 bytes are slower where each takes part of two lines.
napi_value line_offset(napi_env env, napi_callback_info info, Environment*) {
  napi_value array, result = nullptr;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &array, nullptr, nullptr);
  Buffer buffer;
  if (!read_buffer(env, array, &buffer)) return fail_buffer(env, "lineOffset", 0);
  napi_create_uint32(env, static_cast<uint32_t>(reinterpret_cast<uintptr_t>(buffer.data) % 64), &result);
  return result;
}

// ---- info(), configure({ isa, threads, yields })

napi_value string_value(napi_env env, const std::string& text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text.c_str(), text.size(), &value);
  return value;
}

std::vector<std::string> level_names() {
  std::vector<std::string> names;
  for (const Level* const* level = supported_levels(); *level != nullptr; level++) names.push_back((*level)->name);
  return names;
}

napi_value string_array(napi_env env, const std::vector<std::string>& texts) {
  napi_value array = nullptr;
  napi_create_array_with_length(env, texts.size(), &array);
  for (size_t i = 0; i < texts.size(); i++) {
    napi_set_element(env, array, static_cast<uint32_t>(i), string_value(env, texts[i]));
  }
  return array;
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#elif defined(_MSC_VER)
  return "msvc " + std::to_string(_MSC_VER);
#else
  return "unknown";
#endif
}

napi_value info(napi_env env, napi_callback_info, Environment*) {
  std::vector<std::string> kernels;
  for (const KernelSpec& spec : kernel_table()) kernels.push_back(table_line(spec));
  napi_value result = nullptr, version = nullptr;
  napi_create_object(env, &result);
  napi_create_uint32(env, table_version(), &version);
  napi_set_named_property(env, result, "version", version);
  napi_set_named_property(env, result, "kernels", string_array(env, kernels));
  napi_set_named_property(env, result, "levels", string_array(env, level_names()));
  napi_set_named_property(env, result, "compiler", string_value(env, compiler()));
  return result;
}

// An option's value; null where it is undefined or absent.
napi_value option(napi_env env, napi_value options, const char* name) {
  napi_value value = nullptr;
  napi_valuetype type = napi_undefined;
  if (napi_get_named_property(env, options, name, &value) != napi_ok || napi_typeof(env, value, &type) != napi_ok) {
    return nullptr;
  }
  return type == napi_undefined ? nullptr : value;
}

// The level that an option asks for; null once an error is thrown.
const Level* read_level(napi_env env, napi_value value) {
  char name[32] = "";
  size_t length = 0;
  const bool is_text = napi_get_value_string_utf8(env, value, name, sizeof name, &length) == napi_ok;
  if (!is_text) return fail(env, kArgumentError, "configure: isa must be a string"), nullptr;
  const Level* level = find_level(name);
  if (level != nullptr) return level;
  std::string supported;
  for (const std::string& text : level_names()) supported += (supported.empty() ? "" : ", ") + text;
  fail(env, kBackendError,
       "configure: level \"" + std::string(name) + "\" does not run here; use one of " + supported);
  return nullptr;
}

// The number of threads that an option asks for; 0 once an error is thrown.
int read_threads(napi_env env, napi_value value) {
  double threads = 0;
  if (napi_get_value_double(env, value, &threads) == napi_ok && threads >= 1 && threads <= kMaxThreads &&
      threads == static_cast<int>(threads)) {
    return static_cast<int>(threads);
  }
  fail(env, kArgumentError, "configure: threads must be an integer from 1 to " + std::to_string(kMaxThreads));
  return 0;
}

napi_value configure(napi_env env, napi_callback_info info, Environment* environment) {
  napi_value options;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &options, nullptr, nullptr);
  napi_valuetype type;
  if (napi_typeof(env, options, &type) != napi_ok || type != napi_object) {
    return fail(env, kArgumentError, "configure: the argument must be an object of options");
  }
  const napi_value isa = option(env, options, "isa"), threads_option = option(env, options, "threads");
  const napi_value yields_option = option(env, options, "yields");
  bool is_pending = false;
  if (napi_is_exception_pending(env, &is_pending) != napi_ok || is_pending) return nullptr;  // a getter has thrown
  const Level* level = isa == nullptr ? environment->level : read_level(env, isa);
  if (level == nullptr) return nullptr;
  const int threads = threads_option == nullptr ? environment->threads : read_threads(env, threads_option);
  if (threads == 0) return nullptr;
  bool yields = environment->yields;
  if (yields_option != nullptr && napi_get_value_bool(env, yields_option, &yields) != napi_ok) {
    return fail(env, kArgumentError, "configure: yields must be true or false");
  }
  environment->level = level;
  environment->threads = threads;
  environment->yields = yields;
  napi_value result = nullptr, threads_value = nullptr;
  napi_create_object(env, &result);
  napi_create_int32(env, threads, &threads_value);
  napi_set_named_property(env, result, "isa", string_value(env, level->name));
  napi_set_named_property(env, result, "threads", threads_value);
  return result;
}

// ---- the module

using Function = napi_value (*)(napi_env, napi_callback_info, Environment*);

// The callback that Node sees. C++ exceptions must not pass through it; the only ones are for want of memory.
template <Function function>
napi_value callback(napi_env env, napi_callback_info info) {
  try {
    void* environment = nullptr;
    napi_get_instance_data(env, &environment);
    return function(env, info, static_cast<Environment*>(environment));
  } catch (const std::bad_alloc&) {
    return fail(env, kProgramError, "program: there is not enough memory to run it");
  }
}

}  // namespace

napi_value initialize(napi_env env, napi_value exports) {
  Environment* environment = new Environment;
  napi_set_instance_data(
      env, environment, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr);
  if (!prepare_runs(env, environment)) return nullptr;
  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {{"info", callback<info>},       {"configure", callback<configure>}, {"run", callback<run>},
                   {"create", callback<create>},   {"execute", callback<execute>},     {"start", callback<start>},
                   {"lineOffset", callback<line_offset>}};
  for (const auto& entry : functions) {
    napi_value function = nullptr;
    if (napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, nullptr, &function) != napi_ok ||
        napi_set_named_property(env, exports, entry.name, function) != napi_ok) {
      return nullptr;
    }
  }
  return exports;
}

}  // namespace thalweg

NAPI_MODULE_INIT() { return thalweg::initialize(env, exports); }
