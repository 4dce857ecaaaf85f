#include "table.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "rows.h"

namespace thalweg {
namespace {

constexpr struct {
  const char* name;
  Storage storage;
  int64_t bytes;
} kStorages[] = {{"f32", Storage::F32, 4},
                 {"f64", Storage::F64, 8},
                 {"i32", Storage::I32, 4},
                 {"u8", Storage::U8, 1},
                 {"i64", Storage::I64, 8}};

// The characters of a signature from front to back.
struct Cursor {
  const char* at;

  bool take(const char* text) {
    const char* p = at;
    for (; *text != 0; text++, p++) {
      if (*p != *text) return false;
    }
    at = p;
    return true;
  }
};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

int letter_index(Signature* signature, char name) {
  std::vector<Letter>& letters = signature->letters;
  for (size_t i = 0; i < letters.size(); i++) {
    if (letters[i].name == name) return static_cast<int>(i);
  }
  letters.push_back({name, is_upper(name)});
  return static_cast<int>(letters.size()) - 1;
}

// type[letters], with a star behind where it is variadic
std::string parse_operand(Cursor* cursor, Role role, Signature* signature) {
  std::string type;
  while (is_lower(*cursor->at) || (*cursor->at >= '0' && *cursor->at <= '9')) type += *cursor->at++;
  Operand operand{Storage::F32, role, {}};
  if (!storage_of(type, &operand.storage)) return "unknown element type \"" + type + "\"";
  if (!cursor->take("[")) return "no [ after " + type;
  while (is_upper(*cursor->at) || is_lower(*cursor->at)) {
    operand.letters.push_back(letter_index(signature, *cursor->at++));
  }
  if (!cursor->take("]")) return "no ] after the letters of an operand";
  operand.is_variadic = cursor->take("*");
  if (signature->letters.size() > kMaxLetters) return "more than 8 letters";
  signature->operands.push_back(std::move(operand));
  if (signature->operands.size() > kMaxOperands) return "more than 32 operands";
  return "";
}

bool has_axis_e_alone(const Signature& signature) {
  for (const Operand& operand : signature.operands) {
    if (operand.letters.size() != 1) return false;
  }
  return signature.letters.size() == 1 && signature.letters[0].name == 'e';
}

KernelSpec make_spec(const char* name, const char* tag, const char* signature, const char* scalars, int row,
                     bool is_map) {
  KernelSpec spec{std::string(name) + "_" + tag, substitute_type(signature, tag), scalars, 0, row, {}, false,
                  Storage::F32, is_map, false};
  storage_of(tag, &spec.type);
  bool inside = false;
  for (const char c : spec.scalar_names) {
    if (c != ' ' && !inside) spec.scalars++;
    inside = c != ' ';
  }
  if (!spec.scalar_names.empty() && spec.scalar_names.back() == '*') {
    spec.has_variadic_scalars = true;
    spec.scalars--;
  }
  const std::string error = parse_signature(spec.text, &spec.signature);
  if (!error.empty()) {
    std::fprintf(stderr, "kernels.def: %s: %s: %s\n", spec.name.c_str(), spec.text.c_str(), error.c_str());
    std::abort();
  }
  spec.merges = has_axis_e_alone(spec.signature);
  return spec;
}

std::vector<KernelSpec> make_table() {
  constexpr struct {
    const char *name, *tag, *signature, *scalars;
    bool is_map;
  } kRows[] = {
#define ROW(name, tag, type, signature, scalars) {#name, #tag, signature, scalars, false},
#define MAP_ROW(name, tag, type, signature, scalars) {#name, #tag, signature, scalars, true},
#include "kernels.def"
#undef MAP_ROW
#undef ROW
  };
  std::vector<KernelSpec> table;
  int row = 0;
  for (const auto& r : kRows) table.push_back(make_spec(r.name, r.tag, r.signature, r.scalars, row++, r.is_map));
  std::sort(table.begin(), table.end(),
            [](const KernelSpec& a, const KernelSpec& b) { return a.name < b.name; });
  return table;
}

}  // namespace

bool storage_of(const std::string& name, Storage* storage) {
  for (const auto& entry : kStorages) {
    if (name == entry.name) return *storage = entry.storage, true;
  }
  return false;
}

const char* storage_name(Storage storage) { return kStorages[static_cast<int>(storage)].name; }

int64_t storage_bytes(Storage storage) { return kStorages[static_cast<int>(storage)].bytes; }

std::string substitute_type(const std::string& signature, const std::string& type) {
  std::string text;
  bool in_brackets = false;
  for (const char c : signature) {
    if (c == '[' || c == ']') in_brackets = c == '[';
    if (c == 'T' && !in_brackets) text += type;
    else text += c;
  }
  return text;
}

std::string parse_signature(const std::string& text, Signature* signature) {
  *signature = {};
  Cursor cursor{text.c_str()};
  if (!cursor.take("->")) {
    do {
      const std::string error = parse_operand(&cursor, Role::In, signature);
      if (!error.empty()) return error;
    } while (cursor.take(", "));
    if (!cursor.take(" ->")) return "no arrow after the inputs";
  }
  if (!cursor.take(" ")) return "no output after the arrow";
  do {
    const Role role = cursor.take("&") ? Role::InOut : Role::Out;
    const std::string error = parse_operand(&cursor, role, signature);
    if (!error.empty()) return error;
  } while (cursor.take(", "));
  return *cursor.at == 0 ? "" : "more text after the last output";
}

const std::vector<KernelSpec>& kernel_table() {
  static const std::vector<KernelSpec>& table = *new std::vector<KernelSpec>(make_table());
  return table;
}

std::string table_line(const KernelSpec& spec) { return spec.name + ":" + spec.text + ":" + spec.scalar_names; }

uint32_t table_version() {
  uint32_t hash = 2166136261u;
  for (const KernelSpec& spec : kernel_table()) {
    for (const char c : table_line(spec) + "\n") hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  }
  return hash;
}

}  // namespace thalweg
