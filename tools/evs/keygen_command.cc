// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/keygen_command.cc - four steps, each of which ends by naming the next, and a look at where one is. No key is ever printed.
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

// What was done, and what is to be known about that.
std::string with_warning(std::string said, const sealing::KeyFileWritten& written, const std::string& file) {
  if (written.warning.empty()) return said;
  return said + "Warning: " + written.warning + ". Do not repeat the step; after a power cut, look with " + command("list", file) + ".\n";
}

// What was done and what comes next.
Result<std::string> make(const KeygenOptions& options) {
  const Result<sealing::GroupKey> key = sealing::draw_key(1);
  if (!key.ok()) return key.failure();
  using How = sealing::KeyFileWrite;
  sealing::KeyFileFault fault = sealing::KeyFileFault::none;
  const auto written = sealing::write_key_file(options.file, sealing::Keyring(*key), options.force ? How::replace : How::create, &fault);
  if (written.ok()) return with_warning(options.file + ": key 1 made. Copy the file to every host of the bus, with mode 0600.\n", *written, options.file);
  if (fault != sealing::KeyFileFault::exists) return written.failure();
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

Result<std::string> list(const KeygenOptions& options) {
  const Result<sealing::Keyring> keys = sealing::read_key_file(options.file);
  if (!keys.ok()) return keys.failure();
  std::string said;
  for (const sealing::GroupKey& key : keys->keys()) said += name(key) + (said.empty() ? " seals\n" : " opens\n");
  return said;
}

Result<std::string> change(const KeygenOptions& options) {
  Result<sealing::Keyring> keys = sealing::read_key_file(options.file);
  if (!keys.ok()) return keys.failure();
  Result<std::string> said = options.add ? add(options, *keys) : options.rotate ? rotate(options, *keys) : retire(options, *keys);
  if (!said.ok()) return said;
  const auto written = sealing::write_key_file(options.file, *keys, sealing::KeyFileWrite::replace);
  if (!written.ok()) return written.failure();
  return with_warning(*said, *written, options.file);
}

Result<std::string> step(const KeygenOptions& options) {
  if (options.list) return list(options);
  const bool is_change = options.add || options.rotate || options.retire;
  if (!is_change && !options.force) return make(options);  // which replaces nothing, so needs no lock
  const auto lock = sealing::KeyFileLock::take(options.file);
  if (!lock.ok()) return lock.failure();
  return is_change ? change(options) : make(options);
}

}  // namespace

int run_keygen(const KeygenOptions& options) {
  const Result<std::string> said = step(options);
  const std::string others = said.ok() ? sealing::who_else_may_replace(options.file) : "";
  if (!others.empty()) std::fprintf(stderr, "evs keygen: warning: %s\n", others.c_str());
  if (said.ok()) return print(*said);
  std::fprintf(stderr, "evs keygen: %s\n", said.error().c_str());
  return kExitFailure;
}

}  // namespace evs::tools
