// The Node-API side: takes buffers and programs from JavaScript and runs them. Knows no kernel by name, and does not
// change when one is added. Whatever its arguments are, it throws an Error with a `code` and never crashes.
// All state belongs to one environment (the main thread's, a worker's); only the thread pool is shared.
#define NAPI_VERSION 8
#include <node_api.h>

#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "parallel.h"
#include "program.h"

namespace thalweg {
namespace {

constexpr int kMaxThreads = 256;
// Buffers of a `run` for which there is space on the stack.
constexpr size_t kFewBuffers = 32;

constexpr const char* kArgumentError = "ERR_ARGUMENT";
constexpr const char* kBackendError = "ERR_BACKEND";
constexpr const char* kIndexError = "ERR_INDEX";
constexpr const char* kProgramError = "ERR_PROGRAM";

struct Environment {
  const Level* level = best_level();
  int threads = hardware_threads();
  Program program;              // of the `run` in progress
  std::vector<Buffer> buffers;  // of the `execute`, or the `run` with many buffers, in progress
};

// What a handle from `create` holds. Its references keep the buffers alive; each run looks at them anew, since they
// may have been detached or resized.
struct Compiled {
  const Environment* environment;
  Program program;
  std::vector<napi_ref> buffers;
  bool released = false;
};

constexpr napi_type_tag kCompiledTag = {0x6fb6a2d7c1e94a35, 0x9d1f4b78a3c02e61};

napi_value fail(napi_env env, const char* code, const std::string& message) {
  napi_value code_value, message_value, error;
  if (napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &code_value) == napi_ok &&
      napi_create_string_utf8(env, message.c_str(), message.size(), &message_value) == napi_ok &&
      napi_create_error(env, code_value, message_value, &error) == napi_ok) {
    napi_throw(env, error);
  }
  return nullptr;
}

napi_value fail(napi_env env, const Outcome& outcome) {
  return fail(env, outcome.kind == Outcome::Kind::BadIndex ? kIndexError : kProgramError, outcome.message);
}

bool storage_of(napi_typedarray_type type, Storage* storage) {
  switch (type) {
    case napi_float32_array: return *storage = Storage::F32, true;
    case napi_float64_array: return *storage = Storage::F64, true;
    case napi_int32_array: return *storage = Storage::I32, true;
    case napi_uint8_array: return *storage = Storage::U8, true;
    case napi_bigint64_array: return *storage = Storage::I64, true;
    default: return false;
  }
}

// False where the value is no typed array of a storage type. A detached buffer has length 0.
bool read_buffer(napi_env env, napi_value value, Buffer* buffer) {
  // Stays as it is for kinds that this version of Node-API does not know.
  napi_typedarray_type type = static_cast<napi_typedarray_type>(-1);
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
  if (!storage_of(type, &buffer->storage)) return false;
  buffer->data = data;
  buffer->length = data == nullptr ? 0 : static_cast<int64_t>(length);
  return true;
}

napi_value fail_buffer(napi_env env, const char* function, size_t i) {
  return fail(env, kArgumentError,
              std::string(function) + ": buffer " + std::to_string(i) +
                  " must be a Float32Array, Float64Array, Int32Array, Uint8Array or BigInt64Array");
}

// Reads the words and their count, the first two arguments of `run` and `create`; false once an error is thrown.
bool read_words(napi_env env, const char* function, napi_value words, napi_value count, Buffer* buffer) {
  double n = 0;
  if (!read_buffer(env, words, buffer) || buffer->storage != Storage::F64) {
    fail(env, kArgumentError, std::string(function) + ": words must be a Float64Array");
    return false;
  }
  const bool is_number = napi_get_value_double(env, count, &n) == napi_ok;
  if (is_number && n >= 0 && n <= static_cast<double>(buffer->length)) {
    const int64_t whole = static_cast<int64_t>(n);
    if (static_cast<double>(whole) == n) return buffer->length = whole, true;
  }
  fail(env, kArgumentError,
       std::string(function) + ": count must be an integer from 0 to the " + std::to_string(buffer->length) +
           " words there are" + (is_number ? ", got " + std::to_string(n) : ""));
  return false;
}

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

// ---- create(words, count, buffers), execute(handle), release(handle)

void release_buffers(napi_env env, Compiled* compiled) {
  for (napi_ref buffer : compiled->buffers) napi_delete_reference(env, buffer);
  compiled->buffers.clear();
  compiled->program = Program();
  compiled->released = true;
}

struct CompiledDeleter {
  napi_env env;
  void operator()(Compiled* compiled) const {
    release_buffers(env, compiled);
    delete compiled;
  }
};

void finalize_compiled(napi_env env, void* data, void*) { CompiledDeleter{env}(static_cast<Compiled*>(data)); }

// Takes references to all elements of an array. Getters of a strange array may run JavaScript here, so nothing is
// looked at before all of them have.
bool hold_buffers(napi_env env, napi_value array, Compiled* compiled) {
  bool is_array = false;
  uint32_t count = 0;
  if (napi_is_array(env, array, &is_array) != napi_ok || !is_array ||
      napi_get_array_length(env, array, &count) != napi_ok) {
    fail(env, kArgumentError, "create: buffers must be an array of typed arrays");
    return false;
  }
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    bool is_typed_array = false;
    napi_ref reference;
    if (napi_get_element(env, array, i, &element) != napi_ok) return false;  // the getter has thrown
    if (napi_is_typedarray(env, element, &is_typed_array) != napi_ok || !is_typed_array ||
        napi_create_reference(env, element, 1, &reference) != napi_ok) {
      fail_buffer(env, "create", i);
      return false;
    }
    compiled->buffers.push_back(reference);
  }
  return true;
}

bool read_buffers(napi_env env, const Compiled& compiled, std::vector<Buffer>* buffers) {
  buffers->resize(compiled.buffers.size());
  for (size_t i = 0; i < buffers->size(); i++) {
    napi_value value;
    if (napi_get_reference_value(env, compiled.buffers[i], &value) != napi_ok || value == nullptr ||
        !read_buffer(env, value, &(*buffers)[i])) {
      fail_buffer(env, "create", i);
      return false;
    }
  }
  return true;
}

napi_value create(napi_env env, napi_callback_info info, Environment* environment) {
  napi_value arguments[3];
  size_t count = 3;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  std::unique_ptr<Compiled, CompiledDeleter> compiled(new Compiled{environment, {}, {}}, {env});
  std::vector<Buffer> buffers;
  Buffer words;
  if (!hold_buffers(env, arguments[2], compiled.get()) || !read_buffers(env, *compiled, &buffers)) return nullptr;
  if (!read_words(env, "create", arguments[0], arguments[1], &words)) return nullptr;
  const Outcome outcome = compiled->program.load(static_cast<const double*>(words.data), words.length, buffers.data(),
                                                 static_cast<int>(buffers.size()));
  if (!outcome.ok()) return fail(env, outcome);
  napi_value handle = nullptr;
  if (napi_create_external(env, compiled.get(), finalize_compiled, nullptr, &handle) != napi_ok) return nullptr;
  compiled.release();
  napi_type_tag_object(env, handle, &kCompiledTag);
  return handle;
}

// The compiled program of the only argument, or null once an error is thrown.
Compiled* read_handle(napi_env env, napi_callback_info info, const char* function, const Environment* environment) {
  napi_value handle;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &handle, nullptr, nullptr);
  napi_valuetype type;
  bool is_ours = false;
  void* data = nullptr;
  if (napi_typeof(env, handle, &type) == napi_ok && type == napi_external &&
      napi_check_object_type_tag(env, handle, &kCompiledTag, &is_ours) == napi_ok && is_ours &&
      napi_get_value_external(env, handle, &data) == napi_ok) {
    Compiled* compiled = static_cast<Compiled*>(data);
    if (compiled->environment == environment) return compiled;
  }
  fail(env, kArgumentError, std::string(function) + ": the argument must be a handle that create() has returned");
  return nullptr;
}

napi_value execute(napi_env env, napi_callback_info info, Environment* environment) {
  const Compiled* compiled = read_handle(env, info, "execute", environment);
  if (compiled == nullptr) return nullptr;
  if (compiled->released) return fail(env, kArgumentError, "execute: the program has been released");
  std::vector<Buffer>& buffers = environment->buffers;
  if (!read_buffers(env, *compiled, &buffers)) return nullptr;
  Outcome outcome = compiled->program.check(buffers.data(), static_cast<int>(buffers.size()));
  if (outcome.ok()) {
    set_thread_limit(environment->threads);
    outcome = compiled->program.run(*environment->level, buffers.data());
  }
  return outcome.ok() ? nullptr : fail(env, outcome);
}

napi_value release(napi_env env, napi_callback_info info, Environment* environment) {
  Compiled* compiled = read_handle(env, info, "release", environment);
  if (compiled != nullptr) release_buffers(env, compiled);
  return nullptr;
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

// ---- info(), configure({ isa, threads })

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
  bool is_pending = false;
  if (napi_is_exception_pending(env, &is_pending) != napi_ok || is_pending) return nullptr;  // a getter has thrown
  const Level* level = isa == nullptr ? environment->level : read_level(env, isa);
  if (level == nullptr) return nullptr;
  const int threads = threads_option == nullptr ? environment->threads : read_threads(env, threads_option);
  if (threads == 0) return nullptr;
  environment->level = level;
  environment->threads = threads;
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
  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {{"info", callback<info>},       {"configure", callback<configure>}, {"run", callback<run>},
                   {"create", callback<create>},   {"execute", callback<execute>},     {"release", callback<release>},
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
