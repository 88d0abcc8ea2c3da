// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/plugin_host_check.cc - the sizes of minor 0, and the functions that a table must have.
#include "bus/runtime/plugin_host_check.h"

#include <cstddef>
#include <cstdint>

#include "bus/runtime/plugin_host_search.h"

namespace evs::runtime {
namespace {

// What the structs held in minor 0; a plugin of any minor fills that much. Named by the last field, so that a field
// added behind it does not move the bound.
#define EVS_MINIMUM(type, last) static_cast<uint32_t>(offsetof(type, last) + sizeof(type::last))
constexpr uint32_t kEntryBytes = EVS_MINIMUM(evs_plugin_entry, descriptors);
constexpr uint32_t kDescriptorBytes = EVS_MINIMUM(evs_plugin_descriptor, service);
constexpr uint32_t kTransportBytes = EVS_MINIMUM(evs_transport_ops, get_extension);
constexpr uint32_t kOrderedBytes = EVS_MINIMUM(evs_ordered_ops, rejoin);
constexpr uint32_t kDatagramBytes = EVS_MINIMUM(evs_datagram_ops, receive_fd);
constexpr uint32_t kServiceOpsBytes = EVS_MINIMUM(evs_service_ops, end);
constexpr uint32_t kServicePluginBytes = EVS_MINIMUM(evs_service_plugin_ops, get_extension);
#undef EVS_MINIMUM

constexpr uint32_t kMostDescriptors = 64;  // of one file; more is a sign of garbage

using Fault = std::optional<std::string>;

struct Function {
  const char* name;
  bool there;
};
#define EVS_FUNCTION(table, name)  \
  Function {                       \
#name, (table).name != nullptr \
  }

template <size_t n>
Fault missing_of(const char* table, const Function (&functions)[n]) {
  for (const Function& function : functions)
    if (!function.there) return std::string(table) + " has no " + function.name + "()";
  return std::nullopt;
}

Fault too_small(const char* table, uint32_t size, uint32_t minimum) {
  if (size >= minimum) return std::nullopt;
  return std::string(table) + " says it has " + std::to_string(size) + " bytes, and " + std::to_string(minimum) +
         " is the least; is struct_size set?";
}

Fault fault_of(const evs_ordered_ops& ops) {
  if (Fault fault = too_small("evs_ordered_ops", ops.struct_size, kOrderedBytes)) return fault;
  const Function functions[] = {
      EVS_FUNCTION(ops, limits),      EVS_FUNCTION(ops, self),         EVS_FUNCTION(ops, append),
      EVS_FUNCTION(ops, room),        EVS_FUNCTION(ops, wait_room),    EVS_FUNCTION(ops, membership),
      EVS_FUNCTION(ops, cursor_open), EVS_FUNCTION(ops, cursor_close), EVS_FUNCTION(ops, watch),
      EVS_FUNCTION(ops, park),        EVS_FUNCTION(ops, interest_add), EVS_FUNCTION(ops, interest_remove),
      EVS_FUNCTION(ops, read),        EVS_FUNCTION(ops, pending),      EVS_FUNCTION(ops, wait),
      EVS_FUNCTION(ops, wake),        EVS_FUNCTION(ops, fd),           EVS_FUNCTION(ops, arm),
      EVS_FUNCTION(ops, ring),        EVS_FUNCTION(ops, lag),          EVS_FUNCTION(ops, usage),
      EVS_FUNCTION(ops, rejoin)};
  return missing_of("evs_ordered_ops", functions);
}

Fault fault_of(const evs_datagram_ops& ops) {
  if (Fault fault = too_small("evs_datagram_ops", ops.struct_size, kDatagramBytes)) return fault;
  const Function functions[] = {EVS_FUNCTION(ops, largest_frame), EVS_FUNCTION(ops, send), EVS_FUNCTION(ops, receive),
                                EVS_FUNCTION(ops, receive_fd)};  // peer_name() is for logs only
  return missing_of("evs_datagram_ops", functions);
}

Fault fault_of(const evs_service_ops* ops) {
  return ops == nullptr ? std::nullopt : too_small("evs_service_ops", ops->struct_size, kServiceOpsBytes);
}

Fault fault_of(const evs_transport_ops& ops) {
  if (Fault fault = too_small("evs_transport_ops", ops.struct_size, kTransportBytes)) return fault;
  const Function functions[] = {EVS_FUNCTION(ops, create), EVS_FUNCTION(ops, start), EVS_FUNCTION(ops, stop),
                                EVS_FUNCTION(ops, destroy)};
  if (Fault fault = missing_of("evs_transport_ops", functions)) return fault;
  if (Fault fault = fault_of(ops.service)) return fault;
  if (ops.medium == EVS_MEDIUM_ORDERED)
    return ops.ordered == nullptr ? "it is an ordered medium without evs_ordered_ops" : fault_of(*ops.ordered);
  if (ops.medium == EVS_MEDIUM_DATAGRAM)
    return ops.datagram == nullptr ? "it is a datagram medium without evs_datagram_ops" : fault_of(*ops.datagram);
  return "its medium " + std::to_string(ops.medium) + " is neither EVS_MEDIUM_DATAGRAM (1) nor EVS_MEDIUM_ORDERED (2)";
}

Fault fault_of(const evs_service_plugin_ops& ops) {
  if (Fault fault = too_small("evs_service_plugin_ops", ops.struct_size, kServicePluginBytes)) return fault;
  const Function functions[] = {EVS_FUNCTION(ops, create), EVS_FUNCTION(ops, destroy)};
  if (Fault fault = missing_of("evs_service_plugin_ops", functions)) return fault;
  return fault_of(ops.service);
}
#undef EVS_FUNCTION

Fault fault_of(const evs_plugin_descriptor& descriptor) {
  if (descriptor.name == nullptr || descriptor.version == nullptr || descriptor.description == nullptr)
    return "a descriptor without name, version or description";
  if (!is_module_name(descriptor.name))
    return "the name \"" + std::string(descriptor.name) + "\" is not of 1 to 32 characters out of a-z, 0-9 and -";
  const std::string named = "\"" + std::string(descriptor.name) + "\": ";
  Fault fault;
  if (descriptor.kind == EVS_KIND_TRANSPORT)
    fault = descriptor.transport == nullptr ? "a transport without evs_transport_ops" : fault_of(*descriptor.transport);
  else if (descriptor.kind == EVS_KIND_SERVICE)
    fault = descriptor.service == nullptr ? "a service without evs_service_plugin_ops" : fault_of(*descriptor.service);
  else
    fault =
        "its kind " + std::to_string(descriptor.kind) + " is neither EVS_KIND_TRANSPORT (1) nor EVS_KIND_SERVICE (2)";
  return fault ? Fault(named + *fault) : std::nullopt;
}

Fault fault_of_descriptors(const evs_plugin_entry& entry) {
  if (entry.descriptor_count == 0 || entry.descriptor_count > kMostDescriptors || entry.descriptors == nullptr)
    return "it has " + std::to_string(entry.descriptor_count) + " descriptors; 1 to " +
           std::to_string(kMostDescriptors) + " are possible";
  const uint32_t stride = entry.descriptors->struct_size;
  if (Fault fault = too_small("evs_plugin_descriptor", stride, kDescriptorBytes)) return fault;
  for (uint32_t i = 0; i < entry.descriptor_count; ++i) {
    const evs_plugin_descriptor* descriptor = descriptor_at(entry, i);
    if (descriptor->struct_size != stride) return "its descriptors differ in struct_size";
    if (Fault fault = fault_of(*descriptor)) return fault;
  }
  return std::nullopt;
}

}  // namespace

const evs_plugin_descriptor* descriptor_at(const evs_plugin_entry& entry, uint32_t index) {
  const auto* first = reinterpret_cast<const std::byte*>(entry.descriptors);
  return reinterpret_cast<const evs_plugin_descriptor*>(first + size_t{index} * entry.descriptors->struct_size);
}

std::optional<PluginFailure> check_entry(const evs_plugin_entry* entry, const std::string& where) {
  const std::string refused = where + " is refused: ";
  if (entry->magic != EVS_PLUGIN_MAGIC)
    return PluginFailure{CS_ERR_LIBRARY,
                         refused + "its " EVS_PLUGIN_ENTRY_SYMBOL
                                   " does not begin with EVS_PLUGIN_MAGIC, so it is not one of an evs plugin"};
  if (entry->abi_major != EVS_PLUGIN_ABI_MAJOR)
    return PluginFailure{CS_ERR_VERSION, refused + "it was built for plugin ABI " + std::to_string(entry->abi_major) +
                                             ", and this libevs speaks " + std::to_string(EVS_PLUGIN_ABI_MAJOR) +
                                             ": build it with the evs/plugin.h of this version"};
  Fault fault = too_small("evs_plugin_entry", entry->struct_size, kEntryBytes);
  if (!fault) fault = fault_of_descriptors(*entry);
  if (fault) return PluginFailure{CS_ERR_LIBRARY, refused + *fault};
  return std::nullopt;
}

}  // namespace evs::runtime
