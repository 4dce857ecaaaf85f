#include "environment.h"

#include "parallel.h"

namespace thalweg {

Environment::Environment() : level(best_level()), threads(hardware_threads()) {}

napi_value error_of(napi_env env, const char* code, const std::string& message) {
  napi_value code_value, message_value, error;
  if (napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &code_value) == napi_ok &&
      napi_create_string_utf8(env, message.c_str(), message.size(), &message_value) == napi_ok &&
      napi_create_error(env, code_value, message_value, &error) == napi_ok) {
    return error;
  }
  return nullptr;
}

napi_value error_of(napi_env env, const Outcome& outcome) {
  return error_of(env, outcome.kind == Outcome::Kind::BadIndex ? kIndexError : kProgramError, outcome.message);
}

napi_value fail(napi_env env, const char* code, const std::string& message) {
  const napi_value error = error_of(env, code, message);
  if (error != nullptr) napi_throw(env, error);
  return nullptr;
}

napi_value fail(napi_env env, const Outcome& outcome) {
  const napi_value error = error_of(env, outcome);
  if (error != nullptr) napi_throw(env, error);
  return nullptr;
}

namespace {

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

}  // namespace

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

}  // namespace thalweg
