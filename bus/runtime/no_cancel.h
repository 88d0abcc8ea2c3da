// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/no_cancel.h - the library's own work is no cancellation point.
//
// A thread that pthread_cancel() hits in a write() of ours would unwind out of the middle of it, through functions that promise not to throw.
// So what may come by a cancellation point has this on its way. Sends, and a dispatch that finds messages, make no such calls, and pay nothing. In a callback the application's own setting holds: an unwinding from there is one that dispatch expects.
#pragma once

#include <pthread.h>

namespace evs::runtime {

class NoCancel {
 public:
  NoCancel() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~NoCancel() {
    int ours;
    pthread_setcancelstate(before_, &ours);
  }
  NoCancel(const NoCancel&) = delete;
  NoCancel& operator=(const NoCancel&) = delete;

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace evs::runtime
