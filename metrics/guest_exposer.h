// SPDX-License-Identifier: BSD-3-Clause
// metrics/guest_exposer.h - prometheus-cpp's HTTP server as a guest in somebody's process.
//
// Left to itself each of its threads has SIGPIPE ignored for the whole process, from when it begins. Here what the application had set is put back, and the server's threads block every
// signal: none of the application's handlers runs in them, and a client that hangs up raises nothing that anybody sees.
//
// No TLS, no IPv6, no authentication: who may connect may read. What else is wanted is a reverse proxy's to give.
#pragma once

#include <prometheus/exposer.h>

#include <memory>
#include <string>

namespace evs::metrics {

class GuestExposer {
 public:
  // "127.0.0.1:9464"; port 0: any that is free. Throws std::runtime_error with a sentence.
  GuestExposer(const std::string& address, const std::shared_ptr<prometheus::Collectable>& collectable);
  ~GuestExposer();
  GuestExposer(const GuestExposer&) = delete;
  GuestExposer& operator=(const GuestExposer&) = delete;

  std::string url() const { return "http://" + address_ + ":" + std::to_string(port_) + "/metrics"; }

 private:
  std::unique_ptr<prometheus::Exposer> exposer_;
  const std::string address_;
  int port_ = 0;
};

}  // namespace evs::metrics
