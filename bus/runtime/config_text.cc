// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_text.cc - TOML to a flat list of assignments.
//
// The parser is compiled into this one file, without exceptions and with its own limits, rather than taken from the
// system's shared library: a host application may bring another version of it, and the fuzzer sees through it
// (docs/decisions/private-libraries.md). What it accepts is still not bounded in depth: a dotted key nests one table
// per dot, and they are destroyed by recursion on a thread whose stack is the host's. So lines with absurdly many dots
// are refused before the parser sees them.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16

// toml++ 3.3 asks of every character outside strings whether it is a space, and for most of those between U+00A0 and
// U+FEFF the answer runs into TOML_UNREACHABLE: undefined behaviour, from a file that says "größe = 1" (found by the
// fuzz target). The answer meant is no; everywhere else the macro keeps its meaning.
// clang-format off
#include <toml++/impl/preprocessor.h>

// Its assertions do not hold for every file ("[[é" reaches one; the fuzz target again), and the parser goes on to
// report an error by itself. A guest does not abort its host in a debug build, nor tell the optimiser what is not so in
// a release.
#undef TOML_ASSERT
#define TOML_ASSERT(expression) static_assert(true)
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expression) static_assert(true)

#include <toml++/impl/forward_declarations.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE __builtin_unreachable()

#include <toml++/toml.h>
// clang-format on

#include <charconv>

#include "bus/runtime/config.h"

namespace evs::runtime {
namespace {

constexpr size_t kTextBytesMax = 1 << 20;
constexpr size_t kDotsPerLineMax = 128;  // times TOML_MAX_NESTED_VALUES bounds the depth of the parser's tree
constexpr size_t kDepthMax = 8;          // of a key, in parts

std::string place(std::string_view file, const toml::source_position& at) {
  return printable(file) + ":" + std::to_string(at.line);
}

// Empty, or why this text is not even shown to the parser.
std::string refuse_shape(std::string_view text, std::string_view file) {
  if (text.size() > kTextBytesMax) return printable(file) + ": larger than 1MiB, which is no configuration";
  size_t line = 1;
  size_t dots = 0;
  for (const char c : text) {
    if (c == '\n') {
      ++line;
      dots = 0;
    } else if (c == '.' && ++dots > kDotsPerLineMax) {
      return printable(file) + ":" + std::to_string(line) + ": more than " + std::to_string(kDotsPerLineMax) +
             " dots in one line; break a long list into several lines";
    }
  }
  return "";
}

std::string syntax_error(std::string_view file, const toml::parse_error& error) {
  const toml::source_position at = error.source().begin;
  std::string text = place(file, at) + ":" + std::to_string(at.column) + ": not TOML: ";
  text += printable(error.description());
  // By far the commonest cause: timeout = 10s.
  if (error.description().find("integer") != std::string_view::npos ||
      error.description().find("floating-point") != std::string_view::npos)
    text += " (a size or duration stands in quotes: \"64KiB\")";
  return text;
}

Written scalar(const toml::node& node) {
  using Kind = Written::Kind;
  if (const auto* text = node.as_string()) return {Kind::text, text->get()};
  if (const auto* number = node.as_integer()) return {Kind::number, std::to_string(number->get())};
  if (const auto* flag = node.as_boolean()) return {Kind::boolean, flag->get() ? "true" : "false"};
  if (const auto* real = node.as_floating_point()) {
    char digits[64];
    const auto end = std::to_chars(digits, digits + sizeof(digits), real->get());
    return {Kind::number, std::string(digits, end.ptr)};
  }
  if (node.is_array()) return {Kind::other, "a list in a list"};
  if (node.is_table()) return {Kind::other, "a table in a list"};
  return {Kind::other, "a date or time without quotes"};
}

Written list(const toml::array& array) {
  Written joined{Written::Kind::list, ""};
  bool first = true;
  for (const toml::node& element : array) {
    Written one = scalar(element);
    if (one.kind == Written::Kind::other) return one;
    // Plugins get their lists as text with commas; an element with a comma in it would silently become two.
    if (one.text.find(',') != std::string::npos) return {Written::Kind::other, "a list with a comma in an element"};
    if (!first) joined.text += ',';
    joined.text += one.text;
    first = false;
  }
  return joined;
}

class Flattener {
 public:
  explicit Flattener(std::string_view file) : file_(file) {}

  // The refusal, or empty.
  std::string flatten(const toml::table& table, const std::string& prefix, size_t depth) {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      const std::string origin = place(file_, key.source().begin);
      if (depth == kDepthMax)
        return origin + ": " + printable(name) + ": a key has at most " + std::to_string(kDepthMax) + " parts";
      const toml::table* inner = node.as_table();
      if (inner != nullptr && !inner->empty()) {
        std::string refusal = flatten(*inner, name + ".", depth + 1);
        if (!refusal.empty()) return refusal;
      } else if (inner != nullptr) {
        found.push_back({name, {Written::Kind::other, "an empty table"}, origin});
      } else {
        const toml::array* array = node.as_array();
        found.push_back({name, array != nullptr ? list(*array) : scalar(node), origin});
      }
    }
    return "";
  }

  std::vector<Assignment> found;

 private:
  std::string_view file_;
};

}  // namespace

Result<std::vector<Assignment>> parse_config_text(std::string_view text, std::string_view file) noexcept {
  try {
    std::string refusal = refuse_shape(text, file);
    if (!refusal.empty()) return Failure{std::move(refusal)};
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) return Failure{syntax_error(file, parsed.error())};
    Flattener flattener(file);
    refusal = flattener.flatten(parsed.table(), "", 0);
    if (!refusal.empty()) return Failure{std::move(refusal)};
    return std::move(flattener.found);
  } catch (...) {
    return Failure{"out of memory", Cause::no_memory};
  }
}

}  // namespace evs::runtime
