// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/gateway_command.cc - see gateway_command.h. What can be known to be in vain is refused before the bus is opened: who stands for the role and cannot fill it
// would have the others hand it over for nothing. What is seen later, such as a second one that was started in the same moment, ends it: a gateway that is none and
// stays would be believed to be one.
#include "tools/evs/gateway_command.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "bus/runtime/sealing/key_file.h"
#include "metrics/collector.h"
#include "metrics/uplink.h"
#include "tools/evs/cat_format.h"
#include "tools/evs/config_command.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/session.h"
#include "tools/evs/signals.h"
#include "tools/evs/text.h"

namespace evs::tools {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLookForRole{100}, kLook{1000};
constexpr milliseconds kWithoutRole{10'000};  // a failing uplink is tried again each second; whoever started us can do more

struct Refusal {
  int status = kExitOk;
  std::string sentence;
};

std::string named(const runtime::Config& config) { return "bus \"" + config.text("bus.name") + "\""; }

// Its key, as far as it can be said without the bus.
std::string bad_key(const runtime::Config& config) {
  if (config.text("uplink.security") == "none") return {};
  const std::string& file = config.text("uplink.key_file");
  auto fault = runtime::sealing::KeyFileFault::none;
  const auto keys = runtime::sealing::read_key_file(file, &fault);
  if (keys.ok()) return {};
  return "the uplink has no key to seal with: " + keys.error() + " (uplink.key_file, " + std::string(config.origin("uplink.key_file")) + "); " +
         runtime::sealing::way_out(fault, file);
}

struct Holder {
  uint64_t pid = 0;  // 0: nobody has the role. A hanging one has it for as long as its process is there
  bool stands = false;
  std::string text;  // "pid 812 (feed)"
};

Holder holder_of(const runtime::Config& config) {
  const std::string directory = transport_value(config, "directory"), group = transport_value(config, "group"), bus = config.text("bus.name");
  metrics::Uplink uplink;
  std::string failure;
  const bool is_read = metrics::read_uplink(directory, group, bus, uplink, failure);
  if (!is_read || (uplink.gateway != metrics::GatewayState::there && uplink.gateway != metrics::GatewayState::silent)) {
    // What it tells cannot be written, or not be read: by a disk without room, or by somebody who took the file away. The ring knows who has the role all the same.
    metrics::Snapshot seen;
    if (metrics::collect(directory, group, bus, seen, failure) != metrics::Collected::taken || seen.gateway_pid == 0) return {};
    return {static_cast<uint64_t>(seen.gateway_pid), false, "pid " + std::to_string(seen.gateway_pid)};
  }
  const std::string* command = uplink.value("gateway_command");
  Holder holder{uplink.number("gateway_pid"), uplink.number("gateway_standing") != 0, {}};
  holder.text = "pid " + std::to_string(holder.pid) + (command != nullptr ? " (" + printable(*command) + ")" : "");
  return holder;
}

std::string second_one(const runtime::Config& config, const Holder& first) {
  return named(config) + " has a standing gateway on this host already, " + first.text + ": one is enough; stop that one first to have another";
}

Refusal refusal_of(const runtime::Config& config) {
  if (config.text("uplink.transport").empty())
    return {kExitUsage, named(config) + " has no uplink, and a gateway would have nothing to do: name a transport for it with uplink.transport, such as udp"};
  if (const std::string why = bad_key(config); !why.empty()) return {kExitFailure, why};
  if (const Holder holder = holder_of(config); holder.stands) return {kExitFailure, second_one(config, holder)};
  return {};
}

class Gateway {
 public:
  Gateway(const GatewayOptions& options, const runtime::Config& config) : options_(options), config_(config) {}
  int run();

 private:
  bool open();
  bool turn();        // false: it is over
  bool look_around();
  void tell(const std::string& line) {
    if (options_.verbose) std::fprintf(stderr, "evs gateway: %s\n", line.c_str());
  }
  bool fail(std::string sentence) {
    failure_ = std::move(sentence);
    return false;
  }

  const GatewayOptions& options_;
  const runtime::Config& config_;
  LeaveSignals signals_;  // before the session: the bus's threads inherit the blocked signals
  Session session_;
  int bus_descriptor_ = -1;
  bool has_role_ = false;
  Clock::time_point without_since_, looked_at_;
  std::string failure_;
};

bool Gateway::open() {
  BusChoice choice = options_.bus;
  choice.settings.push_back("uplink.gateway=standing");
  evs_callbacks_ex_t callbacks{};
  callbacks.struct_size = sizeof callbacks;
  callbacks.configure = [](evs_handle_t, void* self, const evs_configuration_t* now) {
    static_cast<Gateway*>(self)->tell(configuration_text(*now));
  };
  if (!session_.open(choice, callbacks, this, signals_)) return fail(session_.error());
  without_since_ = looked_at_ = Clock::now();
  const cs_error_t error = evs_fd_get(session_.handle(), &bus_descriptor_);
  return error == CS_OK || fail(call_failed("evs_fd_get", error));
}

// The library takes the role, and loses it, without a word to its host. By what the gateway tells everybody it is known who has it.
bool Gateway::look_around() {
  const Clock::time_point now = Clock::now();
  if (now - looked_at_ < (has_role_ ? kLook : kLookForRole)) return true;
  looked_at_ = now;
  const Holder holder = holder_of(config_);
  const bool had = std::exchange(has_role_, holder.pid == static_cast<uint64_t>(getpid()));
  if (has_role_ && !had) tell("carries " + named(config_));
  if (has_role_) without_since_ = now;
  else if (holder.stands) return fail(second_one(config_, holder));
  else if (now - without_since_ >= kWithoutRole)
    return fail("this process is not the gateway of " + named(config_) + ": " + (holder.pid != 0 ? holder.text + " is" : "nobody is") + "; the log says why");
  return true;
}

bool Gateway::turn() {
  pollfd wanted[] = {{signals_.descriptor(), POLLIN, 0}, {bus_descriptor_, POLLIN, 0}};
  const int patience_ms = static_cast<int>((has_role_ ? kLook : kLookForRole).count());
  if (poll(wanted, 2, patience_ms) < 0 && errno != EINTR) return fail(std::string("poll: ") + std::strerror(errno));
  if (signals_.take()) return false;
  if (!look_around()) return false;
  const cs_error_t error = evs_dispatch(session_.handle(), CS_DISPATCH_ALL);
  return error == CS_OK || error == CS_ERR_TRY_AGAIN || fail(call_failed("evs_dispatch", error));
}

int Gateway::run() {
  if (open())
    while (turn()) {}
  session_.close();
  if (failure_.empty()) return kExitOk;
  std::fprintf(stderr, "evs gateway: %s\n", failure_.c_str());
  return session_.badly_configured() ? kExitUsage : kExitFailure;
}

}  // namespace

int run_gateway(const GatewayOptions& options) {
  const auto config = load_config(options.bus);
  const Refusal refusal = config.ok() ? refusal_of(*config) : Refusal{kExitUsage, config.error()};
  if (refusal.sentence.empty()) return Gateway(options, *config).run();
  std::fprintf(stderr, "evs gateway: %s\n", refusal.sentence.c_str());
  return refusal.status;
}

}  // namespace evs::tools
