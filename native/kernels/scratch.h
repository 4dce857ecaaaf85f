// Memory that a thread keeps for its next kernel, since fresh memory costs more than the arithmetic done on
// it.
#pragma once

// A buffer that grows and is freed with its owner. Its contents do not survive the next `get`.
class Scratch {
 public:
  // At least `count` elements, at the start of a cache line.
  template <class T>
  T* get(int64_t count) {
    constexpr size_t kLine = 64;
    const size_t bytes = static_cast<size_t>(count) * sizeof(T) + kLine;
    if (bytes > size_) {
      size_ = 0;
      memory_.reset();
      memory_.reset(new unsigned char[bytes]);
      size_ = bytes;
    }
    const uintptr_t start = reinterpret_cast<uintptr_t>(memory_.get());
    return reinterpret_cast<T*>((start + kLine - 1) / kLine * kLine);
  }

 private:
  std::unique_ptr<unsigned char[]> memory_;
  size_t size_ = 0;
};
