// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_keys.cc - the table of keys, put into words: for errors, for the terminal, for the manual page.
#include "bus/runtime/config_keys.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "bus/runtime/config_units.h"

namespace evs::runtime {
namespace {

// How many letters must be inserted, dropped or replaced to make one of the other.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string_view last_part(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

std::string rule_text(TextRule rule) {
  switch (rule) {
    case TextRule::none:
      return "any text";
    case TextRule::bus_name:
      return "1 to 32 of the characters a-z 0-9 _ . - (not \".\" or \"..\")";
    case TextRule::transport:
      return "a plugin's name (1 to 32 of a-z 0-9 -) or the absolute path of a file";
    case TextRule::directory:
      return "an absolute path";
    case TextRule::file:
      return "the absolute path of a file";
    case TextRule::unix_group:
      return "the name of a Unix group";
    case TextRule::search_path:
      return "absolute paths separated by colons";
    case TextRule::log_target:
      return "one of stderr, syslog, none, file:/absolute/path";
    case TextRule::listen:
      return "an IPv4 address, a colon and a port from 0 to 65535";
    case TextRule::quorum:
      return "off, auto, or a number of hosts from 1 to " + std::to_string(kMostHosts);
  }
  return "";
}

std::string amount(const KeySpec& key, uint64_t value) {
  switch (key.type) {
    case KeyType::bytes:
      return format_bytes(value);
    case KeyType::duration:
      return format_duration(value);
    default:
      return std::to_string(value);
  }
}

bool is_number(const KeySpec& key) {
  return key.type == KeyType::bytes || key.type == KeyType::duration || key.type == KeyType::integer;
}

std::string default_text(const KeySpec& key) {
  if (!key.initial.empty()) return std::string(key.initial);
  return "\"\", meaning " + std::string(key.empty_means);
}

// "integer: messages of a kind in 10 s"
std::string type_text(const KeySpec& key) {
  std::string out(type_name(key.type));
  if (!key.counts.empty()) out += ": " + std::string(key.counts);
  if (key.type == KeyType::bytes) out += ": " + std::string(kByteUnits);
  if (key.type == KeyType::duration) out += ": " + std::string(kDurationUnits);
  return out;
}

// scdoc reads _ * \ and a leading # . - as markup; a backslash takes a character as it is.
std::string scd(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '_' || c == '*' || c == '\\' || c == '#' || c == '<' || c == '>') out += '\\';
    out += c;
  }
  return out;
}

// Appends `text` in lines of at most `width` columns, each after `indent` spaces.
void wrap(std::string& out, std::string_view text, size_t indent, size_t width) {
  size_t column = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (column != 0 && column + 1 + word.size() > width) {
      out += '\n';
      column = 0;
    }
    if (column == 0) {
      out.append(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += '\n';
}

}  // namespace

bool is_section(std::string_view name) {
  for (const KeySpec& key : kKeys)
    if (key.name.size() > name.size() && key.name[name.size()] == '.' && key.name.substr(0, name.size()) == name)
      return true;
  return false;
}

std::string_view nearest_key(std::string_view name) {
  // A long name is nobody's typing error, and the comparison is quadratic.
  const std::string_view asked = name.substr(0, 128);
  std::string_view best;
  size_t best_score = std::numeric_limits<size_t>::max();
  for (const KeySpec& key : kKeys) {
    // The whole name may be close, or the key is right and the section wrong or missing.
    const size_t score =
        std::min(2 * distance(asked, key.name), 2 * distance(last_part(asked), last_part(key.name)) + 3);
    if (score >= best_score) continue;
    best_score = score;
    best = key.name;
  }
  return best;
}

std::string environment_name(std::string_view key) {
  std::string out = "EVS_";
  for (const char c : key) out += c == '.' ? '_' : (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  return out;
}

std::string describe_range(const KeySpec& key) {
  if (key.type == KeyType::choice) return "one of " + std::string(key.choices);
  if (!is_number(key)) {
    const std::string rule(rule_text(key.rule));
    return key.initial.empty() ? rule + ", or empty" : rule;
  }
  std::string out;
  if (key.zero_too) out += "0, or ";
  if (key.power_of_two) out += "a power of two ";
  return out + "from " + amount(key, key.low) + " to " + amount(key, key.high);
}

std::string_view type_name(KeyType type) {
  switch (type) {
    case KeyType::text:
      return "text";
    case KeyType::choice:
      return "choice";
    case KeyType::bytes:
      return "size";
    case KeyType::duration:
      return "duration";
    case KeyType::integer:
      return "integer";
  }
  return "";
}

std::string explain_choices() {
  std::string out;
  for (const KeySpec& key : kKeys) {
    out += std::string(key.name) + " (" + type_text(key) + ")\n";
    wrap(out, "default: " + default_text(key), 4, 100);
    wrap(out, "valid: " + describe_range(key), 4, 100);
    wrap(out, "environment: " + environment_name(key.name), 4, 100);
    wrap(out, key.help, 4, 100);
  }
  out += "plugin.NAME.KEY\n";
  wrap(out, "A parameter of the plugin NAME, which checks it itself: see `evs plugins`.", 4, 100);
  return out;
}

std::string key_reference_scd() {
  std::string out;
  std::string_view section;
  for (const KeySpec& key : kKeys) {
    const std::string_view its_section = key.name.substr(0, key.name.find('.'));
    if (its_section != section) {
      section = its_section;
      out.append("## [").append(section).append("]\n\n");
    }
    out.append("*").append(scd(last_part(key.name))).append("* (").append(scd(type_text(key))).append(")\n");
    // One paragraph, indented by scdoc's tab; ++ breaks a line in it, and what follows is in the paragraph already.
    std::string body;
    wrap(body, scd(key.help) + "++", 0, 110);
    wrap(body, scd("Default: " + default_text(key)) + "++", 0, 110);
    wrap(body, scd("Valid: " + describe_range(key)), 0, 110);
    bool broken = false;
    for (size_t at = 0; at < body.size();) {
      const size_t end = body.find('\n', at) + 1;
      out.append(broken ? "" : "\t").append(body, at, end - at);
      broken = body.compare(end - 3, 2, "++") == 0;
      at = end;
    }
    out += '\n';
  }
  return out;
}

}  // namespace evs::runtime
