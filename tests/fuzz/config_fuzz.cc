// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/config_fuzz.cc - any bytes in evs.toml's place.
//
// Whatever a file holds, it is taken, or refused in one line of bounded length that names the file; and what was taken
// can be printed and taken again. libFuzzer calls this; the sanitizers see into the parser, which is compiled with us.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bus/runtime/config.h"

namespace {

using evs::runtime::Config;
using evs::runtime::Result;

// Not assert(): a fuzzer is built with NDEBUG too.
void must(bool condition) {
  if (!condition) std::abort();
}

void check_refusal(const std::string& text) {
  must(!text.empty() && text.size() < 2000);
  for (const char c : text) must(static_cast<unsigned char>(c) >= 0x20);
  must(text.compare(0, 5, "fuzz:") == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto assignments = evs::runtime::parse_config_text(text, "fuzz");
  if (!assignments) check_refusal(assignments.error());

  const Result<Config> config = Config::from_text(text, "fuzz");
  if (!config) {
    check_refusal(config.error());
    return 0;
  }
  must(assignments.ok());
  evs::runtime::LoadRequest again;
  again.file = "/dev/null";
  again.environment.emplace();
  for (const evs::runtime::Setting& setting : config->settings())
    again.parameters.emplace_back(setting.key, setting.value);
  const Result<Config> copy = Config::load(again);
  must(copy.ok());
  must(copy->bytes("local.ring_size") == config->bytes("local.ring_size"));
  must(copy->text("bus.name") == config->text("bus.name"));
  return 0;
}
