// SPDX-License-Identifier: BSD-3-Clause
// bus/api/boundary.h - where C++ ends: what every call of the C API does around its work.
//
// No exception leaves, but one: a thread that is cancelled in a callback unwinds through us, and glibc ends the process when
// somebody swallows that. Exceptions of our own making: out of memory, and a failed CHECK, which closes the bus.
#pragma once

#include <cxxabi.h>

#include <new>

#include "bus/runtime/call.h"
#include "bus/runtime/check.h"
#include "bus/runtime/no_cancel.h"

namespace evs::api {

// For what calls back: no_cancel.h.
template <class Work>
cs_error_t guarded_calling_back(Work work) {
  try {
    return work();
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (const std::bad_alloc&) {
    return CS_ERR_NO_MEMORY;
  } catch (...) {
    return CS_ERR_LIBRARY;  // an exception out of a callback, which C has no words for
  }
}

template <class Work>
cs_error_t guarded(Work work) {
  const runtime::NoCancel not_in_here;
  return guarded_calling_back(work);
}

// The same inside a call on a handle.
template <class Work>
cs_error_t guarded_calling_back(runtime::Call& call, Work work) {
  if (!call.inside()) return call.error();
  return guarded_calling_back([&] {
    try {
      return work(call.handle());
    } catch (const runtime::CheckFailed& failed) {
      if (call.enter()) call.handle().bus->close_for(failed);
      return CS_ERR_LIBRARY;
    }
  });
}

template <class Work>
cs_error_t guarded(runtime::Call& call, Work work) {
  const runtime::NoCancel not_in_here;
  return guarded_calling_back(call, work);
}

}  // namespace evs::api
