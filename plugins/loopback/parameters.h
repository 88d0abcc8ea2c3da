// SPDX-License-Identifier: BSD-3-Clause
// plugins/loopback/parameters.h - what the medium can be told, declared once.
//
// The bus hands every transport of the local side the keys of its [local] section, and the plugin's own keys from
// [plugin.NAME]. One table answers three questions: which keys exist (an unknown one is an error that names the
// nearest), which values are valid, and what `evs plugins --params` prints. A memory medium of one process has no
// directory, no other processes to wait for and nobody to fence: those keys are checked, so that a typing error is
// found before the bus is moved to the shm transport, and otherwise without effect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "evs/plugin.h"

namespace evs::loopback {

struct Settings {
  uint64_t ring_size = 4u << 20;
  uint64_t message_limit = 1u << 20;
  uint64_t max_processes = 128;
};

// Fills `settings`; EVS_P_OK or EVS_P_BAD_PARAMETER, with a sentence in `problem` that names the key.
int32_t read_parameters(const evs_plugin_parameter* parameters, size_t count, Settings& settings, std::string& problem);

// For "evs.params/1".
extern const evs_params_extension kParameters;

}  // namespace evs::loopback
