// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/plugins_text.cc - see plugins_text.h. What a plugin says of itself is foreign text: made printable first.
#include "tools/evs/plugins_text.h"

#include <algorithm>

#include "tools/evs/json.h"

namespace evs::tools {

using runtime::LoadedPlugin;
using runtime::PluginFile;

namespace {

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : printable(text);
}

std::string kind_of(const evs_plugin_descriptor& descriptor) {
  return descriptor.kind == EVS_KIND_TRANSPORT ? "transport" : "service";
}

std::string medium_of(const evs_plugin_descriptor& descriptor) {
  if (descriptor.kind != EVS_KIND_TRANSPORT) return "";
  return descriptor.transport->medium == EVS_MEDIUM_ORDERED ? "ordered" : "datagram";
}

std::string abi_of(const LoadedPlugin& plugin) {
  return std::to_string(plugin.entry->abi_major) + "." + std::to_string(plugin.entry->abi_minor);
}

bool is_named(const PluginFile& file, const std::string& name) {
  for (const LoadedPlugin& plugin : file.plugins)
    if (plugin.name() == name) return true;
  const std::string base = file.file.substr(file.file.rfind('/') + 1);
  return base == name || base == "evs-transport-" + name + ".so" || base == "evs-service-" + name + ".so";
}

std::string parameter_table(const LoadedPlugin& plugin, const Palette& paint) {
  const auto parameters = plugin.parameters();
  if (parameters.empty()) return "      takes no parameters\n";
  Table table({{"PARAMETER"}, {"TYPE"}, {"DEFAULT"}, {"VALUES"}, {"MEANING"}});
  for (const evs_parameter_info& p : parameters)
    table.row({text_of(p.key), text_of(p.type), text_of(p.fallback), text_of(p.range), text_of(p.help)});
  return table.render(paint, "      ");
}

std::string good_text(const PluginFile& file, bool parameters, const Palette& paint) {
  std::string out;
  for (const LoadedPlugin& plugin : file.plugins) {
    const evs_plugin_descriptor& d = *plugin.descriptor;
    const std::string medium = medium_of(d);
    out += paint(Paint::bold, printable(plugin.name())) + "  " + kind_of(d) +
           (medium.empty() ? "" : ", " + medium + " medium") + ", version " + text_of(d.version) + ", ABI " +
           abi_of(plugin) + "\n";
    out += "    " + text_of(d.description) + "\n    " + printable(file.file) + "\n";
    if (file.hidden)
      out += "    " + paint(Paint::yellow, "hidden: a file of the same name comes before it on the path") + "\n";
    if (parameters) out += parameter_table(plugin, paint);
  }
  return out;
}

Json parameters_json(const LoadedPlugin& plugin) {
  Json out = Json::array();
  const auto plain = [](const char* text) { return text == nullptr ? Json(nullptr) : Json(text); };
  for (const evs_parameter_info& p : plugin.parameters())
    out.push_back({{"key", plain(p.key)},
                   {"type", plain(p.type)},
                   {"default", plain(p.fallback)},
                   {"range", plain(p.range)},
                   {"help", plain(p.help)}});
  return out;
}

}  // namespace

std::vector<PluginFile> choose_plugins(const std::vector<PluginFile>& all, const std::vector<std::string>& names) {
  if (names.empty()) return all;
  std::vector<PluginFile> chosen;
  std::copy_if(all.begin(), all.end(), std::back_inserter(chosen), [&](const PluginFile& file) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return is_named(file, name); });
  });
  return chosen;
}

std::string plugins_text(const std::vector<PluginFile>& files, bool parameters, const Palette& paint) {
  std::string out;
  const auto add = [&](const std::string& paragraph) {
    if (!out.empty()) out += "\n";
    out += paragraph;
  };
  for (const PluginFile& file : files)
    if (file.problem.empty()) add(good_text(file, parameters, paint));
  for (const PluginFile& file : files)
    if (!file.problem.empty())
      add(paint(Paint::red, "refused") + "  " + printable(file.file) + "\n    " + printable(file.problem) + "\n");
  return out;
}

Json plugins_json(const std::vector<PluginFile>& files) {
  Json found = Json::array(), refused = Json::array();
  for (const PluginFile& file : files) {
    if (!file.problem.empty()) {
      refused.push_back({{"file", file.file}, {"problem", file.problem}});
      continue;
    }
    for (const LoadedPlugin& plugin : file.plugins) {
      const evs_plugin_descriptor& d = *plugin.descriptor;
      const std::string medium = medium_of(d);
      found.push_back({{"name", plugin.name()},
                       {"kind", kind_of(d)},
                       {"medium", medium.empty() ? Json(nullptr) : Json(medium)},
                       {"version", d.version},
                       {"abi", abi_of(plugin)},
                       {"description", d.description},
                       {"file", file.file},
                       {"hidden", file.hidden},
                       {"parameters", parameters_json(plugin)}});
    }
  }
  return {{"plugins", std::move(found)}, {"refused", std::move(refused)}};
}

}  // namespace evs::tools
