// SPDX-License-Identifier: BSD-3-Clause
// bus/api/strerror.cc - error codes by name, as they stand in the header.
#include "bus/api/number.h"
#include "evs/evs.h"

extern "C" const char* cs_strerror(cs_error_t err) {
#define EVS_NAME(code) \
  case code: return #code
  switch (evs::api::number_of(err)) {
    EVS_NAME(CS_OK);
    EVS_NAME(CS_ERR_LIBRARY);
    EVS_NAME(CS_ERR_VERSION);
    EVS_NAME(CS_ERR_INIT);
    EVS_NAME(CS_ERR_TIMEOUT);
    EVS_NAME(CS_ERR_TRY_AGAIN);
    EVS_NAME(CS_ERR_INVALID_PARAM);
    EVS_NAME(CS_ERR_NO_MEMORY);
    EVS_NAME(CS_ERR_BAD_HANDLE);
    EVS_NAME(CS_ERR_BUSY);
    EVS_NAME(CS_ERR_ACCESS);
    EVS_NAME(CS_ERR_NOT_EXIST);
    EVS_NAME(CS_ERR_NAME_TOO_LONG);
    EVS_NAME(CS_ERR_EXIST);
    EVS_NAME(CS_ERR_NO_SPACE);
    EVS_NAME(CS_ERR_INTERRUPT);
    EVS_NAME(CS_ERR_NAME_NOT_FOUND);
    EVS_NAME(CS_ERR_NO_RESOURCES);
    EVS_NAME(CS_ERR_NOT_SUPPORTED);
    EVS_NAME(CS_ERR_BAD_OPERATION);
    EVS_NAME(CS_ERR_FAILED_OPERATION);
    EVS_NAME(CS_ERR_MESSAGE_ERROR);
    EVS_NAME(CS_ERR_QUEUE_FULL);
    EVS_NAME(CS_ERR_QUEUE_NOT_AVAILABLE);
    EVS_NAME(CS_ERR_BAD_FLAGS);
    EVS_NAME(CS_ERR_TOO_BIG);
    EVS_NAME(CS_ERR_NO_SECTIONS);
    EVS_NAME(CS_ERR_CONTEXT_NOT_FOUND);
    EVS_NAME(CS_ERR_TOO_MANY_GROUPS);
    EVS_NAME(CS_ERR_SECURITY);
  }
#undef EVS_NAME
  return "unknown error";
}
