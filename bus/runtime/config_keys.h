// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/config_keys.h - every key of evs.toml, declared once.
//
// One row is all there is to say about a key: its name, type, default, bounds and a sentence for people. Validation,
// the list in error messages, `evs config` and the KEYS section of evs.toml(5) are all read from this table, so they
// cannot disagree. The table is constexpr and in a header for one more reason: KeyName checks a key at compile time, so
// that config.bytes("local.ring_sise") does not build, and neither does config.bytes("log.level").
//
// Not here: keys of plugins, plugin.<name>.<key>. Only the plugin knows them, and it checks them itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace evs::runtime {

enum class KeyType : uint8_t { text, choice, bytes, duration, integer };

// What a key of type `text` may hold.
enum class TextRule : uint8_t { none, bus_name, transport, directory, unix_group, search_path, log_target, file, quorum, listen };

struct KeySpec {
  std::string_view name;  // section.key
  KeyType type;
  std::string_view initial;  // the default, spelt as a person would
  std::string_view help;     // one or more sentences
  // Bounds of bytes, nanoseconds or integers. zero_too: 0 is taken although it lies below `low`.
  uint64_t low = 0;
  uint64_t high = 0;
  bool zero_too = false;
  bool power_of_two = false;
  TextRule rule = TextRule::none;
  std::string_view choices = {};      // of a choice, separated by ", "
  std::string_view counts = {};       // what an integer counts
  std::string_view empty_means = {};  // of a text whose default is ""
};

inline constexpr uint32_t kMostHosts = 256;  // of a ring, and of a quorum
inline constexpr uint64_t kOneKiB = 1ull << 10, kOneMiB = 1ull << 20, kOneGiB = 1ull << 30;
inline constexpr uint64_t kOneMs = 1'000'000, kOneHour = 3'600'000'000'000;  // in nanoseconds

// clang-format off
inline constexpr KeySpec kKeys[] = {
    {.name = "bus.name", .type = KeyType::text, .initial = "default",
     .help = "Name of the bus. Processes of one host that name the same bus, in the same local.directory, share it.",
     .rule = TextRule::bus_name},
    {.name = "bus.initialize_timeout", .type = KeyType::duration, .initial = "10s",
     .help = "How long evs_initialize waits for the first configuration when an uplink is still forming its ring; then "
             "it answers CS_ERR_TIMEOUT.",
     .low = kOneMs, .high = kOneHour},
    {.name = "local.transport", .type = KeyType::text, .initial = "shm",
     .help = "Transport plugin of the local ring: the NAME of an evs-transport-NAME.so on the plugin path, or the "
             "absolute path of a file.",
     .rule = TextRule::transport},
    {.name = "local.directory", .type = KeyType::text, .initial = "",
     .help = "Directory of the bus's shared files. It must lie in memory (tmpfs) to be fast.",
     .rule = TextRule::directory, .empty_means = "/dev/shm/evs-UID, with UID the effective user id"},
    {.name = "local.group", .type = KeyType::text, .initial = "",
     .help = "Unix group whose members share the bus. A member is trusted with the shared memory.",
     .rule = TextRule::unix_group, .empty_means = "the owner of the directory alone"},
    {.name = "local.ring_size", .type = KeyType::bytes, .initial = "4MiB",
     .help = "Capacity of the shared ring. Above the second-level cache and below the third is fastest; it must hold "
             "two of the largest messages with their groups, and room for memberships (a refusal names how much). Decided by "
             "the process that creates the bus.",
     .low = 512 * kOneKiB, .high = kOneGiB, .power_of_two = true},
    {.name = "local.message_limit", .type = KeyType::bytes, .initial = "1MiB",
     .help = "Largest message; a larger one is refused with CS_ERR_TOO_BIG. Decided by the process that creates the bus.",
     .low = kOneKiB, .high = 256 * kOneMiB},
    {.name = "local.max_processes", .type = KeyType::integer, .initial = "128",
     .help = "How many processes can have the bus open at a time. Decided by the process that creates the bus.",
     .low = 2, .high = 1024, .counts = "processes"},
    {.name = "local.slow_reader_timeout", .type = KeyType::duration, .initial = "10s",
     .help = "A process that keeps the ring full for this long, because it does not dispatch, is expelled: it leaves "
             "the configuration and rejoins at its next call.",
     .low = 100 * kOneMs, .high = kOneHour},
    {.name = "local.stalled_writer_timeout", .type = KeyType::duration, .initial = "0",
     .help = "A process that is stopped in the middle of a send holds the ring. 0: wait for it, and say so in log, "
             "status and metrics. Otherwise it is killed (SIGKILL; processes of the same user only) after this long.",
     .low = 100 * kOneMs, .high = kOneHour, .zero_too = true},
    {.name = "local.attach_timeout", .type = KeyType::duration, .initial = "5s",
     .help = "How long opening the bus, or joining it again after an expulsion, may take: its lock, a place in the order, "
             "members that are stopped in a send.",
     .low = 100 * kOneMs, .high = kOneHour},
    {.name = "local.spin", .type = KeyType::duration, .initial = "20us",
     .help = "Upper bound of the adaptive spin of a blocking dispatch before it sleeps. 0: sleep at once.",
     .low = 0, .high = kOneMs},
    {.name = "plugins.path", .type = KeyType::text, .initial = "",
     .help = "Directories that are searched for plugins, absolute and separated by colons. EVS_PLUGIN_PATH in the "
             "environment is searched before them.",
     .rule = TextRule::search_path, .empty_means = "the installed directory"},
    {.name = "log.level", .type = KeyType::choice, .initial = "warning",
     .help = "The least severe messages that are logged.",
     .choices = "trace, debug, info, warning, error, off"},
    {.name = "log.to", .type = KeyType::text, .initial = "stderr",
     .help = "Where messages go. A file is appended to, and opened anew when it was rotated away. A host application "
             "that takes the messages itself (evs_initialize_ex) overrides this.",
     .rule = TextRule::log_target},
    {.name = "log.rate", .type = KeyType::integer, .initial = "20",
     .help = "How many messages of one kind are logged in 10 s; the rest are counted and reported in one line. "
             "0: no limit.",
     .low = 0, .high = 1'000'000, .counts = "messages of a kind in 10 s"},
    {.name = "metrics.group", .type = KeyType::text, .initial = "",
     .help = "Unix group that may read the counters (and no message). On a bus with local.group it must be that group or empty.",
     .rule = TextRule::unix_group, .empty_means = "the owner of the directory alone"},
    {.name = "metrics.histograms", .type = KeyType::choice, .initial = "on",
     .help = "on: how long things take is measured and counted by length (evs-metrics(7), histograms), by each process for itself. off: this process measures nothing; what "
             "is merely counted is counted all the same.",
     .choices = "on, off"},
    {.name = "metrics.listen", .type = KeyType::text, .initial = "",
     .help = "ADDRESS:PORT, of IPv4: this process serves the metrics of its buses itself, at http://ADDRESS:PORT/metrics, to whoever may connect. One process of a host can have a port, and "
             "another one that asks for it says so in its log and goes on. For a host with several, evs-exporter(1) shows all of them.",
     .rule = TextRule::listen, .empty_means = "nothing is served"},
    {.name = "metrics.service", .type = KeyType::text, .initial = "prometheus",
     .help = "Service plugin that serves metrics.listen: the NAME of an evs-service-NAME.so on the plugin path, or the absolute path of a file.",
     .rule = TextRule::transport},
    {.name = "metrics.sample", .type = KeyType::integer, .initial = "10",
     .help = "Of messages one in 2^sample is measured: 10 is one in 1024, which costs next to nothing; 0 is each of them, which costs a few clock readings each, and is for "
             "buses that carry few.",
     .low = 0, .high = 30, .counts = "power of two"},
    {.name = "uplink.transport", .type = KeyType::text, .initial = "",
     .help = "Transport plugin of the uplink, which carries the bus between hosts: a NAME such as udp, or the absolute path of a file. Its own keys are plugin.NAME.KEY "
             "(`evs plugins --params` lists them).",
     .rule = TextRule::transport, .empty_means = "none; the bus stays on this host"},
    {.name = "uplink.host_id", .type = KeyType::integer, .initial = "0",
     .help = "This host's number on the ring of hosts, which no other host of the bus may have. 0: made from the machine's id (/etc/machine-id).",
     .low = 1, .high = 1'048'575, .zero_too = true, .counts = "a host's number"},
    {.name = "uplink.gateway", .type = KeyType::choice, .initial = "willing",
     .help = "One process of each host carries the bus between hosts for all of them. willing: this one does when no other does. standing: it does whenever it runs, and "
             "another one hands over to it. never: it does not.",
     .choices = "willing, standing, never"},
    {.name = "uplink.token_timeout", .type = KeyType::duration, .initial = "200ms",
     .help = "No sign of the ring's token for so long, and a host is taken to be gone: the others form a ring without it. Shorter finds dead hosts sooner, and takes an "
             "overloaded one for dead. A gateway that did not run for half of it throws away what waited, says so in the log, and joins the ring again.",
     .low = 20 * kOneMs, .high = kOneHour},
    {.name = "uplink.stalled_host_timeout", .type = KeyType::duration, .initial = "4s",
     .help = "A host whose processes do not read what the ring delivers holds up all the others. After so long it leaves the ring, and comes back when there is room.",
     .low = 100 * kOneMs, .high = kOneHour},
    {.name = "uplink.security", .type = KeyType::choice, .initial = "sealed",
     .help = "Without an uplink of no effect. sealed: packets over a datagram medium are encrypted and authenticated with the key of uplink.key_file; without one the "
             "uplink does not start. none: they go in the clear, and whoever is on the network may read and forge them. All hosts of a bus must agree.",
     .choices = "sealed, none"},
    {.name = "uplink.key_file", .type = KeyType::text, .initial = "/etc/evs/key",
     .help = "The key that all hosts of the bus share, as evs-keygen(1) makes it. A regular file that belongs to root or to the effective user, with no "
             "rights for group and others.",
     .rule = TextRule::file},
    {.name = "uplink.quorum", .type = KeyType::text, .initial = "off",
     .help = "When hosts part, which of the parts may act for all: each configuration says whether it is primary, and in which epoch. off: none is, and no vote is stored. "
             "auto: the part with more than half of the hosts of the primary one before; the first one begins on one host (uplink.found). A number: more than half of so "
             "many hosts, none of which may lose its disk, or an epoch can come twice. All hosts of a bus must agree. An epoch rises "
             "from each primary one to the next: what programs fence with (evs_initialize_ex(3), PRIMARY CONFIGURATIONS).",
     .rule = TextRule::quorum},
    {.name = "uplink.found", .type = KeyType::choice, .initial = "no",
     .help = "With uplink.quorum = auto, said on one host, once: yes begins the bus here, if this host has voted for nothing yet. Take it out again when it has begun: a host "
             "that has lost what it stored would begin a second time.",
     .choices = "no, yes"},
    {.name = "uplink.state_directory", .type = KeyType::text, .initial = "",
     .help = "Directory on a disk, where a host keeps how far rings have been numbered and, with uplink.quorum, what it has voted for, written twice whenever a ring of hosts "
             "forms. Nobody else may write to it, and all processes that may carry the bus between hosts run as one user. With uplink.quorum, or where it is named here, a process "
             "that cannot write to it does not carry the bus, nor one that sees what this host has voted for where it may not write; else rings are numbered without.",
     .rule = TextRule::directory, .empty_means = "/var/lib/evs where it can be written to, else $XDG_STATE_HOME/evs, else ~/.local/state/evs"},
};
// clang-format on

inline constexpr size_t kKeyCount = sizeof(kKeys) / sizeof(kKeys[0]);
inline constexpr size_t kNoKey = kKeyCount;

// The index of `name` in kKeys; kNoKey when there is none.
constexpr size_t key_index(std::string_view name) {
  for (size_t i = 0; i < kKeyCount; ++i)
    if (kKeys[i].name == name) return i;
  return kNoKey;
}

// A key that exists and has the type asked for, decided by the compiler.
template <KeyType type>
class KeyName {
 public:
  template <size_t n>
  consteval KeyName(const char (&name)[n]) : index_(key_index(std::string_view(name, n - 1))) {  // NOLINT: implicit
    if (index_ == kNoKey) throw "no such key in kKeys";
    if (!fits(kKeys[index_].type)) throw "the key has another type";
  }
  constexpr size_t index() const { return index_; }

 private:
  static constexpr bool fits(KeyType actual) {
    return actual == type || (type == KeyType::text && actual == KeyType::choice);
  }
  size_t index_;
};

// Keys of plugins: "plugin." name "." key.
inline constexpr std::string_view kPluginPrefix = "plugin.";

// True for "bus", "local" and the other sections of the table.
bool is_section(std::string_view name);

// The declared key that looks most like `name`; never empty.
std::string_view nearest_key(std::string_view name);

// EVS_LOCAL_RING_SIZE for local.ring_size.
std::string environment_name(std::string_view key);

// "a power of two from 512KiB to 1GiB", "one of trace, debug, ...": completes the sentence "must be".
std::string describe_range(const KeySpec& key);

// "size", "duration", ...
std::string_view type_name(KeyType type);

// All keys with type, default, range and help, as a person reads them on a terminal.
std::string explain_choices();

// The same as the KEYS section of evs.toml(5), in scdoc's language.
std::string key_reference_scd();

}  // namespace evs::runtime
