// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/session.cc - see session.h.
#include "tools/evs/session.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

#include "tools/evs/config_command.h"

namespace evs::tools {

bool Session::open(const BusChoice& choice, const evs_callbacks_ex_t& callbacks, void* context) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& setting : choice.settings) {
    const size_t equals = setting.find('=');
    pairs.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  std::vector<evs_parameter_t> parameters;
  for (const auto& [key, value] : pairs) parameters.push_back({key.c_str(), value.c_str()});

  char sentence[512] = "";
  evs_options_t options{};
  options.struct_size = sizeof options;
  options.bus = choice.bus.empty() ? nullptr : choice.bus.c_str();
  options.config_file = choice.config_file.empty() ? nullptr : choice.config_file.c_str();
  options.parameters = parameters.data();
  options.parameter_entries = parameters.size();
  options.callbacks_ex = &callbacks;
  options.context = context;
  options.error = sentence;
  options.error_size = sizeof sentence;
  if (const auto config = load_config(choice); !config.ok() || config->text("log.to") == "stderr") {
    options.log = &Session::log;
    options.log_context = this;
  }
  opening_ = true;
  const cs_error_t result = evs_initialize_ex(&handle_, &options);
  open_ = result == CS_OK;
  badly_configured_ = result == CS_ERR_INVALID_PARAM || result == CS_ERR_NOT_EXIST;
  if (!open_) error_ = *sentence != '\0' ? std::string(sentence) : call_failed("evs_initialize_ex", result);
  std::vector<std::string> held;
  {
    const std::lock_guard hold(log_mutex_);
    opening_ = false;
    held.swap(held_);
  }
  for (const std::string& line : held)
    if (open_ || line.find(error_) == std::string::npos) log(this, EVS_LOG_ERROR, line.c_str(), line.size());
  return open_;
}

// One line is one write, as the library's own are.
void Session::log(void* self, int level, const char* text, size_t length) {
  auto& session = *static_cast<Session*>(self);
  std::string line(text, length);
  {
    const std::lock_guard hold(session.log_mutex_);
    if (level == EVS_LOG_ERROR && session.opening_) return session.held_.push_back(std::move(line));
  }
  line += '\n';
  static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
}

// In a thread, because the call cannot be interrupted, and threads that it starts must inherit the blocked signals.
bool Session::open(const BusChoice& choice, const evs_callbacks_ex_t& callbacks, void* context, LeaveSignals& signals) {
  const int opened = eventfd(0, EFD_CLOEXEC);
  if (opened < 0) return open(choice, callbacks, context);
  bool is_open = false;
  std::thread opening([&] {
    is_open = open(choice, callbacks, context);
    eventfd_write(opened, 1);
  });
  pollfd wanted[] = {{opened, POLLIN, 0}, {signals.descriptor(), POLLIN, 0}};
  while (poll(wanted, 2, -1) < 0 && errno == EINTR) {}
  if (wanted[0].revents == 0) signals.restore();  // and so it comes
  opening.join();
  ::close(opened);
  return is_open;
}

void Session::close() {
  if (open_) evs_finalize(handle_);
  open_ = false;
}

std::string call_failed(const char* call, cs_error_t error) {
  return std::string(call) + ": " + cs_strerror(error);
}

}  // namespace evs::tools
