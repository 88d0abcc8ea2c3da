// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/api/story.h - a handle that writes down what it is told, one line a callback.
//
// The tests of the C API read such records: "conf 1 +1", "msg hello". The transport is the one that EVS_LOCAL_TRANSPORT names, so
// the same tests run over each ordered medium; a directory of its own keeps a run apart from everything else on the machine.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evs/evs.h"

namespace evs::test {

using Lines = std::vector<std::string>;

inline evs_group group(std::string_view name) {
  evs_group key{};
  std::memcpy(key.key, name.data(), std::min(name.size(), sizeof key.key));
  return key;
}

// A directory in memory for the files of a shared medium, removed at the end.
class Directory {
 public:
  Directory() {
    char name[] = "/dev/shm/evs-test-XXXXXX";
    path_ = mkdtemp(name) == nullptr ? "" : name;
  }
  ~Directory() {
    if (!path_.empty() && std::system(("rm -rf " + path_).c_str()) != 0) ADD_FAILURE() << "cannot remove " << path_;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline const std::string& directory() {
  static const Directory one;
  return one.path();
}

class Story {
 public:
  struct Wishes {
    bool extended = false;
    bool silent = false;  // no callbacks at all
    const char* bus = "story";
    std::vector<evs_parameter_t> parameters = {};
    evs_log_fn_t log = nullptr;
    void* log_context = nullptr;
  };

  Story() : Story(Wishes{}) {}
  explicit Story(const Wishes& wishes) { result = open(wishes); }
  ~Story() {
    if (handle != 0) evs_finalize(handle);
  }
  Story(const Story&) = delete;
  Story& operator=(const Story&) = delete;

  cs_error_t open(const Wishes& wishes) {
    std::vector<evs_parameter_t> parameters = wishes.parameters;
    const auto names_directory = [](const evs_parameter_t& one) { return std::string_view(one.key) == "local.directory"; };
    if (std::none_of(parameters.begin(), parameters.end(), names_directory)) parameters.push_back({"local.directory", directory().c_str()});
    evs_callbacks_t compatible{&Story::deliver, &Story::configure};
    evs_callbacks_ex_t extended{};
    extended.struct_size = sizeof extended;
    extended.deliver = &Story::deliver_ex;
    extended.configure = &Story::configure_ex;
    extended.group_changed = &Story::group_changed;
    extended.room = &Story::room;
    evs_options_t options{};
    options.struct_size = sizeof options;
    options.bus = wishes.bus;
    options.config_file = "/dev/null";
    options.parameters = parameters.data();
    options.parameter_entries = parameters.size();
    if (!wishes.silent) options.callbacks = &compatible;
    if (wishes.extended) options.callbacks_ex = &extended;
    options.context = this;
    options.log = wishes.log == nullptr ? &Story::quiet : wishes.log;
    options.log_context = wishes.log_context;
    char text[512] = "";
    options.error = text;
    options.error_size = sizeof text;
    const cs_error_t answer = evs_initialize_ex(&handle, &options);
    error = text;
    if (answer != CS_OK) handle = 0;
    return answer;
  }

  cs_error_t join(std::string_view name) {
    const evs_group key = group(name);
    return evs_join(handle, &key, 1);
  }
  cs_error_t leave(std::string_view name) {
    const evs_group key = group(name);
    return evs_leave(handle, &key, 1);
  }
  cs_error_t say(std::string_view text) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    return evs_mcast_joined(handle, EVS_TYPE_AGREED, &part, 1);
  }
  cs_error_t say_to(std::vector<std::string_view> names, std::string_view text) {
    std::vector<evs_group> keys;
    for (const auto name : names) keys.push_back(group(name));
    const iovec part{const_cast<char*>(text.data()), text.size()};
    return evs_mcast_groups(handle, EVS_TYPE_AGREED, keys.data(), keys.size(), &part, 1);
  }
  cs_error_t dispatch(cs_dispatch_flags_t how = CS_DISPATCH_ALL) { return evs_dispatch(handle, how); }
  // What was told since the last time.
  Lines told() {
    EXPECT_EQ(dispatch(), CS_OK);
    return take();
  }
  Lines take() { return std::exchange(lines, {}); }
  Lines messages() {
    Lines only;
    for (const auto& line : told())
      if (line.rfind("msg ", 0) == 0) only.push_back(line.substr(4));
    return only;
  }

  evs_handle_t handle = 0;
  cs_error_t result;
  std::string error;
  Lines lines;
  std::function<void()> on_message;  // called inside the callback
  evs_message_t last_message{};

 private:
  static Story& of(hdb_handle_t handle) {
    void* context = nullptr;
    // In a callback after evs_finalize the number is gone; no test looks at its story there.
    EXPECT_EQ(evs_context_get(handle, &context), CS_OK);
    return *static_cast<Story*>(context);
  }
  static std::string list(const char* sign, const unsigned int* ids, size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += sign + std::to_string(ids[i]);
    return text;
  }
  static std::string list(const char* sign, const evs_member_t* members, size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += sign + std::to_string(members[i].nodeid);
    return text;
  }

  static void deliver(hdb_handle_t handle, unsigned int, const void* data, size_t size) {
    Story& story = of(handle);
    story.lines.push_back("msg " + std::string(static_cast<const char*>(data), size));
    if (story.on_message) story.on_message();
  }
  static void configure(hdb_handle_t handle, const unsigned int* members, size_t member_count, const unsigned int* left,
                        size_t left_count, const unsigned int* joined, size_t joined_count, const evs_ring_id* ring) {
    EXPECT_NE(ring, nullptr);
    of(handle).lines.push_back("conf" + list(" ", members, member_count) + list(" -", left, left_count) +
                               list(" +", joined, joined_count));
  }
  static void deliver_ex(evs_handle_t, void* context, const evs_message_t* message) {
    Story& story = *static_cast<Story*>(context);
    story.last_message = *message;
    story.lines.push_back("msg " + std::string(static_cast<const char*>(message->data), message->size));
    if (story.on_message) story.on_message();
  }
  static void configure_ex(evs_handle_t, void* context, const evs_configuration_t* told) {
    std::string line = told->kind == EVS_CONFIGURATION_REGULAR ? "regular" : "trans";
    if ((told->flags & EVS_CONFIGURATION_MERGED) != 0) line += " merged";
    if ((told->flags & EVS_CONFIGURATION_EXPELLED) != 0) line += " expelled";
    static_cast<Story*>(context)->lines.push_back(line + list(" ", told->members, told->member_entries) +
                                                  list(" -", told->left, told->left_entries) +
                                                  list(" +", told->joined, told->joined_entries));
    EXPECT_EQ(told->id.seq % 2, told->kind == EVS_CONFIGURATION_REGULAR ? 0u : 1u);
  }
  static void group_changed(evs_handle_t, void* context, const evs_group_change_t* change) {
    static constexpr const char* kReasons[] = {"none", "joined", "left", "died", "expelled", "parted"};
    static_cast<Story*>(context)->lines.push_back("group " + std::string(change->group.key) + " " +
                                                  std::to_string(change->nodeid) + " " + kReasons[change->reason]);
  }
  static void room(evs_handle_t, void* context) { static_cast<Story*>(context)->lines.push_back("room"); }
  static void quiet(void*, int, const char*, size_t) {}
};

}  // namespace evs::test
