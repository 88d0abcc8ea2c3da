// SPDX-License-Identifier: BSD-3-Clause
// tools/evs/exporter_command.cc - see exporter_command.h.
//
// The files are read when somebody asks, and each second besides: what a gateway counted is in a file that its successor replaces, and a bus may come and
// go between two scrapes. Two threads look: a scrape's, which is prometheus-cpp's, and this one; one at a time.
#include "tools/evs/exporter_command.h"

#include <fcntl.h>
#include <poll.h>
#include <prometheus/exposer.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "bus/runtime/config_descriptor.h"
#include "metrics/prometheus_host.h"
#include "tools/evs/config_command.h"
#include "tools/evs/exit_code.h"
#include "tools/evs/output.h"
#include "tools/evs/signals.h"
#include "tools/evs/text.h"

namespace evs::tools {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kReadAgain{1000};
constexpr const char* kParent = "/dev/shm";  // of the usual directories (shm/directory.h)

void say(const std::string& line) { std::fprintf(stderr, "evs exporter: %s\n", line.c_str()); }

metrics::Places places_of(const ExporterOptions& options, const runtime::Config& config) {
  metrics::Places places{options.directories, {}, options.buses};
  places.buses.push_back(config.text("bus.name"));
  if (!places.directories.empty()) return places;
  if (const std::string directory = transport_value(config, "directory"); !directory.empty()) places.directories.push_back(directory);
  places.parent = kParent;
  return places;
}

// Whole or not at all: whoever collects such files may read at any moment. Empty: done.
std::string write_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + "." + std::to_string(getpid()) + ".new";  // does not end as the collector wants it
  const auto failed = [&](const char* doing) {
    const std::string sentence = std::string(doing) + " " + printable(path) + ": " + std::strerror(errno);
    unlink(fresh.c_str());
    return sentence;
  };
  const runtime::Descriptor file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (file.get() < 0 || !runtime::write_all(file.get(), text.data(), text.size())) return failed("writing");
  if (rename(fresh.c_str(), path.c_str()) != 0) return failed("renaming to");
  return {};
}

class Exporter {
 public:
  Exporter(const ExporterOptions& options, const runtime::Config& config) : options_(options), host_(std::make_shared<metrics::PrometheusHost>(places_of(options, config), EVS_TOOL_VERSION, [](const std::string& sentence) { say(printable(sentence)); })) {}

  int run() {
    if (options_.once && options_.textfile.empty()) return print(metrics::exposition_of(host_->look()));
    if (!options_.textfile.empty() && !write()) return kExitFailure;
    if (options_.once) return kExitOk;
    if ((!options_.listen.empty() || options_.textfile.empty()) && !listen(options_.listen.empty() ? kExporterAddress : options_.listen)) return kExitFailure;
    return stay();
  }

 private:
  // The first that fails says that it never will work; of later ones the disk may be full.
  bool write() {
    const std::string failure = write_file(options_.textfile, metrics::exposition_of(host_->look()));
    if (!failure.empty() && !failing_) say(failure);
    failing_ = !failure.empty();
    return !failing_;
  }

  bool listen(const std::string& address) {
    try {
      // A scrape a time is what is asked for; a second thread answers who looks by hand meanwhile. Who connects and says nothing has one for five seconds.
      exposer_ = std::make_unique<prometheus::Exposer>(std::vector<std::string>{"listening_ports", address, "num_threads", "2", "request_timeout_ms", "5000"});
      exposer_->RegisterCollectable(host_);
      say("serves http://" + address.substr(0, address.rfind(':') + 1) + std::to_string(exposer_->GetListeningPorts().at(0)) + "/metrics");
      return true;
    } catch (const std::exception&) {  // it knows no reason
      say("cannot listen on " + address + ": something else does, or it is no address of this host, or a port that this user may not have");
      return false;
    }
  }

  int stay() {
    Clock::time_point written = Clock::now();
    for (;;) {
      pollfd wanted{signals_.descriptor(), POLLIN, 0};
      if (poll(&wanted, 1, static_cast<int>(kReadAgain.count())) < 0 && errno != EINTR) return kExitFailure;
      if (signals_.take()) return kExitOk;
      const bool due = !options_.textfile.empty() && Clock::now() - written >= std::chrono::nanoseconds(options_.interval_ns);
      if (due) write(), written = Clock::now();
      else host_->look();
    }
  }

  const ExporterOptions& options_;
  LeaveSignals signals_;  // before the exposer: its threads inherit the blocked signals
  const std::shared_ptr<metrics::PrometheusHost> host_;
  std::unique_ptr<prometheus::Exposer> exposer_;
  bool failing_ = false;
};

}  // namespace

int run_exporter(const ExporterOptions& options) {
  const auto config = load_config(options.bus);
  if (config.ok()) return Exporter(options, *config).run();
  say(config.error());
  return kExitUsage;
}

}  // namespace evs::tools
