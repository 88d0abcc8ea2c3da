// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/gateway_story.h - the `evs` command on hosts of a crowd: what it is started with, and what `evs status` says.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/e2e/buses/crowd.h"
#include "tools/evs/json.h"

namespace evs::test {

using tools::Json;

// A run of `evs` to its end.
struct Ran {
  int status = -1;
  std::string out, error;
};

inline std::string rest_of(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(got));
  close(fd);
  return text;
}

class StandingGateway : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = Wire::refused(); !why.empty()) GTEST_SKIP() << "no network namespaces here: " << why;
  }

  static std::vector<std::string> command_line(const Crowd& crowd, size_t host, std::vector<std::string> words, const std::vector<std::string>& instead = {}) {
    words.insert(words.begin(), EVS_COMMAND);
    for (const std::string& parameter : crowd.parameters_of(host)) words.insert(words.end(), {"--set", parameter});
    for (const std::string& parameter : instead) words.insert(words.end(), {"--set", parameter});
    return words;
  }
  static Ran run(Crowd& crowd, size_t host, const std::vector<std::string>& words, const std::vector<std::string>& instead = {}) {
    int out[2], error[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const pid_t pid = crowd.wire().start(host, command_line(crowd, host, words, instead), -1, out[1], error[1]);
    close(out[1]);
    close(error[1]);
    Ran ran;
    ran.out = rest_of(out[0]);
    ran.error = rest_of(error[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status)) ran.status = WEXITSTATUS(status);
    return ran;
  }
  static void start(Crowd& crowd, size_t host, Driven& gateway, const std::vector<std::string>& instead = {}) {
    start_command(crowd, host, gateway, {"gateway"}, instead);
  }
  static void start_command(Crowd& crowd, size_t host, Driven& process, const std::vector<std::string>& words, const std::vector<std::string>& instead = {}) {
    process.start([&](int input, int output) { return crowd.wire().start(host, command_line(crowd, host, words, instead), input, output); });
  }
  static Json status(Crowd& crowd, size_t host) {
    const Ran ran = run(crowd, host, {"status", "--json"});
    EXPECT_EQ(ran.status, 0) << ran.error;
    return Json::parse(ran.out, nullptr, false);
  }
  static std::string text(Crowd& crowd, size_t host) { return run(crowd, host, {"status"}).out; }
  // A value of the uplink as `evs status --json` tells it; null: it is not told.
  static Json told(Crowd& crowd, size_t host, const char* name) {
    const Json all = status(crowd, host);
    return all.is_object() && all["uplink"].is_object() && all["uplink"].contains(name) ? all["uplink"][name] : Json();
  }
  static bool carries(Crowd& crowd, size_t host, const Driven& gateway) { return told(crowd, host, "gateway_pid") == Json(gateway.pid()); }
  static bool until_application(Crowd& crowd, size_t host) {
    return Crowd::until([&] { return crowd.gateway_of(host) != crowd.size(); });
  }
  static bool has_ended(const Driven& process, int& status) {
    int code = 0;
    return process.has_ended(code, status) && code == CLD_EXITED;
  }
};

}  // namespace evs::test
