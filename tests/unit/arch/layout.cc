// SPDX-License-Identifier: BSD-3-Clause
//
// layout.cc - the binary interface as C++ sees it: the facts of layout.c, and the mangled types behind them.
#define CHECKED(condition) static_assert(condition, #condition)
#include "layout_asserts.h"

#include <type_traits>

static_assert(std::is_same_v<evs_handle_t, uint64_t> && std::is_same_v<hdb_handle_t, uint64_t>);
static_assert(std::is_same_v<evs_error_t, cs_error_t>);
static_assert(std::is_same_v<evs_group_t, struct evs_group>);
static_assert(std::is_standard_layout_v<evs_ring_id> && std::is_trivially_copyable_v<evs_ring_id>);
static_assert(std::is_same_v<decltype(&evs_initialize), cs_error_t (*)(evs_handle_t*, evs_callbacks_t*)>);
static_assert(std::is_same_v<decltype(&evs_dispatch), cs_error_t (*)(evs_handle_t, cs_dispatch_flags_t)>);
static_assert(std::is_same_v<decltype(&evs_join), cs_error_t (*)(evs_handle_t, const evs_group*, size_t)>);
static_assert(std::is_same_v<decltype(&evs_leave), decltype(&evs_join)>);
static_assert(std::is_same_v<decltype(&evs_mcast_joined),
                             cs_error_t (*)(evs_handle_t, evs_guarantee_t, const iovec*, unsigned int)>);
static_assert(std::is_same_v<decltype(&evs_mcast_groups), cs_error_t (*)(evs_handle_t, evs_guarantee_t, const evs_group*,
                                                                         size_t, const iovec*, unsigned int)>);
static_assert(std::is_same_v<decltype(&evs_membership_get),
                             cs_error_t (*)(evs_handle_t, unsigned int*, unsigned int*, size_t*)>);
static_assert(std::is_same_v<decltype(&evs_context_get), cs_error_t (*)(evs_handle_t, void**)>);
static_assert(std::is_same_v<decltype(&evs_context_set), cs_error_t (*)(evs_handle_t, void*)>);
static_assert(std::is_same_v<decltype(&evs_fd_get), cs_error_t (*)(evs_handle_t, int*)>);
static_assert(std::is_same_v<evs_deliver_fn_t, void (*)(hdb_handle_t, unsigned int, const void*, size_t)>);
static_assert(std::is_same_v<evs_confchg_fn_t, void (*)(hdb_handle_t, const unsigned int*, size_t, const unsigned int*, size_t,
                                                        const unsigned int*, size_t, const evs_ring_id*)>);

int main() { return 0; }
