// Calls the matrix products of a BLAS library from Node, many times in a row: its calls cost no crossing.
//   open(file) → { gemm(transA, transB, m, n, k, a, b, c, calls) → ns,
//                  gemv(trans, rows, columns, matrix, x, y, calls) → ns, setThreads(n), core() }
// Several libraries may be open at once: each is loaded with its symbols to itself.
#include <dlfcn.h>
#include <node_api.h>

#include <chrono>
#include <string>

namespace {

// The C interface to BLAS (netlib's cblas.h).
enum { kRowMajor = 101, kNoTrans = 111, kTrans = 112 };
template <class T>
using Gemm = void (*)(int, int, int, int, int, int, T, const T*, int, const T*, int, T, T*, int);
using Sgemv = void (*)(int, int, int, int, float, const float*, int, const float*, int, float, float*, int);

struct Library {
  Gemm<float> sgemm;
  Gemm<double> dgemm;
  Sgemv sgemv;
  void (*set_threads)(int);
  std::string core;
};

template <class T>
T symbol(void* handle, const char* name) {
  return reinterpret_cast<T>(dlsym(handle, name));
}

// OpenBLAS and BLIS name their kernels in their own ways.
std::string core_name(void* handle) {
  if (auto name = symbol<const char* (*)()>(handle, "openblas_get_corename")) return name();
  auto query = symbol<int (*)()>(handle, "bli_arch_query_id");
  auto text = symbol<const char* (*)(int)>(handle, "bli_arch_string");
  return query && text ? text(query()) : "unknown";
}

napi_value fail(napi_env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

int integer(napi_env env, napi_value value) {
  int32_t result = 0;
  napi_get_value_int32(env, value, &result);
  return result;
}

bool boolean(napi_env env, napi_value value) {
  bool result = false;
  napi_get_value_bool(env, value, &result);
  return result;
}

struct Array {
  void* data = nullptr;
  bool is_double = false;
};

Array array(napi_env env, napi_value value) {
  Array result;
  napi_typedarray_type type;
  napi_get_typedarray_info(env, value, &type, nullptr, &result.data, nullptr, nullptr);
  result.is_double = type == napi_float64_array;
  return result;
}

template <class Body>
napi_value timed(napi_env env, int calls, Body body) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; i++) body();
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  napi_value result = nullptr;
  napi_create_double(env, elapsed.count(), &result);
  return result;
}

template <size_t count>
Library* arguments(napi_env env, napi_callback_info info, napi_value (&values)[count]) {
  size_t given = count;
  void* data = nullptr;
  napi_get_cb_info(env, info, &given, values, nullptr, &data);
  return static_cast<Library*>(data);
}

napi_value gemm(napi_env env, napi_callback_info info) {
  napi_value v[9];
  const Library& library = *arguments(env, info, v);
  const bool ta = boolean(env, v[0]), tb = boolean(env, v[1]);
  const int m = integer(env, v[2]), n = integer(env, v[3]), k = integer(env, v[4]), calls = integer(env, v[8]);
  const int lda = ta ? m : k, ldb = tb ? k : n, opa = ta ? kTrans : kNoTrans, opb = tb ? kTrans : kNoTrans;
  const Array a = array(env, v[5]), b = array(env, v[6]), c = array(env, v[7]);
  const auto run = [&](auto function, auto one) {
    using T = decltype(one);
    return timed(env, calls, [&] {
      function(kRowMajor, opa, opb, m, n, k, one, static_cast<const T*>(a.data), lda,
               static_cast<const T*>(b.data), ldb, T(0), static_cast<T*>(c.data), n);
    });
  };
  return a.is_double ? run(library.dgemm, 1.0) : run(library.sgemm, 1.0f);
}

napi_value gemv(napi_env env, napi_callback_info info) {
  napi_value v[7];
  const Library& library = *arguments(env, info, v);
  const bool transposed = boolean(env, v[0]);
  const int rows = integer(env, v[1]), columns = integer(env, v[2]);
  const auto data = [&](int i) { return static_cast<float*>(array(env, v[i]).data); };
  const float *matrix = data(3), *x = data(4);
  float* y = data(5);
  return timed(env, integer(env, v[6]), [&] {
    library.sgemv(kRowMajor, transposed ? kTrans : kNoTrans, rows, columns, 1, matrix, columns, x, 1, 0, y, 1);
  });
}

napi_value set_threads(napi_env env, napi_callback_info info) {
  napi_value v[1];
  arguments(env, info, v)->set_threads(integer(env, v[0]));
  return nullptr;
}

napi_value core(napi_env env, napi_callback_info info) {
  napi_value v[1], result = nullptr;
  const std::string& name = arguments(env, info, v)->core;
  napi_create_string_utf8(env, name.c_str(), name.size(), &result);
  return result;
}

napi_value open(napi_env env, napi_callback_info info) {
  napi_value v[1];
  arguments(env, info, v);
  char file[512] = "";
  napi_get_value_string_utf8(env, v[0], file, sizeof file, nullptr);
  void* handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return fail(env, dlerror());
  Library* library = new Library;  // as long as the process
  library->sgemm = symbol<Gemm<float>>(handle, "cblas_sgemm");
  library->dgemm = symbol<Gemm<double>>(handle, "cblas_dgemm");
  library->sgemv = symbol<Sgemv>(handle, "cblas_sgemv");
  library->set_threads = symbol<void (*)(int)>(handle, "openblas_set_num_threads");
  if (!library->set_threads) library->set_threads = symbol<void (*)(int)>(handle, "bli_thread_set_num_threads");
  if (!library->sgemm || !library->dgemm || !library->sgemv || !library->set_threads) {
    return fail(env, "the library has no C interface to BLAS, or no way to set its threads");
  }
  library->core = core_name(handle);
  napi_value result = nullptr;
  napi_create_object(env, &result);
  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {{"gemm", gemm}, {"gemv", gemv}, {"setThreads", set_threads}, {"core", core}};
  for (const auto& entry : functions) {
    napi_value function = nullptr;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.callback, library, &function);
    napi_set_named_property(env, result, entry.name, function);
  }
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function = nullptr;
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, open, nullptr, &function);
  napi_set_named_property(env, exports, "open", function);
  return exports;
}
