// SPDX-License-Identifier: BSD-3-Clause
// tests/support/netns.h - a few hosts on one wire, inside this machine: network namespaces behind a bridge.
//
// Each host is a namespace with one interface, eth0, and addresses 10.86.0.N/24 and fd00:86::N/64, N from 1. The bridge stands in a
// namespace of its own. None of them has a name: they live as descriptors of this process and of the processes inside them, so
// when the last of those ends, by SIGKILL too, the kernel takes namespaces, interfaces and rules away, and nothing is ever left
// or in another test's way.
//
// Cuts and losses are rules of nftables at the receiving host's door (hook ingress), so each direction is cut by itself. They count
// packets of the kernel: with segmentation offload that is a whole run of datagrams, lost or carried together.
//
// Needs root, or user namespaces do not help: refused() says why it is not possible here.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace evs::test {

class Wire {
 public:
  struct Options {
    unsigned mtu = 1500;
    bool checksum_offload = true;  // false: eth0 computes no checksums, for which some kernels refuse UDP_SEGMENT
  };

  // Empty: a wire can be made. Else the reason in words, for a test that skips.
  static std::string refused();

  explicit Wire(size_t hosts) : Wire(hosts, Options()) {}
  // When it returns, everybody hears everybody. Throws std::runtime_error with the command that failed.
  Wire(size_t hosts, const Options& options);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  size_t hosts() const { return hosts_.size(); }
  static std::string v4(size_t host) { return "10.86.0." + std::to_string(host + 1); }
  static std::string v6(size_t host) { return "fd00:86::" + std::to_string(host + 1); }
  // For nsenter --net=PATH, while this process lives.
  std::string path(size_t host) const;

  // Runs in a host's namespace, in this thread; descriptors opened meanwhile belong there for ever.
  void inside(size_t host, const std::function<void()>& body) const;
  // A program of the host; killed when this process's thread ends. The caller waits for it.
  pid_t start(size_t host, const std::vector<std::string>& command) const { return start(host, command, -1, -1); }
  pid_t start(size_t host, const std::vector<std::string>& command, int input, int output, int errors = -1) const;  // -1: ours
  // Runs an `ip` command line there, such as "link set eth0 down".
  void ip(size_t host, const std::string& arguments) const;

  void cut(size_t from, size_t to);                     // one way: what `from` sends does not reach `to`
  void lose(size_t from, size_t to, unsigned percent);  // at random; 0 and heal() end it
  void cut_multicast(size_t from, size_t to);           // one way: UDP that is sent to a group; heal() ends it, too
  void heal(size_t from, size_t to);
  void heal_all();
  void unplug(size_t host, bool unplugged);  // its port of the bridge goes down, or up again
  // Its port of the bridge takes no larger frames, either way, and nobody is told: what is larger is lost. (Runs of segmentation offload pass.)
  void narrow(size_t host, unsigned mtu) const;

 private:
  void make_switch();
  void make_host(size_t host, const Options& options);
  void wait_until_connected(size_t host);
  int probe_socket(size_t host) const;
  void apply(size_t host);

  int switch_ = -1;
  std::vector<int> hosts_;
  std::vector<std::string> macs_;
  struct Way {
    unsigned loss = 0;  // percent
    bool no_multicast = false;
  };
  std::vector<std::vector<Way>> ways_;  // [to][from]
};

}  // namespace evs::test
