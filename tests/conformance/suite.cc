// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/suite.cc - hosts, members and readers.
#include "tests/conformance/suite.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace evs::conformance {

Options& options() {
  static Options options;
  return options;
}

const runtime::LoadedPlugin& plugin() {
  static const runtime::LoadedPlugin loaded = [] {
    auto result = runtime::PluginHost::load_transport(options().plugin, {}, {});
    if (!result) {
      std::fprintf(stderr, "%s\n", result.failure().text.c_str());
      std::exit(2);
    }
    return *result;
  }();
  return loaded;
}

std::string fresh_bus() {
  static std::atomic<int> buses{0};
  return "conf-" + std::to_string(getpid()) + "-" + std::to_string(++buses);
}

uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * kSecond + static_cast<uint64_t>(now.tv_nsec);
}

evs_plugin_group group(const std::string& name) {
  evs_plugin_group group{};
  std::memcpy(group.key, name.data(), std::min(name.size(), sizeof(group.key)));
  return group;
}

std::string numbered(const std::string& prefix, uint64_t number) {
  return prefix + std::to_string(number);
}

Message to(const std::string& name, std::string data) {
  return {{group(name)}, std::move(data)};
}

std::vector<uint32_t> nodeids(const std::vector<evs_ordered_member>& members) {
  std::vector<uint32_t> ids;
  for (const auto& member : members) ids.push_back(member.nodeid);
  return ids;
}

Got copy_of(const evs_membership& membership) {
  Got got;
  got.kind = EVS_FRAME_MEMBERSHIP;
  got.change = membership.change;
  got.position = membership.position;
  got.members.assign(membership.members, membership.members + membership.member_count);
  got.left.assign(membership.left, membership.left + membership.left_count);
  return got;
}

Got copy_of(const evs_frame& frame) {
  Got got;
  if (frame.kind == EVS_FRAME_MEMBERSHIP) got = copy_of(*static_cast<const evs_membership*>(frame.data));
  got.kind = frame.kind;
  got.nodeid = frame.nodeid;
  got.guarantee = frame.guarantee;
  got.position = frame.position;
  got.incarnation = frame.incarnation;
  if (frame.kind != EVS_FRAME_MEMBERSHIP) got.data.assign(static_cast<const char*>(frame.data), frame.size);
  got.groups.assign(frame.groups, frame.groups + frame.group_count);
  return got;
}

// ---- Host ----

struct HostCalls {
  static Host& of(void* context) { return *static_cast<Host*>(context); }
  static void log(void* context, int32_t, const char* kind, const char* text, size_t length) {
    const std::lock_guard guard(of(context).mutex_);
    of(context).lines_.push_back(std::string(kind) + ": " + std::string(text, length));
  }
  static uint64_t* counter(void* context, const char* name, const char*) {
    const std::lock_guard guard(of(context).mutex_);
    of(context).names_.emplace_back(name);
    return &of(context).values_.emplace_back(0);
  }
  static void wake(void* context) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(of(context).wake_fd_, &one, sizeof(one));
  }
  static const void* get_extension(void*, const char*) { return nullptr; }
};

Host::Host(std::string bus) : bus_(std::move(bus)), wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  table_ = {sizeof(evs_host), EVS_PLUGIN_ABI_MINOR,    this, bus_.c_str(), HostCalls::log, HostCalls::counter,
            HostCalls::wake,  HostCalls::get_extension};
}

Host::~Host() {
  close(wake_fd_);
}

std::vector<std::string> Host::lines() {
  const std::lock_guard guard(mutex_);
  return lines_;
}

std::vector<std::string> Host::counters() {
  const std::lock_guard guard(mutex_);
  return names_;
}

// ---- Member ----

Member::Member(const std::string& bus, const Parameters& changed) : host_(bus) {
  Parameters all = options().parameters;
  for (const auto& [key, value] : changed) {
    const auto old = std::find_if(all.begin(), all.end(), [&wanted = key](const auto& p) { return p.first == wanted; });
    if (old != all.end())
      old->second = value;
    else
      all.emplace_back(key, value);
  }
  std::vector<evs_plugin_parameter> parameters;
  for (const auto& [key, value] : all) parameters.push_back({key.c_str(), value.c_str()});
  auto created = runtime::Transport::create(plugin(), host_.table(), parameters);
  if (!created) throw std::runtime_error(created.failure().text);
  transport_.emplace(std::move(*created));
  service_ = std::thread([this] { serve(); });
  begun_.wait(false);
  if (auto failure = transport_->start(kLong)) {
    stopping_ = true;
    HostCalls::wake(&host_);
    service_.join();
    throw std::runtime_error(failure->text);
  }
}

void Member::serve() {
  runtime::ServiceCalls service = transport_->service();
  auto failed = service.begin();
  begun_ = true;
  begun_.notify_all();
  if (failed) return;
  while (!stopping_) {
    const uint64_t next = service.work(now_ns());
    {
      const std::lock_guard guard(task_mutex_);
      if (task_) task_();
      task_ = nullptr;
    }
    ++turns_;
    const uint64_t now = now_ns();
    const int timeout_ms = next == UINT64_MAX ? 1000
                           : next <= now      ? 0
                                              : static_cast<int>(std::min((next - now) / kMs + 1, 1000ul));
    pollfd fds[2] = {{host_.wake_fd(), POLLIN, 0}, {service.fd(), POLLIN, 0}};
    poll(fds, 2, timeout_ms);
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(host_.wake_fd(), &count, sizeof(count));
  }
  service.end();
}

void Member::on_service_thread(std::function<void()> what) {
  std::atomic<bool> done{false};
  {
    const std::lock_guard guard(task_mutex_);
    task_ = [&] {
      what();
      done = true;
      done.notify_all();
    };
  }
  HostCalls::wake(&host_);
  done.wait(false);
}

void Member::stop() {
  if (!transport_) return;
  transport_->stop();
  stopping_ = true;
  HostCalls::wake(&host_);
  service_.join();
  transport_.reset();
}

Member::~Member() {
  stop();
}

int32_t Member::append(const Message& message, uint64_t* position, void (*before_commit)(void*, uint64_t),
                       void* context) {
  const iovec part{const_cast<char*>(message.data.data()), message.data.size()};
  evs_append frame{};
  frame.struct_size = sizeof(frame);
  frame.kind = message.kind;
  frame.guarantee = message.guarantee;
  frame.group_count = static_cast<uint32_t>(message.groups.size());
  frame.groups = message.groups.data();
  frame.iov = &part;
  frame.iov_count = 1;
  frame.size = message.data.size();
  uint64_t ignored = 0;
  return ops().append(self(), &frame, position != nullptr ? position : &ignored, before_commit, context);
}

evs_ordered_member Member::who() const {
  evs_ordered_member who{};
  ops().self(self(), &who);
  return who;
}

evs_ordered_limits Member::limits() const {
  evs_ordered_limits limits{};
  limits.struct_size = sizeof(limits);
  ops().limits(self(), &limits);
  return limits;
}

// ---- Reader ----

Reader::Reader(Member& member, size_t buffer_size)
    : member_(member), buffer_(nullptr, [](std::byte* p) { ::operator delete[](p, std::align_val_t{64}); }) {
  grow(buffer_size);
  if (const int32_t status = ops().cursor_open(member.self(), &cursor_); status != EVS_P_OK)
    throw std::runtime_error("cursor_open: " + std::to_string(status));
}

Reader::Reader(Member& member, evs_cursor* opened)
    : member_(member), cursor_(opened), buffer_(nullptr, [](std::byte* p) { ::operator delete[](p, std::align_val_t{64}); }) {
  grow(256 * 1024);
}

void Reader::grow(size_t buffer_size) {
  buffer_.reset(static_cast<std::byte*>(::operator new[](buffer_size, std::align_val_t{64})));
  buffer_size_ = buffer_size;
}

Reader::~Reader() {
  if (cursor_ != nullptr) ops().cursor_close(cursor_);
}

Got Reader::watch() {
  size_t needed = 0;
  const int32_t status = ops().watch(cursor_, buffer_.get(), buffer_size_, &needed);
  if (status != EVS_P_OK) throw std::runtime_error("watch: " + std::to_string(status));
  return copy_of(*reinterpret_cast<const evs_membership*>(buffer_.get()));
}

void Reader::join(const std::string& name) {
  const evs_plugin_group key = group(name);
  if (ops().interest_add(cursor_, &key, 1) != EVS_P_OK) throw std::runtime_error("interest_add failed");
  watch();
}

void Reader::leave(const std::string& name) {
  const evs_plugin_group key = group(name);
  ops().interest_remove(cursor_, &key, 1);
}

int32_t Reader::read(int32_t (*want)(void*, const evs_frame*), void* context, uint32_t frame_room) {
  std::vector<evs_frame> frames(frame_room);
  evs_read request{};
  request.struct_size = sizeof(request);
  request.frame_room = frame_room;
  request.frames = frames.data();
  request.buffer = buffer_.get();
  request.buffer_size = buffer_size_;
  request.want = want != nullptr ? want : [](void*, const evs_frame*) -> int32_t { return EVS_WANT_TAKE; };
  request.context = context;
  const int32_t status = ops().read(cursor_, &request);
  needed_ = request.needed;
  if (status == EVS_P_OK)
    for (uint32_t i = 0; i < request.count; ++i) got_.push_back(copy_of(frames[i]));
  return status;
}

void Reader::drain() {
  int32_t status = EVS_P_OK;
  while (status == EVS_P_OK) status = read();
  ASSERT_EQ(status, EVS_P_AGAIN);
}

std::vector<Got> Reader::messages() const {
  std::vector<Got> found;
  for (const Got& got : got_)
    if (got.kind == EVS_FRAME_MESSAGE) found.push_back(got);
  return found;
}

std::vector<std::string> Reader::data() const {
  std::vector<std::string> texts;
  for (const Got& got : messages()) texts.push_back(got.data);
  return texts;
}

void Reader::until_messages(size_t count) {
  const uint64_t deadline = now_ns() + kLong;
  size_t have = messages().size();
  while (have < count) {
    const size_t before = got_.size();
    const int32_t status = read();
    ASSERT_TRUE(status == EVS_P_OK || status == EVS_P_AGAIN) << status;
    for (size_t i = before; i < got_.size(); ++i) have += got_[i].kind == EVS_FRAME_MESSAGE;
    ASSERT_LT(now_ns(), deadline) << have << " of " << count << " messages";
    if (status == EVS_P_AGAIN) ops().wait(cursor_, 100 * kMs);
  }
}

bool Reader::readable() const {
  pollfd fd{ops().fd(cursor_), POLLIN, 0};
  return poll(&fd, 1, 0) == 1;
}

}  // namespace evs::conformance
