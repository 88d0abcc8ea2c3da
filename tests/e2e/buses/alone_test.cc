// SPDX-License-Identifier: BSD-3-Clause
// tests/e2e/buses/alone_test.cc - a bus with an uplink in one process, which is its host's gateway and hears no other: what the API answers there.
#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "evs/evs.h"

namespace evs::test {
namespace {

constexpr evs_group kGroup = {"here"};

std::string fresh_directory() {
  std::string path = "/dev/shm/evs-test-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no directory " + path);
  return path;
}

class Alone : public testing::Test {
 protected:
  // Unicast to nobody but itself, over the loopback: no packet leaves the machine, and no other test hears it.
  Alone() {
    values_ = {{"plugins.path", EVS_PLUGIN_DIRECTORY}, {"local.directory", directory_},           {"uplink.transport", "udp"},
               {"uplink.host_id", "77"},               {"uplink.security", "none"},               {"plugin.udp.mode", "unicast"},
               {"plugin.udp.address", "127.0.0.77"},   {"plugin.udp.peers", "127.0.0.77:15410"}, {"plugin.udp.port", "15410"},
               {"log.level", "info"}};
  }
  ~Alone() override {
    if (handle_ != 0) evs_finalize(handle_);
    std::filesystem::remove_all(directory_);
  }

  cs_error_t open(std::vector<std::pair<std::string, std::string>> more = {}) {
    values_.insert(values_.end(), more.begin(), more.end());
    std::vector<evs_parameter_t> parameters;
    for (const auto& [key, value] : values_) parameters.push_back({key.c_str(), value.c_str()});
    evs_callbacks_ex_t callbacks{};
    callbacks.struct_size = sizeof callbacks;
    callbacks.deliver = [](evs_handle_t, void* self, const evs_message_t* message) { static_cast<Alone*>(self)->sequences_.push_back(message->sequence); };
    callbacks.configure = [](evs_handle_t, void* self, const evs_configuration_t* conf) { static_cast<Alone*>(self)->members_.push_back(conf->member_entries); };
    evs_options_t options{};
    options.struct_size = sizeof options;
    options.parameters = parameters.data();
    options.parameter_entries = parameters.size();
    options.callbacks_ex = &callbacks;
    options.context = this;
    options.error = error_;
    options.error_size = sizeof error_;
    options.log = [](void* self, int, const char* text, size_t length) { static_cast<Alone*>(self)->note({text, length}); };
    options.log_context = this;
    return evs_initialize_ex(&handle_, &options);
  }

  void note(std::string line) {
    const std::lock_guard guard(log_mutex_);
    log_ += line + "\n";
  }
  std::string log() {
    const std::lock_guard guard(log_mutex_);
    return log_;
  }

  // Until so many were delivered.
  void read(size_t messages) {
    int fd = -1;
    ASSERT_EQ(evs_fd_get(handle_, &fd), CS_OK);
    while (sequences_.size() < messages) {
      ASSERT_EQ(evs_dispatch(handle_, CS_DISPATCH_ALL), CS_OK);
      pollfd waiting{fd, POLLIN, 0};
      if (sequences_.size() < messages) {
        ASSERT_EQ(poll(&waiting, 1, 10'000), 1);
      }
    }
  }

  const std::string directory_ = fresh_directory();
  std::vector<std::pair<std::string, std::string>> values_;
  evs_handle_t handle_ = 0;
  char error_[1024] = "";
  std::vector<uint64_t> sequences_;
  std::vector<size_t> members_;
  std::mutex log_mutex_;  // the service thread speaks when it likes
  std::string log_;
};

TEST_F(Alone, TheFirstConfigurationIsThereWhenItIsOpen) {
  ASSERT_EQ(open(), CS_OK) << error_;
  unsigned int self = 0, list[4];
  size_t count = 4;
  ASSERT_EQ(evs_membership_get(handle_, &self, list, &count), CS_OK);
  EXPECT_EQ(self >> 12, 77u);
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(list[0], self);
  EXPECT_NE(log().find("this process is the gateway of host 77"), std::string::npos) << log();
}

// Of a handle that is not told of groups nothing is kept; and before the callbacks have come to the join nobody can be named.
TEST_F(Alone, WhoIsInAGroupIsNotToldInsteadOfNobody) {
  ASSERT_EQ(open(), CS_OK) << error_;
  ASSERT_EQ(evs_join(handle_, &kGroup, 1), CS_OK);
  evs_member_t member{};
  size_t count = 1;
  EXPECT_EQ(evs_group_members(handle_, &kGroup, &member, &count), CS_ERR_NOT_SUPPORTED);
  EXPECT_EQ(count, 1u);  // as it was
}

TEST_F(Alone, PlacesRiseFromMessageToMessage) {
  ASSERT_EQ(open(), CS_OK) << error_;
  ASSERT_EQ(evs_join(handle_, &kGroup, 1), CS_OK);
  for (uint64_t i = 0; i < 300; ++i) {
    const iovec iov{&i, sizeof i};
    ASSERT_EQ(evs_mcast_wait(handle_, EVS_TYPE_AGREED, nullptr, 0, &iov, 1, 10'000'000'000), CS_OK);
  }
  read(300);
  for (size_t i = 1; i < sequences_.size(); ++i) EXPECT_LT(sequences_[i - 1], sequences_[i]);
}

TEST_F(Alone, WithoutAKeyItIsToldWhatIsMissing) {
  EXPECT_EQ(open({{"uplink.security", "sealed"}, {"uplink.key_file", directory_ + "/no-key"}}), CS_ERR_ACCESS);
  EXPECT_NE(std::string(error_).find(directory_ + "/no-key"), std::string::npos) << error_;
  EXPECT_NE(std::string(error_).find("evs keygen"), std::string::npos) << error_;
}

}  // namespace
}  // namespace evs::test
