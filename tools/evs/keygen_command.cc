// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/keygen_command.cc - four steps, each of which ends by naming the next. No key is ever printed.
#include "tools/evs/keygen_command.h"

#include <cstdio>
#include <string>

#include "bus/runtime/sealing/key_file.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/output.h"

namespace evs::tools {
namespace {

namespace sealing = runtime::sealing;
using runtime::Failure;
using runtime::Result;

std::string name(const sealing::GroupKey& key) { return "key " + std::to_string(key.id); }
std::string command(const char* step, const std::string& file) { return "'evs keygen --" + std::string(step) + " " + file + "'"; }

Result<bool> write(const KeygenOptions& options, const sealing::Keyring& keys, sealing::KeyFileWrite how) {
  return sealing::write_key_file(options.file, keys, how);
}

// What was done and what comes next.
Result<std::string> make(const KeygenOptions& options) {
  const Result<sealing::GroupKey> key = sealing::draw_key(1);
  if (!key.ok()) return key.failure();
  const Result<bool> written = write(options, sealing::Keyring(*key), options.force ? sealing::KeyFileWrite::replace : sealing::KeyFileWrite::create);
  if (written.ok()) return options.file + ": key 1 made. Copy the file to every host of the bus, with mode 0600.\n";
  if (options.force || written.error().find("File exists") == std::string::npos) return written.failure();
  return Failure{written.error() + ". Hosts that have that key would no longer understand this one: replace it step by step, beginning with " +
                 command("add", options.file) + ", or overwrite it with --force"};
}

Result<std::string> add(const KeygenOptions& options, sealing::Keyring& keys) {
  if (keys.keys().size() == sealing::kMostKeys) {
    // A key that was added has the higher id; where it seals already, another --rotate would bring the old one back.
    const bool rotated = keys.keys()[0].id > keys.keys()[1].id;
    return Failure{options.file + ": has two keys already: end the replacement that is under way (" + command(rotated ? "retire" : "rotate", options.file) +
                   (rotated ? ")" : ", then --retire)")};
  }
  const Result<sealing::GroupKey> key = sealing::draw_key(keys.unused_id());
  if (!key.ok()) return key.failure();
  keys.add(*key);
  return options.file + ": " + name(*key) + " added; " + name(keys.keys()[0]) + " still seals. Copy the file to every host; when all have it, " +
         command("rotate", options.file) + " on each.\n";
}

Result<std::string> rotate(const KeygenOptions& options, sealing::Keyring& keys) {
  if (!keys.rotate()) return Failure{options.file + ": has one key and nothing to change to: " + command("add", options.file) + " first"};
  return options.file + ": " + name(keys.keys()[0]) + " seals, " + name(keys.keys()[1]) + " still opens. When every host has come so far, " +
         command("retire", options.file) + " on each.\n";
}

Result<std::string> retire(const KeygenOptions& options, sealing::Keyring& keys) {
  if (keys.keys().size() != sealing::kMostKeys) return Failure{options.file + ": has one key, which seals: there is none to retire"};
  const std::string gone = name(keys.keys()[1]);
  keys.retire();
  return options.file + ": " + gone + " retired; " + name(keys.keys()[0]) + " is the only one.\n";
}

Result<std::string> step(const KeygenOptions& options) {
  if (!options.add && !options.rotate && !options.retire) return make(options);
  Result<sealing::Keyring> keys = sealing::read_key_file(options.file);
  if (!keys.ok()) return keys.failure();
  Result<std::string> said = options.add ? add(options, *keys) : options.rotate ? rotate(options, *keys) : retire(options, *keys);
  if (!said.ok()) return said;
  const Result<bool> written = write(options, *keys, sealing::KeyFileWrite::replace);
  if (!written.ok()) return written.failure();
  return said;
}

}  // namespace

int run_keygen(const KeygenOptions& options) {
  const Result<std::string> said = step(options);
  if (said.ok()) return print(*said);
  std::fprintf(stderr, "evs keygen: %s\n", said.error().c_str());
  return kExitFailure;
}

}  // namespace evs::tools
