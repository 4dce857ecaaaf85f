// A test harness: TEST(name) { ... CHECK(condition); } in a file that ends with int main() { return run_tests(); }.
#pragma once

#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

struct TestCase {
  const char* name;
  void (*body)();
};

inline std::vector<TestCase>& test_cases() {
  static std::vector<TestCase> cases;
  return cases;
}

inline int& failures() {
  static int count = 0;
  return count;
}

struct TestRegistration {
  TestRegistration(const char* name, void (*body)()) { test_cases().push_back({name, body}); }
};

inline void report_failure(const char* file, int line, const std::string& what) {
  // A broken kernel fails thousands of checks; the first few say which.
  if (failures()++ < 20) std::printf("%s:%d: %s\n", file, line, what.c_str());
  std::fflush(stdout);
}

template <class A, class B>
std::string describe_difference(const char* text, const A& a, const B& b) {
  std::ostringstream out;
  out << text << ": " << a << " is not " << b;
  return out.str();
}

inline int run_tests() {
  for (const TestCase& test : test_cases()) {
    const int before = failures();
    test.body();
    std::printf("%s %s\n", failures() == before ? "ok  " : "FAIL", test.name);
    std::fflush(stdout);
  }
  if (failures() > 0) std::printf("%d checks failed\n", failures());
  return failures() > 0;
}

#define TEST(name)                                       \
  static void name();                                    \
  static const TestRegistration registration_##name(#name, name); \
  static void name()

#define CHECK(condition) \
  ((condition) ? (void)0 : report_failure(__FILE__, __LINE__, "CHECK(" #condition ") is false"))

// With a text that says in which case it failed.
#define CHECK_IN(condition, where) \
  ((condition) ? (void)0           \
               : report_failure(__FILE__, __LINE__, std::string("CHECK(" #condition ") is false: ") + (where)))

#define CHECK_EQ(a, b)                                                                                  \
  do {                                                                                                  \
    const auto& left = (a);                                                                             \
    const auto& right = (b);                                                                            \
    if (!(left == right)) report_failure(__FILE__, __LINE__, describe_difference(#a " == " #b, left, right)); \
  } while (false)
