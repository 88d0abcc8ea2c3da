/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tests/conformance/bad_plugins/bad.h - a transport that is complete and does nothing, for others to spoil.
 *
 * Each .cc beside it includes this and gets one thing wrong; what the host says about that is in refusal_test.cc.
 */
#ifndef EVS_TESTS_BAD_H
#define EVS_TESTS_BAD_H

#include "evs/plugin.h"

namespace bad {

template <class Function>
struct Nothing;
template <class Result, class... Arguments>
struct Nothing<Result (*)(Arguments...)> {
  static Result call(Arguments...) { return Result(); }
};
#define NOTHING(table, field) Nothing<decltype(table::field)>::call

inline int32_t create(const evs_host*, const evs_plugin_parameter*, size_t, evs_transport** out, evs_error_text*) {
  static int transport;
  *out = reinterpret_cast<evs_transport*>(&transport);
  return EVS_P_OK;
}

#define ORDERED(field) NOTHING(evs_ordered_ops, field)
inline evs_ordered_ops ordered = {sizeof(evs_ordered_ops),
                                  0,
                                  ORDERED(limits),
                                  ORDERED(self),
                                  ORDERED(append),
                                  ORDERED(room),
                                  ORDERED(wait_room),
                                  ORDERED(membership),
                                  ORDERED(cursor_open),
                                  ORDERED(cursor_close),
                                  ORDERED(watch),
                                  ORDERED(park),
                                  ORDERED(interest_add),
                                  ORDERED(interest_remove),
                                  ORDERED(read),
                                  ORDERED(pending),
                                  ORDERED(wait),
                                  ORDERED(wake),
                                  ORDERED(fd),
                                  ORDERED(arm),
                                  ORDERED(ring),
                                  ORDERED(lag),
                                  ORDERED(usage),
                                  ORDERED(rejoin)};

inline evs_transport_ops transport = {sizeof(evs_transport_ops),
                                      EVS_MEDIUM_ORDERED,
                                      EVS_CAP_SAME_HOST,
                                      create,
                                      NOTHING(evs_transport_ops, start),
                                      NOTHING(evs_transport_ops, stop),
                                      NOTHING(evs_transport_ops, destroy),
                                      nullptr,
                                      nullptr,
                                      &ordered,
                                      nullptr};

inline evs_plugin_descriptor descriptor = {sizeof(evs_plugin_descriptor), EVS_KIND_TRANSPORT, BAD_NAME, "1",
                                           "A plugin to be refused.",     &transport,         nullptr};

}  // namespace bad

/* A statement that spoils something of the above while the module is loaded, before the host looks at it. */
#define SPOIL(statement)   \
  namespace {              \
  const int spoiled = [] { \
    statement;             \
    return 0;              \
  }();                     \
  }

#define ENTRY(magic, major, minor, size, count, descriptors)           \
  EVS_PLUGIN_EXPORT extern const evs_plugin_entry evs_plugin_entry_v1; \
  const evs_plugin_entry evs_plugin_entry_v1 = {magic, major, minor, size, count, 0, descriptors};
#define GOOD_ENTRY \
  ENTRY(EVS_PLUGIN_MAGIC, EVS_PLUGIN_ABI_MAJOR, EVS_PLUGIN_ABI_MINOR, sizeof(evs_plugin_entry), 1, &bad::descriptor)

#endif
