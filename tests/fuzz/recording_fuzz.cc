// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/recording_fuzz.cc - any bytes in the place of a recording of evs-top, frame by frame.
//
// A line is refused with a sentence, or it is a frame: written and read again it is the same, and screens can be made of one after the other, whatever they say.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "tools/evs/text.h"
#include "tools/top/layout.h"
#include "tools/top/recording.h"
#include "tools/top/sheet.h"
#include "tools/top/svg.h"
#include "tools/top/views.h"

namespace {

using namespace evs::top;

void draw(const Model& model) {
  for (size_t view = 0; view < kViews; ++view) {
    Ui ui;
    ui.view = static_cast<View>(view);
    ui.totals = view % 2 == 0;
    ui.ascii = view % 3 == 0;
    const Screen screen = layout(model, ui, 80, 24);
    const std::string text = plain_text(screen);
    // What another process wrote steers no terminal.
    const bool steers = std::any_of(text.begin(), text.end(), [](char c) { return c != '\n' && static_cast<unsigned char>(c) < 0x20; });
    if (screen.size() != 24 || steers) std::abort();
    csv_of(sheet_of(model, ui), "now", true);
  }
  svg_of(layout(model, {}, 80, kNoLimit), 80, "a picture");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Model model;
  judge_header(rest.substr(0, rest.find('\n')));
  for (int frames = 0; !rest.empty() && frames < 4; ++frames) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    Frame frame, again;
    std::string failure;
    if (!read_frame(line, frame, failure)) {
      if (failure.empty()) std::abort();
      continue;
    }
    const std::string written = write_frame(frame);
    if (!read_frame(written, again, failure) || write_frame(again) != written) std::abort();
    check_line(frame, judge(frame, {}), {});
    model.add(std::move(frame));
    draw(model);
  }
  return 0;
}
