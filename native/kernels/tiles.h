// How elementwise kernels walk strided operands: the axes of a group are reordered and merged, then cut into
// tiles of a few rows, so that one loop over contiguous elements serves every layout.
#pragma once

// Elements of a tile that passes through scratch: small enough for three operands to stay in the first-level
// cache.
constexpr int64_t kTileElements = 1024;
// Elements of a tile that is read and written where it stands, and of one that goes past the caches: two places of 64 KiB
// (AMD Zen 3, ReLU from memory: 33 GB/s, and 30 with tiles of 32 KiB).
constexpr int64_t kDirectElements = 8192, kStreamedElements = 32768;
// Rows at least this long are worth a call of the loop each.
constexpr int64_t kLongRow = 64;

// The strides of one operand inside a tile.
struct TileStrides {
  int64_t row, column;

  // Whether neighbours in a column are nearer than neighbours in a row.
  bool transposed() const { return row != 0 && std::abs(row) < std::abs(column); }
};

// `operands` views of one group of axes, without axes of size 1, and with neighbours merged where every
// operand allows it. The rank is at least 2 (leading axes of size 1 are added).
template <int operands>
struct Axes {
  int rank = 0;
  int64_t sizes[kMaxRank + 2];
  int64_t strides[operands][kMaxRank + 2];

  // Reads the group S and then the strides of each operand. With `reorder` the axes are sorted by the strides
  // of the last operand, so that outputs are written in the order of memory; without, the row-major order
  // stays.
  Axes(DimsReader& dims, bool reorder) {
    const Group group = dims.group();
    const int64_t* given[operands];
    for (const int64_t*& strides : given) strides = dims.strides(group);
    sizes[0] = sizes[1] = 1;
    for (int o = 0; o < operands; o++) strides[o][0] = strides[o][1] = 0;
    rank = 2;
    for (int axis = 0; axis < group.rank; axis++) {
      if (group.sizes[axis] == 1) continue;
      sizes[rank] = group.sizes[axis];
      for (int o = 0; o < operands; o++) strides[o][rank] = given[o][axis];
      rank++;
    }
    if (reorder) sort();
    merge();
  }

  int64_t count() const { return Group{rank, sizes}.count(); }

 private:
  // Insertion sort: there are few axes, and equal strides must keep their order.
  void sort() {
    for (int i = 3; i < rank; i++) {
      for (int j = i; j > 2 && magnitude(j - 1) < magnitude(j); j--) swap(j - 1, j);
    }
  }

  int64_t magnitude(int axis) const { return std::abs(strides[operands - 1][axis]); }

  void swap(int a, int b) {
    std::swap(sizes[a], sizes[b]);
    for (auto& stride : strides) std::swap(stride[a], stride[b]);
  }

  // The two leading axes of size 1 stay as they are.
  void merge() {
    int last = 1;
    for (int axis = 2; axis < rank; axis++) {
      if (last > 1 && mergeable(last, axis)) {
        sizes[last] *= sizes[axis];
      } else {
        sizes[++last] = sizes[axis];
      }
      for (auto& stride : strides) stride[last] = stride[axis];
    }
    rank = last + 1;
  }

  bool mergeable(int outer, int inner) const {
    for (const auto& stride : strides) {
      if (stride[outer] != stride[inner] * sizes[inner]) return false;
    }
    return true;
  }
};

// The cut of an Axes into tiles of up to `rows` × `columns` over its last two axes.
template <int operands>
struct Tiling {
  const Axes<operands>& axes;
  bool direct = true;  // every row of every operand is contiguous, and long: no scratch is needed
  int64_t rows, columns;
  int64_t row_tiles = 0, column_tiles = 0, tiles = 0;

  explicit Tiling(const Axes<operands>& axes, int64_t direct_elements = kDirectElements) : axes(axes) {
    const int64_t height = axes.sizes[axes.rank - 2], width = axes.sizes[axes.rank - 1];
    const int64_t count = axes.count();
    if (count == 0) return;
    direct = width >= kLongRow;
    bool transposed = false;
    for (int o = 0; o < operands; o++) {
      direct = direct && strides(o).column == 1;
      transposed = transposed || strides(o).transposed();
    }
    // Reads down a column take whole cache lines.
    const int64_t wanted_rows = transposed ? 32 : 1, elements = direct ? direct_elements : kTileElements;
    columns = smaller(width, elements / wanted_rows);
    rows = smaller(height, elements / columns);
    row_tiles = (height + rows - 1) / rows;
    column_tiles = (width + columns - 1) / columns;
    tiles = row_tiles * column_tiles * (count / (height * width));
  }

  TileStrides strides(int operand) const {
    const int64_t* s = axes.strides[operand];
    return {s[axes.rank - 2], s[axes.rank - 1]};
  }

  static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
};

// One tile: its size, and where each operand's first element is.
template <int operands>
struct Tile {
  int64_t rows, columns;
  int64_t offsets[operands];
  int64_t first;  // position of the first element in the order of the axes

  Tile(const Tiling<operands>& tiling, int64_t index) : tiling_(tiling) {
    const auto& axes = tiling.axes;
    const int64_t height = axes.sizes[axes.rank - 2], width = axes.sizes[axes.rank - 1];
    const int64_t column = index % tiling.column_tiles * tiling.columns;
    index /= tiling.column_tiles;
    const int64_t row = index % tiling.row_tiles * tiling.rows;
    index /= tiling.row_tiles;
    rows = tiling.smaller(tiling.rows, height - row);
    columns = tiling.smaller(tiling.columns, width - column);
    first = (index * height + row) * width + column;
    for (int o = 0; o < operands; o++) {
      const TileStrides s = tiling.strides(o);
      offsets[o] = row * s.row + column * s.column;
    }
    for (int axis = axes.rank - 3; axis >= 0 && index > 0; axis--) {
      const int64_t i = index % axes.sizes[axis];
      index /= axes.sizes[axis];
      for (int o = 0; o < operands; o++) offsets[o] += i * axes.strides[o][axis];
    }
  }

  int64_t count() const { return rows * columns; }

  // Where an operand's row starts.
  int64_t at(int operand, int64_t row) const { return offsets[operand] + row * tiling_.strides(operand).row; }

 private:
  const Tiling<operands>& tiling_;
};

// An operand's elements of one tile after another as contiguous runs: in place where they stand so, else in
// scratch.
template <class T>
class Run {
 public:
  Run(T* base, TileStrides strides) : base_(base), strides_(strides) {}

  // The elements of the tile at `offset`, row by row.
  const T* read(int64_t offset, int64_t rows, int64_t columns) {
    T* const p = base_ + offset;
    if (stands_so(rows, columns)) return p;
    const bool same = (strides_.column == 0 || columns == 1) && (strides_.row == 0 || rows == 1);
    if (same) return repeat(p, rows * columns);
    repeated_ = nullptr;
    T* to = scratch_;
    if (strides_.column == 1) {
      for (int64_t r = 0; r < rows; r++, to += columns) copy_row(to, p + r * strides_.row, columns);
    } else if (strides_.transposed()) {
      for (int64_t c = 0; c < columns; c++) {
        for (int64_t r = 0; r < rows; r++) to[r * columns + c] = p[r * strides_.row + c * strides_.column];
      }
    } else {
      for (int64_t r = 0; r < rows; r++, to += columns) read_row(to, p + r * strides_.row, columns);
    }
    return scratch_;
  }

  // Where to write the tile; `written` then puts it in place.
  T* write(int64_t offset, int64_t rows, int64_t columns) {
    return stands_so(rows, columns) ? base_ + offset : scratch_;
  }
  void written(int64_t offset, int64_t rows, int64_t columns) {
    if (stands_so(rows, columns)) return;
    T* const p = base_ + offset;
    const T* from = scratch_;
    for (int64_t r = 0; r < rows; r++, from += columns) {
      if (strides_.column == 1) {
        copy_row(p + r * strides_.row, from, columns);
      } else {
        for (int64_t c = 0; c < columns; c++) p[r * strides_.row + c * strides_.column] = from[c];
      }
    }
  }

 private:
  bool stands_so(int64_t rows, int64_t columns) const {
    return (strides_.column == 1 || columns == 1) && (rows == 1 || strides_.row == columns);
  }

  // One element everywhere: the scratch is kept from tile to tile.
  const T* repeat(const T* p, int64_t n) {
    if (repeated_ != p || repeats_ < n) {
      for (int64_t i = 0; i < n; i++) scratch_[i] = *p;
      repeated_ = p;
      repeats_ = n;
    }
    return scratch_;
  }

  void read_row(T* to, const T* from, int64_t n) const {
    if (strides_.column == 0) {
      const T value = *from;
      for (int64_t i = 0; i < n; i++) to[i] = value;
    } else {
      for (int64_t i = 0; i < n; i++) to[i] = from[i * strides_.column];
    }
  }

  static void copy_row(T* to, const T* from, int64_t n) {
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
  }

  T* base_;
  TileStrides strides_;
  const T* repeated_ = nullptr;
  int64_t repeats_ = 0;
  alignas(64) T scratch_[kTileElements];
};
