// SPDX-License-Identifier: BSD-3-Clause
// plugins/udp/link_watch.h - hears from the kernel that interfaces or addresses changed.
//
// The news alone; what is the case now is asked anew (interface.h). Without a netlink socket, in a sandbox, everything is looked
// at each second.
#pragma once

#include "plugins/udp/sockets.h"

namespace evs::udp {

class LinkWatch {
 public:
  void open();  // a failure is no failure: fd() is -1 then
  int fd() const { return netlink_.get(); }

  struct News {
    bool any = false;   // something changed, perhaps on another interface: a host of containers has thousands
    bool ours = false;  // the interface of that index, or an address of it
    bool gone = false;  // the interface of that index was removed; one of the same index may be another
  };
  News take(unsigned index);

 private:
  Fd netlink_;
};

}  // namespace evs::udp
