// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/completion.cc - three shells, one flattened view of the tree.
#include "tools/evs/completion.h"

#include <algorithm>
#include <vector>

namespace evs::tools {

namespace {

struct Flag {
  std::vector<std::string> shorts, longs;
  std::string description;
  bool takes_value = false;
  bool repeats = false;
  bool positional = false;
  std::string type;                  // FILE, DIR, NAME ...
  std::vector<std::string> choices;  // of a checked set
};

struct Command {
  std::string name, description;
  std::vector<Flag> flags;
};

// CLI11 keeps the values of IsMember in the type's text only: "TEXT:{a,b}".
std::vector<std::string> choices_in(const std::string& type) {
  std::vector<std::string> choices;
  const size_t open = type.find('{'), close = type.find('}');
  if (open == std::string::npos || close == std::string::npos) return choices;
  for (size_t begin = open + 1; begin < close;) {
    const size_t end = std::min(type.find(',', begin), close);
    choices.push_back(type.substr(begin, end - begin));
    begin = end + 1;
  }
  return choices;
}

std::vector<Flag> flags_of(const CLI::App& app) {
  std::vector<Flag> flags;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    Flag flag;
    flag.shorts = option->get_snames();
    flag.longs = option->get_lnames();
    flag.description = option->get_description();
    flag.takes_value = option->get_items_expected_max() > 0;
    flag.repeats = option->get_expected_max() > 1;
    flag.positional = option->get_positional();
    const std::string type = option->get_type_name();
    flag.type = type.substr(0, type.find(':'));
    flag.choices = choices_in(type);
    flags.push_back(std::move(flag));
  }
  return flags;
}

std::vector<Command> commands_of(const CLI::App& tree) {
  std::vector<Command> commands;
  for (const CLI::App* command : tree.get_subcommands([](const CLI::App*) { return true; }))
    commands.push_back({command->get_name(), command->get_description(), flags_of(*command)});
  return commands;
}

std::vector<std::string> spellings(const Flag& flag) {
  std::vector<std::string> names;
  for (const std::string& name : flag.shorts) names.push_back("-" + name);
  for (const std::string& name : flag.longs) names.push_back("--" + name);
  return names;
}

std::string join(const std::vector<std::string>& parts, const char* between) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : between) + part;
  return out;
}

std::string option_words(const std::vector<Flag>& flags) {
  std::vector<std::string> words;
  for (const Flag& flag : flags)
    if (!flag.positional)
      for (const std::string& name : spellings(flag)) words.push_back(name);
  return join(words, " ");
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string made_by(const CLI::App& tree) { return "made by `" + tree.get_name() + " --completion` from the command-line tree"; }

// The shell function that completes a program.
std::string function_of(const CLI::App& tree) { return "_" + replace_all(tree.get_name(), "-", "_"); }

std::string bash_values(const Flag& flag) {
  if (!flag.choices.empty()) return "COMPREPLY=($(compgen -W '" + join(flag.choices, " ") + "' -- \"$word\"))";
  if (flag.type == "FILE") return "COMPREPLY=($(compgen -f -- \"$word\"))";
  if (flag.type == "DIR") return "COMPREPLY=($(compgen -d -- \"$word\"))";
  return "COMPREPLY=()";
}

// Inside single quotes of zsh and fish.
std::string zsh_quoted(const std::string& text) {
  return replace_all(text, "'", "'\\''");
}
std::string fish_quoted(const std::string& text) {
  return replace_all(replace_all(text, "\\", "\\\\"), "'", "\\'");
}

std::string zsh_action(const Flag& flag) {
  if (!flag.choices.empty()) return "(" + join(flag.choices, " ") + ")";
  if (flag.type == "FILE") return "_files";
  if (flag.type == "DIR") return "_files -/";
  return " ";
}

std::string zsh_spec(const Flag& flag) {
  // In a specification of _arguments [ ] and : have a meaning.
  std::string help = replace_all(replace_all(replace_all(flag.description, "[", "\\["), "]", "\\]"), ":", "\\:");
  help = zsh_quoted(help);
  const std::string value =
      flag.takes_value ? ":" + (flag.type.empty() ? "value" : flag.type) + ":" + zsh_action(flag) : "";
  if (flag.positional)
    return "      '" + std::string(flag.repeats ? "*" : "") + ":" + help + ":" + zsh_action(flag) + "'";
  std::string specs;
  const auto names = spellings(flag);
  for (const std::string& name : names) {
    const std::string excluded = flag.repeats ? "*" : "(" + join(names, " ") + ")";
    const std::string equals = flag.takes_value && name.substr(0, 2) == "--" ? "=" : "";
    specs += (specs.empty() ? "" : " \\\n") + std::string("      '") + excluded + name + equals + "[" + help + "]" +
             value + "'";
  }
  return specs;
}

}  // namespace

std::string bash_completion(const CLI::App& tree) {
  const auto commands = commands_of(tree);
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);

  std::string out = "# bash completion for " + tree.get_name() + ", " + made_by(tree) + "\n" + function_of(tree) +
                    "() {\n"
                    "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command='' i\n";
  if (!names.empty())
    out += "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "    case ${COMP_WORDS[i]} in " +
           join(names, "|") +
           ") command=${COMP_WORDS[i]}; break ;; esac\n"
           "  done\n";
  out += "  case $command:$previous in\n";
  std::vector<Command> all = commands;
  all.push_back({"", "", flags_of(tree)});
  for (const Command& command : all)
    for (const Flag& flag : command.flags) {
      if (flag.positional || !flag.takes_value) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : spellings(flag)) patterns.push_back(command.name + ":" + name);
      out += "    " + join(patterns, "|") + ") " + bash_values(flag) + "; return ;;\n";
    }
  out +=
      "  esac\n  case $command in\n"
      "    '') COMPREPLY=($(compgen -W '" +
      join(names, " ") + " " + option_words(flags_of(tree)) + "' -- \"$word\")) ;;\n";
  for (const Command& command : commands) {
    std::string words = option_words(command.flags);
    std::string files;
    for (const Flag& flag : command.flags) {
      if (flag.positional && !flag.choices.empty()) words += " " + join(flag.choices, " ");
      if (flag.positional && flag.type == "FILE") files = " $(compgen -f -- \"$word\")";
    }
    out += "    " + command.name + ") COMPREPLY=($(compgen -W '" + words + "' -- \"$word\")" + files + ") ;;\n";
  }
  return out + "  esac\n}\ncomplete -F " + function_of(tree) + " " + tree.get_name() + "\n";
}

std::string zsh_completion(const CLI::App& tree) {
  const auto commands = commands_of(tree);
  const std::string name = tree.get_name(), function = function_of(tree);
  const std::string call = "}\n\nif [ \"$funcstack[1]\" = " + function + " ]; then " + function + " \"$@\"; else compdef " + function + " " + name + "; fi\n";
  std::string out = "#compdef " + name + "\n# zsh completion for " + name + ", " + made_by(tree) + "\n\n" + function + "() {\n";
  if (commands.empty()) {
    out += "  _arguments";
    for (const Flag& flag : flags_of(tree)) out += " \\\n" + zsh_spec(flag);
    return out + "\n" + call;
  }
  out +=
                    "  local state line\n  typeset -A opt_args\n  local -a commands\n  commands=(\n";
  for (const Command& command : commands)
    out += "    '" + command.name + ":" + zsh_quoted(replace_all(command.description, ":", "\\:")) + "'\n";
  out += "  )\n  _arguments -C \\\n";
  for (const Flag& flag : flags_of(tree)) out += zsh_spec(flag) + " \\\n";
  out +=
      "      '1: :->command' \\\n      '*:: :->rest'\n"
      "  case $state in\n    command) _describe -t commands 'evs command' commands ;;\n    rest)\n      case $line[1] "
      "in\n";
  for (const Command& command : commands) {
    out += "        " + command.name + ")\n          _arguments";
    for (const Flag& flag : command.flags) out += " \\\n" + zsh_spec(flag);
    out += " ;;\n";
  }
  return out + "      esac ;;\n  esac\n" + call;
}

std::string fish_completion(const CLI::App& tree) {
  const auto commands = commands_of(tree);
  const std::string name = tree.get_name();
  std::string out = "# fish completion for " + name + ", " + made_by(tree) + "\ncomplete -c " + name + " -f\n";
  const auto add = [&](const std::string& condition, const Flag& flag) {
    std::string line = "complete -c " + name + (condition.empty() ? "" : " -n '" + condition + "'");
    if (flag.positional) {
      if (!flag.choices.empty()) out += line + " -a '" + join(flag.choices, " ") + "'\n";
      if (flag.type == "FILE") out += line + " -F\n";
      return;
    }
    for (const std::string& spelling : flag.shorts) line += " -s " + spelling;
    for (const std::string& spelling : flag.longs) line += " -l " + spelling;
    if (flag.takes_value) line += flag.type == "FILE" || flag.type == "DIR" ? " -r -F" : " -x";
    if (!flag.choices.empty()) line += " -a '" + join(flag.choices, " ") + "'";
    out += line + " -d '" + fish_quoted(flag.description) + "'\n";
  };
  for (const Flag& flag : flags_of(tree)) add(commands.empty() ? "" : "__fish_use_subcommand", flag);
  for (const Command& command : commands)
    out += "complete -c evs -n __fish_use_subcommand -a " + command.name + " -d '" + fish_quoted(command.description) +
           "'\n";
  for (const Command& command : commands)
    for (const Flag& flag : command.flags) add("__fish_seen_subcommand_from " + command.name, flag);
  return out;
}

}  // namespace evs::tools
