// SPDX-License-Identifier: BSD-3-Clause
// metrics/guest_exposer.cc - see guest_exposer.h.
#include "metrics/guest_exposer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

namespace evs::metrics {
namespace {

// There is one thread for all who ask: who connects and says nothing has it to himself for that long.
constexpr char kRequestPatienceMs[] = "5000";

// While it lives this thread, and each that it starts, takes no signal; afterwards SIGPIPE is what it was. (Where the application itself has set it to something
// else meanwhile, that is left, unless it was to ignore it.)
class SignalsKept {
 public:
  SignalsKept() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask_);
    sigaction(SIGPIPE, nullptr, &was_);
  }
  ~SignalsKept() {
    struct sigaction now {};
    if (sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) sigaction(SIGPIPE, &was_, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  SignalsKept(const SignalsKept&) = delete;
  SignalsKept& operator=(const SignalsKept&) = delete;

 private:
  sigset_t mask_{};
  struct sigaction was_ {};
};

int connected_to(const std::string& address, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &to.sin_addr);  // 0.0.0.0 is this host
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const timeval patience{2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

// Both threads of the server have begun, and each has had SIGPIPE ignored when it did: for one of them took this request from the other.
void await_both_threads(const std::string& address, int port) {
  const int fd = connected_to(address, port);
  if (fd < 0) return;
  constexpr char kRequest[] = "GET /begun HTTP/1.0\r\n\r\n";
  char some[512];
  if (send(fd, kRequest, sizeof kRequest - 1, MSG_NOSIGNAL) > 0)
    while (recv(fd, some, sizeof some, 0) > 0) {}
  close(fd);
}

}  // namespace

GuestExposer::GuestExposer(const std::string& address, const std::shared_ptr<prometheus::Collectable>& collectable) : address_(address.substr(0, address.rfind(':'))) {
  const SignalsKept kept;
  try {
    exposer_ = std::make_unique<prometheus::Exposer>(std::vector<std::string>{"listening_ports", address, "num_threads", "1", "request_timeout_ms", kRequestPatienceMs});
    port_ = exposer_->GetListeningPorts().at(0);
  } catch (const std::exception&) {  // it knows no reason
    throw std::runtime_error("cannot listen on " + address +
                             ": something else does, such as another process with the same metrics.listen, or it is no address of this host, or a port that this user may not have");
  }
  await_both_threads(address_, port_);
  exposer_->RegisterCollectable(collectable);
}

// Its first thread looks up every two seconds to see whether it is to end. Who closes a bus does not wait for that: somebody knocks until it has ended.
GuestExposer::~GuestExposer() {
  const SignalsKept kept;
  std::atomic<bool> ended{false};
  std::thread knocks;
  try {
    knocks = std::thread([&] {
      while (!ended) {
        if (const int fd = connected_to(address_, port_); fd >= 0) close(fd);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    });
  } catch (const std::system_error&) {
    // no thread to be had: two seconds, then
  }
  exposer_.reset();
  ended = true;
  if (knocks.joinable()) knocks.join();
}

}  // namespace evs::metrics
