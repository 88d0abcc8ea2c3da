// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/udp/offload_test.cc - batches through the kernel: in one trip where it can, in many where it refuses, and how
// full buffers are told.
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "tests/conformance/udp/host.h"

namespace evs::udp_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class UdpOffload : public OnAWire {};
class UdpBuffers : public OnAWire {};

std::vector<std::string> batch(size_t count, size_t size) {
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) out.push_back(std::string(size - 1, static_cast<char>('a' + i % 26)) + static_cast<char>(i));
  out.push_back("end");
  return out;
}

void expect_all(std::vector<Heard> heard, const std::vector<std::string>& said) {
  ASSERT_EQ(heard.size(), said.size());
  for (size_t i = 0; i < said.size(); ++i) EXPECT_EQ(heard[i].data, said[i]) << i;
}

TEST_F(UdpOffload, ABatchIsFewTrips) {
  test::Wire wire(2);
  Host a(wire, 0, multicast()), b(wire, 1, multicast());
  const auto said = batch(200, 1400);
  a.say(EVS_PEER_ALL, said);
  expect_all(b.until("end"), said);
  EXPECT_GE(a.count("sent_segments"), 200u);
  EXPECT_EQ(a.count("sent_datagrams"), 201u);
  EXPECT_LE(a.count("sent_batches"), 2u);
  EXPECT_GE(b.count("received_segments"), 200u);
  EXPECT_EQ(b.count("received_datagrams"), 201u);
  EXPECT_EQ(b.count("received_bytes"), a.count("sent_bytes"));
  EXPECT_LT(b.count("received_batches"), 20u);
  EXPECT_EQ(a.lines().size() + b.lines().size(), 0u) << "nothing to complain of";
}

// Through a device that computes no checksums: newer kernels compute them and go on, older ones refuse, which is noticed once.
TEST_F(UdpOffload, ADeviceThatComputesNoChecksums) {
  test::Wire::Options options;
  options.checksum_offload = false;
  test::Wire wire(2, options);
  for (const bool to_one : {false, true}) {
    Host a(wire, 0, multicast()), b(wire, 1, multicast());
    b.say("here");
    const uint32_t peer = a.speaker_of("here");
    const auto said = batch(100, 1000);
    a.say(to_one ? peer : EVS_PEER_ALL, said);
    expect_all(b.until("end"), said);
    a.say(to_one ? peer : EVS_PEER_ALL, said);
    expect_all(b.until("end"), said);
    EXPECT_EQ(a.lines_of("udp.offload"), a.count("sent_segments") == 0 ? 1u : 0u);
    EXPECT_EQ(a.count("other_errors") + a.count("unreachable") + a.count("too_big"), 0u);
  }
}

TEST_F(UdpOffload, OffMeansOff) {
  test::Wire wire(2);
  Host a(wire, 0, multicast({{"offload", "off"}})), b(wire, 1, multicast({{"offload", "off"}}));
  const auto said = batch(100, 1400);
  a.say(EVS_PEER_ALL, said);
  expect_all(b.until("end"), said);
  EXPECT_EQ(a.count("sent_segments") + b.count("received_segments"), 0u);
  EXPECT_LE(a.count("sent_batches"), 2u) << "many in one system call all the same";
}

// One with offload and one without understand each other.
TEST_F(UdpOffload, OnOneSideAlone) {
  test::Wire wire(2);
  Host a(wire, 0, multicast()), b(wire, 1, multicast({{"offload", "off"}}));
  const auto said = batch(100, 1400);
  a.say(EVS_PEER_ALL, said);
  expect_all(b.until("end"), said);
  b.say(EVS_PEER_ALL, said);
  expect_all(a.until("end"), said);
}

TEST_F(UdpOffload, FramesLargerThanThePathGoAsFragments) {
  test::Wire wire(2);
  Host a(wire, 0, multicast({{"frame", "64KiB"}})), b(wire, 1, multicast({{"frame", "64KiB"}}));
  EXPECT_EQ(a.largest_frame(), 65507u);
  std::vector<std::string> said = batch(5, 65507);
  a.say(EVS_PEER_ALL, said);
  expect_all(b.until("end"), said);
  EXPECT_EQ(a.count("sent_segments"), 0u);
  said = batch(100, 1400);  // and small ones together
  a.say(EVS_PEER_ALL, said);
  expect_all(b.until("end"), said);
  EXPECT_GE(a.count("sent_segments"), 100u);
}

TEST_F(UdpBuffers, WhatTheKernelDropsIsCountedAndSaidOnce) {
  test::Wire wire(2);
  Host a(wire, 0, multicast()), b(wire, 1, multicast({{"receive_buffer", "64KiB"}}));
  for (int i = 0; i < 20; ++i) a.say(EVS_PEER_ALL, std::vector<std::string>(100, std::string(1000, 'x')));
  size_t heard = 0;
  for (auto some = b.take(); !some.empty(); some = b.take()) heard += some.size();
  a.say("after");  // a count comes with the next that is received
  heard += b.until("after").size();
  EXPECT_LT(heard, 2001u);
  EXPECT_GT(b.count("kernel_drops"), 0u);
  EXPECT_EQ(b.lines_of("udp.drops"), 1u);
}

// Frames to a neighbour that does not answer wait in the kernel for its address, on our account: so the send buffer fills.
TEST_F(UdpBuffers, NoRoomIsToldAndTheRestGoesLater) {
  test::Wire wire(2);
  Host a(wire, 0, unicast("10.86.0.77", {{"send_buffer", "64KiB"}, {"offload", "off"}}));
  const std::vector<std::string> frames(400, std::string(1400, 'x'));
  size_t taken = 0;
  ASSERT_EQ(a.send(EVS_PEER_ALL, frames, &taken), EVS_P_AGAIN);
  EXPECT_GT(taken, 0u);
  EXPECT_LT(taken, 400u);
  EXPECT_EQ(a.count("sent_datagrams"), taken);
  EXPECT_EQ(a.count("send_full"), 1u);
  wire.ip(0, "neigh flush dev eth0");  // the kernel gives up on that neighbour, and on what waited for it
  const uint64_t deadline = now_ns() + kPatienceMs * 1'000'000ull;
  int32_t status = EVS_P_AGAIN;
  while (status == EVS_P_AGAIN && now_ns() < deadline) {
    status = a.send(EVS_PEER_ALL, {"one more"}, &taken);
    if (status == EVS_P_AGAIN) poll(nullptr, 0, 20);
  }
  EXPECT_EQ(status, EVS_P_OK);
}

// Who may not force it gets what the machine's limit allows, and is told.
TEST_F(UdpBuffers, GrantedLessThanAskedIsSaidWithTheWayOut) {
  test::Wire wire(1);
  std::string said;
  std::thread([&] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct caps[2]{};
    ASSERT_EQ(syscall(SYS_capget, &header, caps), 0);
    wire.inside(0, [&] {
      __user_cap_data_struct fewer[2] = {caps[0], caps[1]};
      fewer[0].effective &= ~(1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW);
      ASSERT_EQ(syscall(SYS_capset, &header, fewer), 0);
      std::vector<std::string> lines;
      evs_host table{sizeof(evs_host), EVS_PLUGIN_ABI_MINOR, &lines, "bus",
                     [](void* context, int32_t, const char* kind, const char* text, size_t length) {
                       static_cast<std::vector<std::string>*>(context)->push_back(std::string(kind) + ": " + std::string(text, length));
                     },
                     nullptr, nullptr, nullptr};
      auto made = runtime::Transport::create(plugin(), table, {{"interface", "eth0"}, {"receive_buffer", "512MiB"}});
      EXPECT_TRUE(made) << made.failure().text << ": binding to an interface takes no privilege";
      for (const std::string& line : lines) said += line + "\n";
      ASSERT_EQ(syscall(SYS_capset, &header, caps), 0);
    });
  }).join();
  EXPECT_THAT(said, AllOf(HasSubstr("udp.buffer: receive_buffer = 536870912 bytes"), HasSubstr("sysctl -w net.core.rmem_max=536870912")));
}

}  // namespace
}  // namespace evs::udp_test
