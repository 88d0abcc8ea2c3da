// SPDX-License-Identifier: BSD-3-Clause
// Of a later minor: longer structs, and one more function behind. This one is to be taken.
#include "bad.h"

struct LaterDescriptor : evs_plugin_descriptor {
  const char* more;
};
namespace {
const evs_plugin_descriptor* fill() {
  static LaterDescriptor later[2];
  for (LaterDescriptor& one : later) {
    static_cast<evs_plugin_descriptor&>(one) = bad::descriptor;
    one.struct_size = sizeof(LaterDescriptor);
    one.more = "the host does not know me";
  }
  later[1].name = "second";
  return later;
}
}  // namespace
EVS_PLUGIN_EXPORT extern const evs_plugin_entry evs_plugin_entry_v1;
const evs_plugin_entry evs_plugin_entry_v1 = {
    EVS_PLUGIN_MAGIC, EVS_PLUGIN_ABI_MAJOR, EVS_PLUGIN_ABI_MINOR + 5, sizeof(evs_plugin_entry) + 16, 2, 0, fill()};
