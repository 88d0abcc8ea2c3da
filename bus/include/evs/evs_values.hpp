// SPDX-License-Identifier: BSD-3-Clause
//
// evs/evs_values.hpp - the values that go in and out of an evs::Bus: errors, group keys, messages, configurations.
//
// Part of evs/evs.hpp; include that. Plain values without behaviour of their own: views (MessageView) are valid as long
// as the callback that got them, everything else owns what it shows and may be kept, moved and handed to other threads.
#ifndef EVS_EVS_VALUES_HPP_DEFINED
#define EVS_EVS_VALUES_HPP_DEFINED

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "evs.h"

namespace evs {

// ---- Answers

// Why a call did not do what it was asked: a code of evs.h, and its name.
class Error {
 public:
  constexpr explicit Error(cs_error_t code) : code_(code) {}
  constexpr cs_error_t code() const { return code_; }
  const char* what() const { return cs_strerror(code_); }
  friend constexpr bool operator==(Error, Error) = default;
  friend constexpr bool operator==(Error error, cs_error_t code) { return error.code_ == code; }

 private:
  cs_error_t code_;
};

// For code that speaks std::error_code: category "evs", values of cs_error_t.
inline const std::error_category& error_category() {
  class Category final : public std::error_category {
    const char* name() const noexcept override { return "evs"; }
    std::string message(int value) const override { return cs_strerror(static_cast<cs_error_t>(value)); }
  };
  static const Category category;
  return category;
}
inline std::error_code make_error_code(Error error) {
  return {error.code(), error_category()};
}

// A T, or why there is none. value() of one without, and error() of one with a value, are mistakes of the caller that
// std::get answers with std::bad_variant_access.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit, so that `return x;` works
  Result(Error error) : held_(std::in_place_index<1>, error) {}         // NOLINT: and so does `return Error(...);`

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }
  Error error() const { return std::get<1>(held_); }
  T& value() & { return std::get<0>(held_); }
  const T& value() const& { return std::get<0>(held_); }
  T&& value() && { return std::get<0>(std::move(held_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> held_;
};

// Done, or why not. Not [[nodiscard]]: CS_ERR_TRY_AGAIN of a send matters to everybody, CS_ERR_BAD_HANDLE of a close()
// to few.
template <>
class Result<void> {
 public:
  constexpr Result() = default;
  constexpr Result(Error error) : code_(error.code()) {}  // NOLINT: implicit, so that `return Error(...);` works
  constexpr bool ok() const { return code_ == CS_OK; }
  constexpr explicit operator bool() const { return ok(); }
  constexpr cs_error_t code() const { return code_; }  // CS_OK when ok()
  constexpr Error error() const { return Error(code_); }
  constexpr bool try_again() const { return code_ == CS_ERR_TRY_AGAIN; }

 private:
  cs_error_t code_ = CS_OK;
};

// ---- What goes in

enum class Guarantee : int32_t {
  unordered = EVS_TYPE_UNORDERED,
  fifo = EVS_TYPE_FIFO,
  agreed = EVS_TYPE_AGREED,
  safe = EVS_TYPE_SAFE
};

using Bytes = std::span<const std::byte>;

// The bytes of a text, without a terminating NUL. A view: the text must live as long.
inline Bytes bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string_view text(Bytes data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

// A group's key: 32 bytes, compared whole. A shorter name is padded with zero bytes, so "chat" here and the key
// {"chat"} of a C program are one group; a longer one is refused, never cut.
class Group {
 public:
  static constexpr size_t kBytes = sizeof(evs_group::key);

  constexpr Group() = default;  // 32 zero bytes
  // A literal, checked by the compiler: bus.join("chat").
  template <size_t n>
  consteval Group(const char (&name)[n]) {  // NOLINT: implicit
    static_assert(n - 1 <= kBytes, "a group's name has at most 32 bytes");
    for (size_t i = 0; i + 1 < n; ++i) key_.key[i] = name[i];
  }
  explicit Group(const struct evs_group& key) : key_(key) {}

  // CS_ERR_NAME_TOO_LONG past 32 bytes.
  static Result<Group> from(std::string_view name) { return from(bytes(name)); }
  static Result<Group> from(Bytes key) {
    if (key.size() > kBytes) return Error(CS_ERR_NAME_TOO_LONG);
    Group group;
    if (!key.empty()) std::memcpy(group.key_.key, key.data(), key.size());
    return group;
  }

  const struct evs_group& key() const { return key_; }
  // Without the zero bytes at its end.
  std::string_view name() const {
    size_t length = kBytes;
    while (length > 0 && key_.key[length - 1] == '\0') --length;
    return {key_.key, length};
  }

  friend bool operator==(const Group& a, const Group& b) { return std::memcmp(a.key_.key, b.key_.key, kBytes) == 0; }
  friend std::strong_ordering operator<=>(const Group& a, const Group& b) {
    return std::memcmp(a.key_.key, b.key_.key, kBytes) <=> 0;
  }

 private:
  struct evs_group key_ {};
};
// Arrays of the two are handed to each other's side as they are.
static_assert(sizeof(Group) == sizeof(struct evs_group) && std::is_standard_layout_v<Group> &&
              std::is_trivially_copyable_v<Group>);

// ---- What comes out

struct ConfigurationId {
  uint32_t nodeid = 0;    // of the representative
  uint64_t sequence = 0;  // only grows
  ConfigurationId() = default;
  explicit ConfigurationId(const struct evs_ring_id& id) : nodeid(id.nodeid), sequence(id.seq) {}
  friend auto operator<=>(const ConfigurationId&, const ConfigurationId&) = default;
};

enum class Reason : int32_t {
  none = EVS_REASON_NONE,
  joined = EVS_REASON_JOINED,
  left = EVS_REASON_LEFT,
  died = EVS_REASON_DIED,
  expelled = EVS_REASON_EXPELLED,
  parted = EVS_REASON_PARTED
};

struct Member {
  uint32_t nodeid = 0;
  int32_t pid = 0;
  Reason reason = Reason::none;  // why it is new or gone
  friend bool operator==(const Member&, const Member&) = default;
};

inline std::vector<Member> members_of(const evs_member_t* first, size_t entries) {
  std::vector<Member> members;
  members.reserve(entries);
  for (size_t i = 0; i < entries; ++i)
    members.push_back({first[i].nodeid, first[i].pid, static_cast<Reason>(first[i].reason)});
  return members;
}

// A message that owns its bytes.
struct Message {
  uint32_t nodeid = 0;  // the sender
  int32_t pid = 0;
  Guarantee guarantee = Guarantee::agreed;  // as the sender asked
  std::vector<Group> groups;                // it was sent to
  std::vector<std::byte> data;
  ConfigurationId configuration;  // the regular configuration it was stamped in
  uint64_t sequence = 0;          // its place in the order: grows, with gaps; with an uplink within one ring of hosts (evs_message)
  std::string_view text() const { return evs::text(data); }
};

// A message inside a callback: the spans point into the library and are gone when the callback returns.
struct MessageView {
  uint32_t nodeid;
  int32_t pid;
  Guarantee guarantee;
  std::span<const Group> groups;
  Bytes data;
  ConfigurationId configuration;
  uint64_t sequence;

  explicit MessageView(const evs_message_t& m)
      : nodeid(m.nodeid),
        pid(m.pid),
        guarantee(static_cast<Guarantee>(m.guarantee)),
        groups(reinterpret_cast<const Group*>(m.groups), m.group_entries),
        data(static_cast<const std::byte*>(m.data), m.size),
        configuration(m.configuration),
        sequence(m.sequence) {}

  std::string_view text() const { return evs::text(data); }
  Message copy() const {
    return {nodeid,        pid,     guarantee, {groups.begin(), groups.end()}, {data.begin(), data.end()},
            configuration, sequence};
  }
};

// A configuration came into force.
struct Configuration {
  enum class Kind : int32_t { regular = EVS_CONFIGURATION_REGULAR, transitional = EVS_CONFIGURATION_TRANSITIONAL };
  Kind kind = Kind::regular;
  bool merged = false;    // several changes in one: the handle was idle in between
  bool expelled = false;  // this process was expelled; unread messages are lost to it
  ConfigurationId id;
  std::vector<Member> members, left, joined;  // left and joined: since the last one this Bus was told
  uint64_t epoch = 0;     // of a primary one, to fence with (evs_configuration_t); 0: it is not primary

  Configuration() = default;
  explicit Configuration(const evs_configuration_t& c)
      : kind(static_cast<Kind>(c.kind)),
        merged((c.flags & EVS_CONFIGURATION_MERGED) != 0),
        expelled((c.flags & EVS_CONFIGURATION_EXPELLED) != 0),
        id(c.id),
        members(members_of(c.members, c.member_entries)),
        left(members_of(c.left, c.left_entries)),
        joined(members_of(c.joined, c.joined_entries)),
        epoch(c.struct_size >= offsetof(evs_configuration_t, epoch) + sizeof c.epoch ? c.epoch : 0) {}
  bool regular() const { return kind == Kind::regular; }
  bool primary() const { return epoch != 0; }  // its hosts may act for all of the bus
};

// A processor joined or left a group that this Bus has joined, at this place in the order.
struct GroupChange {
  uint32_t nodeid = 0;
  int32_t pid = 0;
  Reason reason = Reason::none;
  Group group;
  GroupChange() = default;
  explicit GroupChange(const evs_group_change_t& c)
      : nodeid(c.nodeid), pid(c.pid), reason(static_cast<Reason>(c.reason)), group(c.group) {}
};

// There is room again after a CS_ERR_TRY_AGAIN.
struct Room {};

// What next() returns. Visit it, or ask std::get_if<evs::Message>(&event).
using Event = std::variant<Message, Configuration, GroupChange, Room>;

struct Membership {
  uint32_t nodeid = 0;                // this processor's
  std::vector<unsigned int> members;  // nodeids of the configuration in force
};

}  // namespace evs

template <>
struct std::hash<evs::Group> {
  size_t operator()(const evs::Group& group) const noexcept {
    return std::hash<std::string_view>()({group.key().key, evs::Group::kBytes});
  }
};

#endif  // EVS_EVS_VALUES_HPP_DEFINED
