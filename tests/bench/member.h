// SPDX-License-Identifier: BSD-3-Clause
// member.h - a process that has the bus open, through the public C API and nothing else.
//
// libevs is loaded with dlopen in each child that wants it: the parent then never runs a line of it, and the baseline
// for the memory figure is the very same executable without it. The calls go through a table of pointers, which costs
// what a call into any shared library costs.
#pragma once

#include <string>

#include "bus/include/evs/evs.h"

namespace evs::bench {

struct Library {
  decltype(&evs_initialize) initialize;
  decltype(&evs_initialize_ex) initialize_ex;
  decltype(&evs_finalize) finalize;
  decltype(&evs_fd_get) fd_get;
  decltype(&evs_dispatch) dispatch;
  decltype(&evs_join) join;
  decltype(&evs_leave) leave;
  decltype(&evs_mcast_joined) mcast_joined;
  decltype(&evs_mcast_groups) mcast_groups;
  decltype(&evs_membership_get) membership_get;
  decltype(&evs_status) status;
  decltype(&evs_version) version;
};

// Loads libevs.so.4 (from EVS_SPEED_LIBRARY, else from where it was built) on first use; throws Malfunction.
const Library& library();

// "evs-speed" on a bus of its own in a directory of its own, gone afterwards; children find it in their environment.
class BusPlace {
 public:
  BusPlace();
  ~BusPlace();
  BusPlace(const BusPlace&) = delete;
  BusPlace& operator=(const BusPlace&) = delete;

 private:
  std::string directory_;
};

evs_group group_named(const char* name);

// One handle. The callbacks have no argument for a context, so what they fill is a global of the child's.
class Member {
 public:
  explicit Member(evs_deliver_fn_t deliver, evs_confchg_fn_t configure = nullptr);
  ~Member();
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  evs_handle_t handle() const { return handle_; }
  uint32_t nodeid() const;
  evs_status_t status() const;
  void join(const evs_group& group);
  void leave(const evs_group& group);
  void dispatch(cs_dispatch_flags_t how) {
    const cs_error_t answer = library_.dispatch(handle_, how);
    if (answer != CS_OK) fail("evs_dispatch", answer);
  }
  // CS_OK or CS_ERR_TRY_AGAIN; anything else is a malfunction.
  bool send_joined(const void* data, size_t bytes) {
    const iovec whole{const_cast<void*>(data), bytes};
    return sent("evs_mcast_joined", library_.mcast_joined(handle_, EVS_TYPE_AGREED, &whole, 1));
  }
  bool send_to(const evs_group& group, const void* data, size_t bytes) {
    const iovec whole{const_cast<void*>(data), bytes};
    return sent("evs_mcast_groups", library_.mcast_groups(handle_, EVS_TYPE_AGREED, &group, 1, &whole, 1));
  }
  int descriptor() const;
  // From a callback: ends a blocking dispatch. The destructor then has nothing to do.
  void finalize();

 private:
  static bool sent(const char* call, cs_error_t answer) {
    if (answer == CS_OK) return true;
    if (answer != CS_ERR_TRY_AGAIN) fail(call, answer);
    return false;
  }
  [[noreturn]] static void fail(const char* call, cs_error_t answer);

  const Library& library_;
  evs_handle_t handle_ = 0;
  bool open_ = false;
};

}  // namespace evs::bench
