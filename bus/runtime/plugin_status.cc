// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_status.cc - EVS_P_* as an error of the C API, and as words.
#include <cstdint>

#include "bus/include/evs/plugin.h"
#include "bus/runtime/plugin_result.h"

namespace evs::runtime {
namespace {

struct Row {
  int32_t status;
  cs_error_t error;
  const char* text;
};

constexpr Row kRows[] = {
    {EVS_P_OK, CS_OK, "success"},
    {EVS_P_AGAIN, CS_ERR_TRY_AGAIN, "nothing there, or no room"},
    {EVS_P_TOO_BIG, CS_ERR_TOO_BIG, "too big"},
    {EVS_P_BAD_PARAMETER, CS_ERR_INVALID_PARAM, "an unknown or bad parameter"},
    {EVS_P_NO_MEMORY, CS_ERR_NO_MEMORY, "out of memory"},
    {EVS_P_NO_SPACE, CS_ERR_NO_SPACE, "no space left where its files lie"},
    {EVS_P_NO_RESOURCES, CS_ERR_NO_RESOURCES, "out of descriptors, slots or cursors"},
    {EVS_P_ACCESS, CS_ERR_ACCESS, "permission denied"},
    {EVS_P_VERSION, CS_ERR_VERSION, "what stands there has another version"},
    {EVS_P_CORRUPT, CS_ERR_LIBRARY, "what stands there is foreign or damaged"},
    {EVS_P_TIMEOUT, CS_ERR_TIMEOUT, "timed out"},
    {EVS_P_NOT_SUPPORTED, CS_ERR_NOT_SUPPORTED, "not supported"},
    {EVS_P_EXPELLED, CS_ERR_TRY_AGAIN, "this process was expelled"},
    {EVS_P_CLOSED, CS_ERR_LIBRARY, "the medium has failed"},
    {EVS_P_INTERRUPTED, CS_ERR_INTERRUPT, "interrupted"},
    {EVS_P_NESTED, CS_ERR_TRY_AGAIN, "a signal handler interrupted a send of its own thread"},
    {EVS_P_INTERNAL, CS_ERR_LIBRARY, "a failure inside the plugin"},
};

// Statuses are dense from 0, so the row is found by its number.
constexpr bool rows_stand_at_their_number() {
  for (int32_t i = 0; i < static_cast<int32_t>(sizeof(kRows) / sizeof(kRows[0])); ++i)
    if (kRows[i].status != i) return false;
  return true;
}
static_assert(rows_stand_at_their_number());

const Row* row(int32_t status) noexcept {
  const bool known = status >= 0 && status < static_cast<int32_t>(sizeof(kRows) / sizeof(kRows[0]));
  return known ? &kRows[status] : nullptr;
}

}  // namespace

cs_error_t error_of_status(int32_t status) noexcept {
  const Row* found = row(status);
  return found == nullptr ? CS_ERR_LIBRARY : found->error;
}

const char* text_of_status(int32_t status) noexcept {
  const Row* found = row(status);
  return found == nullptr ? "a status that evs/plugin.h does not know" : found->text;
}

}  // namespace evs::runtime
