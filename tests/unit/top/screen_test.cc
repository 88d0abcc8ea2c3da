// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/top/screen_test.cc - whole screens, held against texts: of the recorded runs, by view and by size.
//
// EVS_WRITE_REFERENCE=1 writes the texts anew (tests/unit/top/golden); read what changed before it is kept.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/golden.h"
#include "tests/unit/top/frames.h"
#include "tools/top/draw.h"
#include "tools/top/layout.h"
#include "tools/top/recording.h"
#include "tools/top/svg.h"

namespace evs::top {
namespace {

const std::string kGolden = EVS_SOURCE_DIR "/tests/unit/top/golden/";
const std::string kLocal = EVS_SOURCE_DIR "/docs/evs-top.jsonl", kUplink = EVS_SOURCE_DIR "/tests/unit/top/golden/uplink.jsonl";

Model replayed(const std::string& path) {
  Model model;
  Recording recording;
  Frame frame;
  std::string failure;
  EXPECT_TRUE(recording.open(path, failure)) << failure;
  while (recording.next(frame, failure) == Recording::Next::frame) model.add(frame);
  EXPECT_EQ(failure, "");
  return model;
}

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = kGolden + name + ".txt";
  if (std::getenv("EVS_WRITE_REFERENCE") != nullptr) std::ofstream(path) << text;
  EXPECT_EQ(text, evs::test::read_file(path)) << path;
}

void expect_fits(const Screen& screen, size_t width, size_t height) {
  EXPECT_EQ(screen.size(), height);
  for (const Line& line : screen) {
    size_t used = 0;
    for (const Span& span : line) used += width_of(span.text);
    EXPECT_LE(used, width) << plain_text({line});
  }
}

TEST(Screen, OfALocalRunByView) {
  const Model model = replayed(kLocal);
  for (size_t i = 0; i < kViews; ++i) {
    Ui ui;
    ui.view = static_cast<View>(i);
    const Screen screen = layout(model, ui, 80, 24);
    expect_fits(screen, 80, 24);
    expect_golden("local-" + std::string(name_of(ui.view)) + "-80x24", plain_text(screen));
  }
}

TEST(Screen, OfAHostOnARingOfHosts) {
  const Model model = replayed(kUplink);
  for (const View view : {View::processes, View::ring, View::memberships}) {
    Ui ui;
    ui.view = view;
    expect_golden("uplink-" + std::string(name_of(view)) + "-120x30", plain_text(layout(model, ui, 120, 30)));
  }
}

TEST(Screen, HelpAndAFilterBeingTyped) {
  const Model model = replayed(kLocal);
  Ui ui;
  ui.help = true;
  expect_golden("help-80x24", plain_text(layout(model, ui, 80, 24)));
  ui.help = false;
  ui.prompting = true;
  ui.filter = "feed";
  expect_golden("filter-80x24", plain_text(layout(model, ui, 80, 24)));
}

TEST(Screen, ASmallOneIsCutAndALargeOneFilled) {
  const Model model = replayed(kUplink);
  for (const auto& [width, height] : std::vector<std::pair<size_t, size_t>>{{1, 1}, {20, 3}, {40, 10}, {79, 23}, {300, 100}})
    for (size_t i = 0; i < kViews; ++i) {
      Ui ui;
      ui.view = static_cast<View>(i);
      expect_fits(layout(model, ui, width, height), width, height);
    }
}

TEST(Screen, ATerminalOfAsciiGetsNothingElse) {
  const Model model = replayed(kLocal);
  for (size_t i = 0; i < kViews; ++i) {
    Ui ui;
    ui.ascii = true;
    ui.view = static_cast<View>(i);
    for (const unsigned char c : plain_text(layout(model, ui, 120, 30))) EXPECT_LT(c, 0x80);
  }
}

TEST(Screen, WhatAStoppedProcessIsCalledIsRed) {
  const Model model = replayed(kLocal);
  bool found = false;
  for (const Line& line : layout(model, {}, 120, 30))
    for (const Span& span : line) found |= span.tone == Tone::bad && span.text.starts_with("hung, stopped");
  EXPECT_TRUE(found);
}

TEST(Screen, WhenItCannotLookItSaysSoAndShowsWhatWas) {
  Model model;
  model.fail("there is no bus \"default\"");
  EXPECT_NE(plain_text(layout(model, {}, 80, 24)).find("cannot look: there is no bus \"default\""), std::string::npos);
  model.add(test::frame());
  model.fail("gone");
  const std::string text = plain_text(layout(model, {}, 80, 24));
  EXPECT_NE(text.find("cannot look: gone"), std::string::npos);
  EXPECT_NE(text.find("812"), std::string::npos);
}

TEST(Screen, WhatTheGatewaySaysIsWrongStandsInTheHeadWithHowManyMore) {
  Frame frame = test::frame();
  frame.detail->outbox.emplace();
  frame.detail->uplink.values = {{"problem_1", "host 8 at 10.0.0.8:5405 is sealed with another key: its packets do not open, and it is in no ring with this host"}, {"problem_2", "host 9 is deaf"}};
  Model model;
  model.add(frame);
  expect_golden("problems-80x24", plain_text(layout(model, {}, 80, 24)));
  const std::string printed = plain_text(layout(model, {}, 80, kNoLimit));
  EXPECT_NE(printed.find("host 8 at 10.0.0.8:5405 is sealed with another key: its packets do not open, and\n  it is in no ring with this host  (and 1 more)\n"), std::string::npos) << printed;
}

TEST(Screen, NumbersBeyondAllMeasureAreDrawn) {
  Frame frame = test::frame();
  frame.detail.reset();
  for (const double number : {5e300, -5e300, kNone}) {
    frame.families.clear();
    for (const char* name : {"evs_ring_capacity_bytes", "evs_ring_used_bytes", "evs_processes", "evs_members", "evs_memberships_total", "evs_token_age_seconds"})
      frame.families.push_back({name, Kind::gauge, {{{{"ring", "order"}}, number, {}, 0, 0}}});
    for (const char* kind : {"high", "stable", "received_up_to"}) frame.families.push_back({"evs_sequence_number", Kind::gauge, {{{{"kind", kind}}, number, {}, 0, 0}}});
    Model model;
    model.add(frame);
    frame.monotonic_ns += test::kSecond;
    model.add(frame);
    for (size_t i = 0; i < kViews; ++i) {
      Ui ui;
      ui.view = static_cast<View>(i);
      expect_fits(layout(model, ui, 80, 24), 80, 24);
    }
  }
}

TEST(Screen, ManyRowsScrollAndTheLastStays) {
  Frame frame = test::frame();
  for (int i = 0; i < 100; ++i) frame.detail->members.push_back(test::member(static_cast<uint32_t>(10 + i), 5000 + i, "many"));
  Model model;
  model.add(frame);
  Ui ui;
  for (int i = 0; i < 300; ++i) press(ui, kKeyDown, shown_at(model, ui, 24));
  const std::string text = plain_text(layout(model, ui, 80, 24));
  EXPECT_NE(text.find("5099"), std::string::npos);
  EXPECT_EQ(text.find("5000"), std::string::npos);
}

TEST(Picture, IsOfThatScreenAndEscaped) {
  const std::string svg = svg_of({{{"a<b&\"c\"", Tone::bad}}}, 80, "a label");
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_NE(svg.find("a&lt;b&amp;&quot;c&quot;</text>"), std::string::npos);
  EXPECT_NE(svg_of({{{"  a  b "}}}, 80, "").find("<text x=\"28.8\" y=\"26.0\" textLength=\"33.6\" fill=\"#d4d4d4\">a&#160;&#160;b</text>"), std::string::npos) << "no blank of it can be lost";
  EXPECT_NE(svg.find("<title>a label</title>"), std::string::npos);
}

}  // namespace
}  // namespace evs::top
