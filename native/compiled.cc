// Prepared programs: bound to most of their buffers once, run again and again with other scalars and other inputs. Here
// they are made, and run one step on JavaScript's thread.
#include "compiled.h"

#include <algorithm>
#include <memory>

#include "parallel.h"

namespace thalweg {
namespace {

constexpr napi_type_tag kCompiledTag = {0x6fb6a2d7c1e94a35, 0x9d1f4b78a3c02e61};

struct CompiledDeleter {
  napi_env env;
  void operator()(Compiled* compiled) const {
    for (const Memory& memory : compiled->memories) napi_delete_reference(env, memory.reference);
    delete compiled;
  }
};

void finalize_compiled(napi_env env, void* data, void*) { CompiledDeleter{env}(static_cast<Compiled*>(data)); }

// References that are held to the end of a scope.
struct Held {
  napi_env env;
  std::vector<napi_ref> references = {};
  ~Held() {
    for (napi_ref reference : references) napi_delete_reference(env, reference);
  }
};

// Looks where a memory is now. Detached, it has no bytes.
bool look(napi_env env, Memory* memory) {
  napi_value value;
  if (napi_get_reference_value(env, memory->reference, &value) != napi_ok || value == nullptr) return false;
  if (!memory->is_shared) {
    void* data = nullptr;
    if (napi_get_arraybuffer_info(env, value, &data, &memory->bytes) != napi_ok) return false;
    memory->data = static_cast<char*>(data);
    return true;
  }
  Buffer buffer;
  if (!read_buffer(env, value, &buffer)) return false;
  memory->data = static_cast<char*>(buffer.data);
  memory->bytes = static_cast<size_t>(buffer.length * storage_bytes(buffer.storage));
  return true;
}

// Binds a program to a typed array. Equal addresses mean the same ArrayBuffer: two never have memory in common.
bool bind(napi_env env, napi_ref reference, size_t i, Compiled* compiled) {
  Buffer buffer;
  napi_value array, arraybuffer;
  size_t offset = 0;
  bool is_arraybuffer = false;
  if (!read_reference(env, "create", reference, i, &buffer)) return false;
  if (napi_get_reference_value(env, reference, &array) != napi_ok ||
      napi_get_typedarray_info(env, array, nullptr, nullptr, nullptr, &arraybuffer, &offset) != napi_ok ||
      napi_is_arraybuffer(env, arraybuffer, &is_arraybuffer) != napi_ok) {
    return false;
  }
  const bool is_shared = !is_arraybuffer;
  const char* const data = static_cast<char*>(buffer.data) - offset;
  std::vector<Memory>& memories = compiled->memories;
  size_t m = 0;
  while (m < memories.size() && (is_shared || memories[m].is_shared || memories[m].data != data)) m++;
  if (buffer.data == nullptr || m == memories.size()) {
    m = memories.size();
    Memory memory{nullptr, is_shared, nullptr, 0};
    if (napi_create_reference(env, is_shared ? array : arraybuffer, 1, &memory.reference) != napi_ok) return false;
    memories.push_back(memory);
    if (!look(env, &memories[m])) return false;
  }
  compiled->bound.push_back({m, is_shared ? 0 : offset, buffer.storage, buffer.length});
  return true;
}

// An object that holds the memories of a program, references to which become weak; JavaScript can neither change it nor
// take them from it.
bool make_handle(napi_env env, const std::vector<Memory>& memories, napi_value* handle) {
  napi_value held;
  if (napi_create_object(env, handle) != napi_ok ||
      napi_create_array_with_length(env, memories.size(), &held) != napi_ok) {
    return false;
  }
  for (size_t i = 0; i < memories.size(); i++) {
    napi_value memory;
    if (napi_get_reference_value(env, memories[i].reference, &memory) != napi_ok ||
        napi_set_element(env, held, static_cast<uint32_t>(i), memory) != napi_ok ||
        napi_reference_unref(env, memories[i].reference, nullptr) != napi_ok) {
      return false;
    }
  }
  // A property without attributes can be neither written nor removed.
  const napi_property_descriptor property = {"buffers", nullptr, nullptr, nullptr, nullptr, held, napi_default,
                                             nullptr};
  return napi_object_freeze(env, held) == napi_ok && napi_define_properties(env, *handle, 1, &property) == napi_ok;
}

// Integers in [0, end) of an Int32Array, or none where the argument is left out.
template <class T>
bool read_integers(napi_env env, const char* name, napi_value value, int64_t end, std::vector<T>* integers) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_undefined) return true;
  Buffer buffer;
  if (!read_buffer(env, value, &buffer) || buffer.storage != Storage::I32) {
    fail(env, kArgumentError, std::string("create: ") + name + " must be an Int32Array");
    return false;
  }
  const int32_t* const from = static_cast<const int32_t*>(buffer.data);
  for (int64_t i = 0; i < buffer.length; i++) {
    if (from[i] < 0 || from[i] >= end) {
      fail(env, kArgumentError, std::string("create: ") + name + "[" + std::to_string(i) + "] is " +
                                    std::to_string(from[i]) + "; it must be in [0, " + std::to_string(end) + ")");
      return false;
    }
    integers->push_back(static_cast<T>(from[i]));
  }
  return true;
}

}  // namespace

bool hold_buffers(napi_env env, const char* function, napi_value array, std::vector<napi_ref>* references) {
  bool is_array = false;
  uint32_t count = 0;
  if (napi_is_array(env, array, &is_array) != napi_ok || !is_array ||
      napi_get_array_length(env, array, &count) != napi_ok) {
    fail(env, kArgumentError, std::string(function) + ": buffers must be an array of typed arrays");
    return false;
  }
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    bool is_typed_array = false;
    napi_ref reference;
    if (napi_get_element(env, array, i, &element) != napi_ok) return false;  // the getter has thrown
    if (napi_is_typedarray(env, element, &is_typed_array) != napi_ok || !is_typed_array ||
        napi_create_reference(env, element, 1, &reference) != napi_ok) {
      fail_buffer(env, function, i);
      return false;
    }
    references->push_back(reference);
  }
  return true;
}

bool read_reference(napi_env env, const char* function, napi_ref reference, size_t i, Buffer* buffer) {
  napi_value value;
  if (napi_get_reference_value(env, reference, &value) == napi_ok && value != nullptr &&
      read_buffer(env, value, buffer)) {
    return true;
  }
  fail_buffer(env, function, i);
  return false;
}

bool read_bound(napi_env env, Compiled* compiled, std::vector<Buffer>* buffers) {
  for (Memory& memory : compiled->memories) {
    if (look(env, &memory)) continue;
    fail(env, kArgumentError, "a buffer that the program is bound to is gone");
    return false;
  }
  buffers->resize(compiled->bound.size());
  for (size_t i = 0; i < buffers->size(); i++) {
    const Bound& bound = compiled->bound[i];
    const Memory& memory = compiled->memories[bound.memory];
    // Of a buffer that was made smaller, what is left (for JavaScript a view of fixed length then has length 0); of one
    // that was detached, nothing.
    const bool is_there = memory.data != nullptr && bound.offset <= memory.bytes;
    const int64_t bytes = is_there ? static_cast<int64_t>(memory.bytes - bound.offset) : 0;
    (*buffers)[i].storage = bound.storage;
    (*buffers)[i].data = is_there ? memory.data + bound.offset : nullptr;
    (*buffers)[i].length = std::min(bound.length, bytes / storage_bytes(bound.storage));
  }
  return true;
}

Compiled* read_handle(napi_env env, const char* function, napi_value handle, const Environment* environment) {
  napi_valuetype type;
  bool is_ours = false;
  void* data = nullptr;
  if (napi_typeof(env, handle, &type) == napi_ok && type == napi_object &&
      napi_check_object_type_tag(env, handle, &kCompiledTag, &is_ours) == napi_ok && is_ours &&
      napi_unwrap(env, handle, &data) == napi_ok) {
    Compiled* const compiled = static_cast<Compiled*>(data);
    if (compiled->environment == environment) {
      if (!compiled->is_running) return compiled;
      fail(env, kArgumentError, std::string(function) + ": the program is running");
      return nullptr;
    }
  }
  fail(env, kArgumentError, std::string(function) + ": the argument must be a handle that create() has returned");
  return nullptr;
}

bool read_scalars(napi_env env, const char* function, napi_value value, const Compiled& compiled, int64_t steps,
                  const double** scalars) {
  const int64_t needed = steps * static_cast<int64_t>(compiled.patched.size());
  napi_valuetype type;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_undefined && needed == 0) return true;
  Buffer buffer;
  if (read_buffer(env, value, &buffer) && buffer.storage == Storage::F64 && buffer.length >= needed) {
    *scalars = static_cast<const double*>(buffer.data);
    return true;
  }
  fail(env, kArgumentError, std::string(function) + ": scalars must be a Float64Array of at least " +
                                std::to_string(needed) + " numbers");
  return false;
}

// ---- create(words, count, buffers, rebound, patched), execute(handle, scalars, ...buffers)

napi_value create(napi_env env, napi_callback_info info, Environment* environment) {
  napi_value arguments[5];
  size_t count = 5;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  std::unique_ptr<Compiled, CompiledDeleter> compiled(new Compiled{environment, {}, {}, {}, {}, {}}, {env});
  std::vector<Buffer> buffers;
  Buffer words;
  Held arrays{env};
  if (!hold_buffers(env, "create", arguments[2], &arrays.references)) return nullptr;
  for (size_t i = 0; i < arrays.references.size(); i++) {
    if (!bind(env, arrays.references[i], i, compiled.get())) return nullptr;
  }
  if (!read_bound(env, compiled.get(), &buffers)) return nullptr;
  if (!read_words(env, "create", arguments[0], arguments[1], &words)) return nullptr;
  if (!read_integers(env, "rebound", arguments[3], static_cast<int64_t>(buffers.size()), &compiled->rebound) ||
      !read_integers(env, "patched", arguments[4], words.length, &compiled->patched)) {
    return nullptr;
  }
  // A slot that were rebound twice would move on twice as fast as its strides say.
  std::vector<int> slots = compiled->rebound;
  std::sort(slots.begin(), slots.end());
  if (std::adjacent_find(slots.begin(), slots.end()) != slots.end()) {
    return fail(env, kArgumentError, "create: rebound names a slot twice");
  }
  const Outcome outcome = compiled->program.load(static_cast<const double*>(words.data), words.length, buffers.data(),
                                                 static_cast<int>(buffers.size()));
  if (!outcome.ok()) return fail(env, outcome);
  for (const int64_t word : compiled->patched) {
    if (!compiled->program.is_scalar(word)) {
      return fail(env, kArgumentError, "create: word " + std::to_string(word) + " is no scalar of an instruction");
    }
  }
  napi_value handle = nullptr;
  if (!make_handle(env, compiled->memories, &handle) || napi_type_tag_object(env, handle, &kCompiledTag) != napi_ok ||
      napi_wrap(env, handle, compiled.get(), finalize_compiled, nullptr, nullptr) != napi_ok) {
    return nullptr;
  }
  compiled.release();
  return handle;
}

napi_value execute(napi_env env, napi_callback_info info, Environment* environment) {
  napi_value few_arguments[32];
  napi_value* arguments = few_arguments;
  std::vector<napi_value> many_arguments;
  size_t count = 32;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  if (count > 32) {
    many_arguments.resize(count);
    arguments = many_arguments.data();
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  }
  Compiled* const compiled = read_handle(env, "execute", arguments[0], environment);
  if (compiled == nullptr) return nullptr;
  Segment segment{compiled, 1, std::move(environment->buffers), {}, nullptr};
  const size_t given = count < 2 ? 0 : count - 2, needed = compiled->rebound.size();
  bool ok = read_bound(env, compiled, &segment.buffers) &&
            read_scalars(env, "execute", arguments[1], *compiled, 1, &segment.scalars);
  if (ok && given != needed) {
    fail(env, kArgumentError, "execute: needs " + std::to_string(needed) + " buffers, got " + std::to_string(given));
    ok = false;
  }
  for (size_t i = 0; ok && i < needed; i++) {
    if (read_buffer(env, arguments[2 + i], &segment.buffers[static_cast<size_t>(compiled->rebound[i])])) continue;
    fail_buffer(env, "execute", i);
    ok = false;
  }
  Outcome outcome;
  if (ok) outcome = compiled->program.check(segment.buffers.data(), static_cast<int>(segment.buffers.size()));
  if (ok && outcome.ok()) {
    set_thread_limit(environment->threads);
    outcome = segment.run_step(*environment->level, 0);
  }
  environment->buffers = std::move(segment.buffers);
  return ok && !outcome.ok() ? fail(env, outcome) : nullptr;
}

}  // namespace thalweg
