// SPDX-License-Identifier: BSD-3-Clause
// tests/support/netns.cc - unshare, setns, ip and nftables.
#include "tests/support/netns.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>

namespace evs::test {

namespace {

constexpr const char* kHere = "/proc/thread-self/ns/net";

// nftables by its library: the program's package would bring a service along. Four calls of a stable interface (libnftables.h).
struct Nft {
  void* (*make)(uint32_t) = nullptr;
  void (*free)(void*) = nullptr;
  int (*buffer_error)(void*) = nullptr;
  const char* (*error)(void*) = nullptr;
  int (*run)(void*, const char*) = nullptr;
  bool there = false;

  static const Nft& get() {
    static const Nft nft = [] {
      Nft out;
      void* library = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
      if (library == nullptr) return out;
      out.make = reinterpret_cast<void* (*)(uint32_t)>(dlsym(library, "nft_ctx_new"));
      out.free = reinterpret_cast<void (*)(void*)>(dlsym(library, "nft_ctx_free"));
      out.buffer_error = reinterpret_cast<int (*)(void*)>(dlsym(library, "nft_ctx_buffer_error"));
      out.error = reinterpret_cast<const char* (*)(void*)>(dlsym(library, "nft_ctx_get_error_buffer"));
      out.run = reinterpret_cast<int (*)(void*, const char*)>(dlsym(library, "nft_run_cmd_from_buffer"));
      out.there = out.make != nullptr && out.free != nullptr && out.buffer_error != nullptr && out.error != nullptr && out.run != nullptr;
      return out;
    }();
    return nft;
  }
};

std::runtime_error failed(const std::string& what) {
  return std::runtime_error(what + ": " + std::strerror(errno));
}

// In a thread of its own, which takes the namespace with it when it ends: this thread's is never in question.
int fresh_namespace() {
  int fd = -1;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) == 0) fd = open(kHere, O_RDONLY | O_CLOEXEC);
  }).join();
  if (fd < 0) throw failed("no network namespace");
  return fd;
}

void run(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "re");
  if (pipe == nullptr) throw failed(command);
  std::string said;
  char line[256];
  while (fgets(line, sizeof(line), pipe) != nullptr) said += line;
  if (pclose(pipe) != 0) throw std::runtime_error(command + ": " + said);
}

void in_namespace(int where, const std::function<void()>& body) {
  const int before = open(kHere, O_RDONLY | O_CLOEXEC);
  if (before < 0 || setns(where, CLONE_NEWNET) != 0) throw failed("cannot enter a network namespace");
  std::exception_ptr thrown;
  try {
    body();
  } catch (...) {
    thrown = std::current_exception();
  }
  if (setns(before, CLONE_NEWNET) != 0) std::abort();  // nothing after this would be where it believes to be
  close(before);
  if (thrown) std::rethrow_exception(thrown);
}

std::string port_of(size_t host) {
  std::string port = "port";
  return port += std::to_string(host);
}

std::string path_of(int fd) {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd);
}

void no_checksums(const char* interface) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ethtool_value off{ETHTOOL_STXCSUM, 0};
  ifreq request{};
  std::strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
  request.ifr_data = reinterpret_cast<char*>(&off);
  const int done = ioctl(fd, SIOCETHTOOL, &request);
  close(fd);
  if (done != 0) throw failed("cannot turn off checksum offload");
}

std::string mac_of(const char* interface) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
  const int told = ioctl(fd, SIOCGIFHWADDR, &request);
  close(fd);
  if (told != 0) throw failed("no hardware address");
  char text[24];
  const auto* byte = reinterpret_cast<const unsigned char*>(request.ifr_hwaddr.sa_data);
  std::snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", byte[0], byte[1], byte[2], byte[3], byte[4], byte[5]);
  return text;
}

sockaddr_in probe_address(size_t host) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(9);
  inet_pton(AF_INET, Wire::v4(host).c_str(), &out.sin_addr);
  return out;
}

}  // namespace

std::string Wire::refused() {
  if (geteuid() != 0) return "network namespaces take root";
  if (std::system("ip -V >/dev/null 2>&1") != 0) return "there is no `ip`: install iproute2";
  if (!Nft::get().there) return "there is no libnftables.so.1: install libnftables1";
  try {
    close(fresh_namespace());
  } catch (const std::exception& problem) {
    return problem.what();
  }
  return {};
}

Wire::Wire(size_t hosts, const Options& options) : macs_(hosts), ways_(hosts, std::vector<Way>(hosts)) {
  make_switch();
  for (size_t i = 0; i < hosts; ++i) make_host(i, options);
  for (size_t i = 1; i < hosts; ++i) wait_until_connected(i);
}

Wire::~Wire() {
  for (const int fd : hosts_) close(fd);
  if (switch_ >= 0) close(switch_);
}

// No snooping: a bridge that waits for reports of membership swallows the first seconds of multicast.
void Wire::make_switch() {
  switch_ = fresh_namespace();
  in_namespace(switch_, [] {
    run("ip link add br0 type bridge mcast_snooping 0 forward_delay 0");
    run("ip link set br0 up");
  });
}

void Wire::make_host(size_t host, const Options& options) {
  hosts_.push_back(fresh_namespace());
  const std::string port = port_of(host), mtu = std::to_string(options.mtu);
  in_namespace(switch_, [&] {
    run("ip link add " + port + " mtu " + mtu + " type veth peer name eth0 mtu " + mtu + " netns " + path_of(hosts_[host]));
    run("ip link set " + port + " master br0 up");
  });
  inside(host, [&] {
    run("ip link set lo up");
    run("ip link set eth0 up");
    run("ip addr add " + v4(host) + "/24 dev eth0");
    run("ip addr add " + v6(host) + "/64 dev eth0 nodad");
    macs_[host] = mac_of("eth0");
    if (!options.checksum_offload) no_checksums("eth0");
  });
}

// A port that was just plugged swallows packets until the kernel has seen the carrier, at leisure. So words go to and fro between
// the first host and each other until one comes back.
void Wire::wait_until_connected(size_t host) {
  const int here = probe_socket(0), there = probe_socket(host);
  sockaddr_in to_first = probe_address(0), to_other = probe_address(host);
  bool heard = false, answered = false;
  for (int i = 0; i < 1000 && !answered; ++i) {
    char word = 'x';
    sendto(here, &word, 1, 0, reinterpret_cast<sockaddr*>(&to_other), sizeof(to_other));
    if (heard) sendto(there, &word, 1, 0, reinterpret_cast<sockaddr*>(&to_first), sizeof(to_first));
    pollfd wait[2] = {{there, POLLIN, 0}, {here, POLLIN, 0}};
    poll(wait, 2, 10);
    while (recv(there, &word, 1, MSG_DONTWAIT) == 1) heard = true;
    answered = recv(here, &word, 1, MSG_DONTWAIT) == 1;
  }
  close(here);
  close(there);
  if (!answered) throw std::runtime_error("the hosts of a wire do not hear each other");
}

int Wire::probe_socket(size_t host) const {
  int fd = -1;
  inside(host, [&] {
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = probe_address(host);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) throw failed("no socket on a wire");
  });
  return fd;
}

std::string Wire::path(size_t host) const {
  return path_of(hosts_.at(host));
}

void Wire::inside(size_t host, const std::function<void()>& body) const {
  in_namespace(hosts_.at(host), body);
}

pid_t Wire::start(size_t host, const std::vector<std::string>& command, int input, int output, int errors) const {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t self = getpid(), child = fork();
  if (child < 0) throw failed("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != self) _exit(127);  // it died before we could ask to die with it
    if ((input >= 0 && dup2(input, STDIN_FILENO) < 0) || (output >= 0 && dup2(output, STDOUT_FILENO) < 0) || (errors >= 0 && dup2(errors, STDERR_FILENO) < 0))
      _exit(127);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_DFL);  // whoever runs the tests in the background has one ignored
    if (setns(hosts_.at(host), CLONE_NEWNET) == 0) execvp(words[0], words.data());
    _exit(127);
  }
  return child;
}

void Wire::ip(size_t host, const std::string& arguments) const {
  inside(host, [&] { run("ip " + arguments); });
}

void Wire::cut(size_t from, size_t to) {
  lose(from, to, 100);
}

void Wire::lose(size_t from, size_t to, unsigned percent) {
  ways_.at(to).at(from).loss = percent;
  apply(to);
}

void Wire::cut_multicast(size_t from, size_t to) {
  ways_.at(to).at(from).no_multicast = true;
  apply(to);
}

void Wire::heal(size_t from, size_t to) {
  ways_.at(to).at(from) = {};
  apply(to);
}

void Wire::heal_all() {
  for (size_t to = 0; to < hosts(); ++to) {
    ways_[to].assign(hosts(), {});
    apply(to);
  }
}

// All rules of a door at once, in one transaction: what is not meant to change lets nothing slip.
void Wire::apply(size_t host) {
  std::string rules = "table netdev wire\ndelete table netdev wire\n";
  rules += "table netdev wire {\nchain door {\ntype filter hook ingress device \"eth0\" priority 0; policy accept;\n";
  for (size_t from = 0; from < hosts(); ++from) {
    const unsigned percent = ways_[host][from].loss;
    if (ways_[host][from].no_multicast) rules += "ether saddr " + macs_[from] + " meta pkttype multicast meta l4proto udp drop\n";
    if (percent == 0) continue;
    rules += "ether saddr " + macs_[from] + (percent >= 100 ? "" : " numgen random mod 100 < " + std::to_string(percent)) + " drop\n";
  }
  rules += "}\n}\n";
  inside(host, [&] {
    const Nft& nft = Nft::get();
    void* context = nft.make(0);
    nft.buffer_error(context);
    const bool done = nft.run(context, rules.c_str()) == 0;
    const std::string said = done ? "" : nft.error(context);
    nft.free(context);
    if (!done) throw std::runtime_error("nftables: " + said);
  });
}

void Wire::unplug(size_t host, bool unplugged) {
  in_namespace(switch_, [&] { run("ip link set " + port_of(host) + (unplugged ? " down" : " up")); });
}

void Wire::narrow(size_t host, unsigned mtu) const {
  in_namespace(switch_, [&] { run("ip link set " + port_of(host) + " mtu " + std::to_string(mtu)); });
}

}  // namespace evs::test
