// Which instructions of a program are better run side by side, each by one thread, than one after the other by all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace thalweg {

// Memory that an instruction may touch, from the first to the last byte.
struct Extent {
  const char *begin, *end;
  size_t instruction;
  bool is_written;
};

// Whether two different instructions touch the same memory and at least one of them writes it. Sorts the extents.
bool depend(std::vector<Extent>* extents);

// What is known of an instruction's work: the product of all its sizes, and the elements of its largest operand.
struct Work {
  double steps = 0;
  double elements = 0;

  // Nanoseconds on one thread, roughly.
  double cost() const;
};

// How many of `works`, from the first on, should run side by side on `threads` threads; 0 where one after the other is
// as fast. They must be independent.
size_t side_by_side(const Work* works, size_t count, int threads);

}  // namespace thalweg
