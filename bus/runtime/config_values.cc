// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_values.cc - the judgement of one value.
#include "bus/runtime/config_values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "bus/runtime/config_units.h"

namespace evs::runtime {
namespace {

constexpr size_t kNameLengthMax = 32;
constexpr size_t kPathLengthMax = 4095;  // PATH_MAX without its NUL

bool lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_bus_name(std::string_view name) {
  // The name becomes a file name: "." and ".." are directories.
  if (name.empty() || name.size() > kNameLengthMax || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return lower_or_digit(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_absolute_path(std::string_view path) {
  return !path.empty() && path.front() == '/' && path.size() <= kPathLengthMax &&
         std::none_of(path.begin(), path.end(), is_control);
}

bool is_search_path(std::string_view path) {
  while (true) {
    const size_t colon = path.find(':');
    if (!is_absolute_path(path.substr(0, colon))) return false;
    if (colon == std::string_view::npos) return true;
    path.remove_prefix(colon + 1);
  }
}

bool is_unix_group(std::string_view name) {
  return !name.empty() && name.size() <= 256 && name.front() != '-' &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return is_control(c) || c == ' ' || c == ':' || c == '/' || c == ','; });
}

bool is_log_target(std::string_view target) {
  constexpr std::string_view kFile = "file:";
  if (target == "stderr" || target == "syslog" || target == "none") return true;
  if (target.substr(0, kFile.size()) != kFile) return false;
  const std::string_view path = target.substr(kFile.size());
  return is_absolute_path(path) && path.back() != '/';
}

bool is_quorum(std::string_view text) {
  if (text == "off" || text == "auto") return true;
  if (text.size() > 3 || text.front() == '0' || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  uint32_t hosts = 0;
  for (const char digit : text) hosts = hosts * 10 + static_cast<uint32_t>(digit - '0');
  return hosts <= kMostHosts;
}

bool is_address_and_port(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string address(text.substr(0, colon));
  const std::string_view port = text.substr(colon + 1);
  in_addr parsed{};
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return !port.empty() && error == std::errc{} && end == port.data() + port.size() && number <= 65535 && inet_pton(AF_INET, address.c_str(), &parsed) == 1;
}

bool obeys(const KeySpec& key, std::string_view text) {
  if (text.empty()) return key.initial.empty();  // where empty is the default it has a meaning
  switch (key.rule) {
    case TextRule::none:
      return std::none_of(text.begin(), text.end(), is_control);
    case TextRule::bus_name:
      return is_bus_name(text);
    case TextRule::transport:
      return is_plugin_name(text) || (is_absolute_path(text) && text.back() != '/');
    case TextRule::directory:
      return is_absolute_path(text);
    case TextRule::file:
      return is_absolute_path(text) && text.back() != '/';
    case TextRule::unix_group:
      return is_unix_group(text);
    case TextRule::search_path:
      return is_search_path(text);
    case TextRule::log_target:
      return is_log_target(text);
    case TextRule::quorum:
      return is_quorum(text);
    case TextRule::listen:
      return is_address_and_port(text);
  }
  return false;
}

bool is_choice(std::string_view choices, std::string_view text) {
  if (text.empty()) return false;
  while (!choices.empty()) {
    const size_t comma = std::min(choices.find(", "), choices.size());
    if (choices.substr(0, comma) == text) return true;
    choices.remove_prefix(std::min(comma + 2, choices.size()));
  }
  return false;
}

Failure must_be(const KeySpec& key) {
  return {"must be " + describe_range(key)};
}

// What every unit refusal ends with: the bounds, so that one look is enough.
Failure with_range(const KeySpec& key, const std::string& reason) {
  return {reason + "; must be " + describe_range(key)};
}

bool in_range(const KeySpec& key, uint64_t number) {
  if (number == 0 && key.zero_too) return true;
  if (number < key.low || number > key.high) return false;
  return !key.power_of_two || (number & (number - 1)) == 0;
}

Result<Value> check_number(const KeySpec& key, const Written& written) {
  const Result<uint64_t> parsed = key.type == KeyType::bytes      ? parse_bytes(written.text)
                                  : key.type == KeyType::duration ? parse_duration(written.text)
                                                                  : parse_integer(written.text);
  if (!parsed) return with_range(key, parsed.error());
  const uint64_t number = *parsed;
  if (!in_range(key, number)) return must_be(key);
  if (key.type == KeyType::bytes) return Value{format_bytes(number), number};
  if (key.type == KeyType::duration) return Value{format_duration(number), number};
  return Value{std::to_string(number), number};
}

}  // namespace

bool is_plugin_name(std::string_view name) {
  if (name.empty() || name.size() > kNameLengthMax) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return lower_or_digit(c) || c == '-'; });
}

Result<Value> check_value(const KeySpec& key, const Written& written) {
  if (written.kind != Written::Kind::text && written.kind != Written::Kind::number)
    return with_range(key, "takes a " + std::string(type_name(key.type)));
  if (key.type != KeyType::text && key.type != KeyType::choice) return check_number(key, written);
  const bool is_number = written.kind == Written::Kind::number && key.rule == TextRule::quorum;  // of hosts, as one writes it
  if (written.kind != Written::Kind::text && !is_number) return with_range(key, "takes a text, in quotes");
  const bool good = key.type == KeyType::choice ? is_choice(key.choices, written.text) : obeys(key, written.text);
  if (!good) return must_be(key);
  return Value{written.text, 0};
}

std::string printable(std::string_view text, size_t length_max) {
  const bool cut = text.size() > length_max;
  if (cut) {
    text = text.substr(0, length_max);
    // Not through the middle of a UTF-8 character.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80) text.remove_suffix(1);
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xc0) text.remove_suffix(1);
  }
  std::string out(text);
  std::replace_if(out.begin(), out.end(), is_control, '?');
  if (cut) out += "...";
  return out;
}

std::string show(const Written& written) {
  const std::string text = printable(written.text);
  if (written.kind == Written::Kind::text) return "\"" + text + "\"";
  return written.kind == Written::Kind::list ? "[" + text + "]" : text;
}

}  // namespace evs::runtime
