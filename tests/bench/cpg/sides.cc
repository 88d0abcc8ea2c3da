// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/cpg/sides.cc - see sides.h.
#include "tests/bench/cpg/sides.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "bus/runtime/sealing/key_file.h"

namespace evs::bench {

using test::LoadCrew;
using test::Wire;
namespace fs = std::filesystem;
namespace sealing = runtime::sealing;

namespace {

std::string fresh_directory(std::string pattern) {
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no directory " + pattern);
  return pattern;
}

}  // namespace

Sides::Sides(std::string corosync, const std::string& complaints, std::vector<std::string> evs_parameters)
    : corosync_(std::move(corosync)), evs_parameters_(std::move(evs_parameters)), directory_(fresh_directory(fs::temp_directory_path() / "evs-cpg-XXXXXX")),
      shared_(fresh_directory("/dev/shm/evs-cpg-XXXXXX")), complaints_(open(complaints.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)), wire_(kHosts) {
  if (complaints_ < 0) throw std::runtime_error("cannot write " + complaints);
  make_keys();
}

Sides::~Sides() {
  close(complaints_);
  fs::remove_all(directory_);
  fs::remove_all(shared_);
}

bool Sides::has_corosync() const { return access(EVS_CPG_LOAD, X_OK) == 0 && access((corosync_ + "/complete").c_str(), R_OK) == 0; }

std::string Sides::corosync_version() const {
  std::string line;
  std::ifstream file(corosync_ + "/version");
  std::getline(file, line);
  return line;
}

void Sides::make_keys() const {
  const auto key = sealing::draw_key(1);
  if (!key || !sealing::write_key_file(directory_ + "/key", sealing::Keyring(*key), sealing::KeyFileWrite::create)) throw std::runtime_error("no key for evs");
  char bytes[256];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) throw std::runtime_error("no random number");
  std::ofstream(directory_ + "/authkey", std::ios::binary).write(bytes, sizeof bytes);
  chmod((directory_ + "/authkey").c_str(), 0400);
}

std::unique_ptr<LoadCrew> Sides::evs(const Traffic& traffic, int guarantee, bool guest) {
  // A run's rings are many megabytes, and those of the runs before are of no use.
  for (const auto& old : fs::directory_iterator(shared_)) fs::remove_all(old);
  const std::string own = shared_ + "/" + std::to_string(runs_++);
  fs::create_directory(own);
  std::vector<std::string> parameters = {traffic.sealed ? "uplink.key_file=" + directory_ + "/key" : "uplink.security=none"};
  parameters.insert(parameters.end(), evs_parameters_.begin(), evs_parameters_.end());
  auto crew = std::make_unique<LoadCrew>(wire_, complaints_);
  const auto start = [&](size_t host, bool sends) { crew->start(host, test::load_command(host, own, {traffic.bytes, guarantee, sends}, parameters)); };
  for (size_t host = 0; host < kHosts; ++host) start(host, host < traffic.senders);
  crew->until_one();
  if (guest) start(0, false), crew->until_one();  // who came first is the gateway
  return crew;
}

void Sides::write_configuration(const std::string& path, const Traffic& traffic, const CorosyncMode& mode) const {
  std::ofstream out(path);
  out << "totem {\n version: 2\n cluster_name: evs\n transport: " << mode.transport << "\n";
  if (traffic.sealed) out << " crypto_cipher: aes256\n crypto_hash: sha256\n keyfile: " << directory_ << "/authkey\n";
  else if (mode.transport == "knet") out << " crypto_cipher: none\n crypto_hash: none\n";
  else out << " interface {\n  bindnetaddr: 10.86.0.0\n  mcastaddr: 239.86.0.1\n  mcastport: 5405\n }\n";
  out << "}\nnodelist {\n";
  for (size_t host = 0; host < kHosts; ++host) out << " node {\n  nodeid: " << host + 1 << "\n  name: h" << host + 1 << "\n  ring0_addr: " << Wire::v4(host) << "\n }\n";
  out << "}\nsystem {\n sched_rr: " << (mode.realtime ? "yes" : "no") << "\n}\n"
      << "logging {\n to_stderr: yes\n to_syslog: no\n to_logfile: no\n}\n";
}

std::unique_ptr<LoadCrew> Sides::cpg(const Traffic& traffic, const CorosyncMode& mode) {
  const std::string path = directory_ + "/corosync.conf";
  write_configuration(path, traffic, mode);
  auto crew = std::make_unique<LoadCrew>(wire_, complaints_);
  for (size_t host = 0; host < kHosts; ++host) crew->start(host, {EVS_CPG_LOAD, std::to_string(traffic.bytes), host < traffic.senders ? "1" : "0", corosync_, path});
  try {
    crew->until_one();
  } catch (const std::runtime_error&) {
    throw std::runtime_error("three corosyncs (" + mode.transport + (traffic.sealed ? ", sealed" : "") + ") came to no group");
  }
  return crew;
}

}  // namespace evs::bench
