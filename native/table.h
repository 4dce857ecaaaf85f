// The kernel table at run time: the rows of kernels.def, parsed and sorted by name. A kernel's number is its place
// here. Knows no kernel by name; lib/runtime/table.ts is its twin, and `table_version` tells whether they agree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernel.h"

namespace thalweg {

// No signature has more letters than this (checked by the parser).
constexpr int kMaxLetters = 8;

// What a kernel does with an operand; InOut is read and then overwritten.
enum class Role : uint8_t { In, Out, InOut };

// A letter of a signature: one axis, or (upper case) a group of any number of axes.
struct Letter {
  char name;
  bool is_group;
};

// A variadic operand stands for any number of operands (also none), which an instruction says.
struct Operand {
  Storage storage;
  Role role;
  std::vector<int> letters;  // positions in Signature::letters
  bool is_variadic = false;
};

// Letters in order of first appearance; operands in order, inputs first.
struct Signature {
  std::vector<Letter> letters;
  std::vector<Operand> operands;
};

// One kernel for one element type.
struct KernelSpec {
  std::string name;          // with its element type: `add_f32`
  std::string text;          // of the signature, T replaced
  std::string scalar_names;  // separated by spaces
  int scalars;               // how many, without the variadic ones
  int row;  // position in Level::kernels
  Signature signature;
  bool has_variadic_scalars;  // any number after the others
  Storage type;               // T
  bool is_map;                // a row MAP(…)
  bool merges;  // all operands have the one axis `e`: instructions may be cut and run together (docs/kernels.md)
};

// Storage type of a name (`f32`), and back; false where there is none.
bool storage_of(const std::string& name, Storage* storage);
const char* storage_name(Storage storage);
int64_t storage_bytes(Storage storage);

// Replaces every T outside brackets by an element type.
std::string substitute_type(const std::string& signature, const std::string& type);

// Parses a signature without T. Returns what is wrong with it, or an empty string.
std::string parse_signature(const std::string& text, Signature* signature);

// All kernels, sorted by name in byte order.
const std::vector<KernelSpec>& kernel_table();

// `name:signature:scalars`, a kernel's line in the table's hash.
std::string table_line(const KernelSpec& spec);

// FNV-1a (32 bit) over the lines of all kernels, each ended by a newline.
uint32_t table_version();

}  // namespace thalweg
