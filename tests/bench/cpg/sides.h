// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/cpg/sides.h - three hosts with evs on them, or with Corosync, set up for one measurement.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/buses/load_crew.h"

namespace evs::bench {

struct Traffic {
  size_t bytes;
  size_t senders;  // the first so many hosts
  bool sealed;
};

struct CorosyncMode {
  std::string transport;  // knet, or udp, which cannot seal
  bool realtime;          // sched_rr: as shipped, yes
};

class Sides {
 public:
  static constexpr size_t kHosts = 3;

  // `corosync`: the directory of tests/bench/cpg/fetch. What the programs complain of goes to the file `complaints`.
  Sides(std::string corosync, const std::string& complaints, std::vector<std::string> evs_parameters);
  ~Sides();
  Sides(const Sides&) = delete;
  Sides& operator=(const Sides&) = delete;

  bool has_corosync() const;
  std::string corosync_version() const;  // its first line

  // One at a time: the one before must be gone. `guest`: a fourth process, on the first host beside its gateway; it is member 3.
  std::unique_ptr<test::LoadCrew> evs(const Traffic& traffic, int guarantee, bool guest = false);
  std::unique_ptr<test::LoadCrew> cpg(const Traffic& traffic, const CorosyncMode& mode);

 private:
  void make_keys() const;
  void write_configuration(const std::string& path, const Traffic& traffic, const CorosyncMode& mode) const;

  const std::string corosync_;
  const std::vector<std::string> evs_parameters_;
  std::string directory_, shared_;  // of this run: on disk, and in memory
  int complaints_;
  const test::Wire wire_;
  size_t runs_ = 0;
};

}  // namespace evs::bench
