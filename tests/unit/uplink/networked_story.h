// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/uplink/networked_story.h - a handle on a bus with an uplink, of a host that nobody on the loopback interface answers.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/api/story.h"

namespace evs::test {

inline Story::Wishes wishes(const char* bus, std::vector<evs_parameter_t> more = {}) {
  static const std::string port = std::to_string(20000 + getpid() % 20000);
  Story::Wishes made;
  made.extended = true;
  made.bus = bus;
  made.parameters = {{"uplink.transport", "udp"}, {"uplink.host_id", "1"},           {"uplink.security", "none"},
                     {"local.transport", "shm"},  {"plugin.udp.interface", "lo"}, {"plugin.udp.port", port.c_str()}};
  for (const evs_parameter_t& one : more) {
    std::erase_if(made.parameters, [&](const evs_parameter_t& known) { return std::string_view(known.key) == one.key; });
    if (one.value != nullptr) made.parameters.push_back(one);
  }
  return made;
}

// Lines that are told until there are enough of them.
inline Lines until(Story& story, const std::function<bool(const Lines&)>& enough) {
  Lines all;
  int fd = -1;
  EXPECT_EQ(evs_fd_get(story.handle, &fd), CS_OK);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < end) {
    for (std::string& line : story.told()) all.push_back(std::move(line));
    if (enough(all)) return all;
    pollfd readable{fd, POLLIN, 0};
    poll(&readable, 1, 20);
  }
  for (std::string& line : all) line.resize(std::min<size_t>(line.size(), 60));
  ADD_FAILURE() << "in vain: " << testing::PrintToString(all);
  return all;
}
inline Lines until_line(Story& story, const std::string& line) {
  return until(story, [&](const Lines& all) { return std::find(all.begin(), all.end(), line) != all.end(); });
}
inline cs_error_t until_taken(const std::function<cs_error_t()>& call) {
  cs_error_t answer = CS_ERR_TRY_AGAIN;
  for (int i = 0; i < 20'000 && answer == CS_ERR_TRY_AGAIN; ++i)
    if (answer = call(); answer == CS_ERR_TRY_AGAIN) poll(nullptr, 0, 1);
  return answer;
}
inline evs_status_t status_of(const Story& story) {
  evs_status_t status{};
  status.struct_size = sizeof status;
  EXPECT_EQ(evs_status(story.handle, &status), CS_OK);
  return status;
}

}  // namespace evs::test
