// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/exposition_fuzz.cc - any bytes in the place of an exporter's answer to evs-top.
//
// They are refused with a line and a sentence that steers no terminal, or they are series within the bounds; written and read again they are the same, and a
// screen can be made of them.
#include <cstdint>
#include <cstdlib>

#include "tools/evs/text.h"
#include "tools/top/exposition.h"
#include "tools/top/layout.h"
#include "tools/top/source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace evs::top;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Families families, again;
  std::string failure;
  if (!parse_exposition(text, families, failure)) {
    const bool says_where = failure.starts_with("line ") || failure.starts_with("the text ");
    if (!says_where || evs::tools::printable(failure) != failure || !families.empty()) std::abort();  // not assert(): a fuzzer is built with NDEBUG too
    return 0;
  }
  const std::string written = write_exposition(families);
  if (written.size() <= kMostTextBytes && parse_exposition(written, again, failure) && write_exposition(again) != written) std::abort();

  Model model;
  Frame frame;
  if (!pick_bus(std::move(families), "", frame, failure)) return 0;
  model.add(frame);
  frame.monotonic_ns += 1'000'000'000;
  model.add(std::move(frame));
  for (size_t view = 0; view < kViews; ++view) {
    Ui ui;
    ui.view = static_cast<View>(view);
    if (layout(model, ui, 80, 24).size() != 24) std::abort();
  }
  return 0;
}
