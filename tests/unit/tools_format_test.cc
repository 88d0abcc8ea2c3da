// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/tools_format_test.cc - what the commands print, word by word: golden texts of pure functions.
//
// People read the text and scripts the JSON. A change of either is a change of an interface and should be seen here.
#include <gtest/gtest.h>

#include <cstring>

#include "tools/evs/bench_report.h"
#include "tools/evs/cat_format.h"
#include "tools/evs/config_command.h"
#include "tools/evs/json.h"
#include "tools/evs/plugins_text.h"
#include "tools/evs/status_text.h"

namespace evs::tools {
namespace {

metrics::GroupKey key(const char* name) {
  return *parse_group(name);
}

metrics::Snapshot busy_bus() {
  metrics::Snapshot s;
  s.bus = "default";
  s.directory = "/dev/shm/evs-1000";
  s.taken_at_unix_ns = 1'000'000'000'000'000'042ull;
  s.boot_count = 3;
  s.ring_sequence = 3;
  s.change = 12;
  s.ring = {4 << 20, 1 << 20, 123'456, 2, "cursor"};
  metrics::Member writer;
  writer.nodeid = 1;
  writer.pid = 811;
  writer.command = "feed";
  writer.generation = 4;
  writer.handles = {{0, false, false, 0, 0, 0, 0}};
  metrics::Member stopped;
  stopped.nodeid = 2;
  stopped.pid = 812;
  stopped.command = "read\x1b[31mer";
  stopped.generation = 1;
  stopped.stopped_for_ns = 5'300'000'000;
  stopped.handles = {{0, true, false, 1 << 20, 2, 10, 3}, {1, true, true, 64, 1, 5, 2}};
  stopped.groups = {key("chat"), key("trades")};
  metrics::Member slow;
  slow.nodeid = 3;
  slow.pid = 813;
  slow.process_gone = true;
  slow.state = metrics::MemberState::expelled;
  slow.handles = {{0, true, true, 0, 1, 0, 0}};
  slow.groups = {key("chat")};
  s.members = {writer, stopped, slow};
  return s;
}

TEST(StatusText, SaysWhoHoldsTheRingAndWhoIsStopped) {
  EXPECT_EQ(status_text(busy_bus(), {}, Palette(false)),
            R"(bus default in /dev/shm/evs-1000
  ring     1.0 MiB of 4.0 MiB used (25 %), held by 2 (pid 812, read\x1b[31mer)
  members  3, configuration 3.12
  uplink   none
  stopped  2 (pid 812, read\x1b[31mer) for 5.3 s

  NODEID  PID  COMMAND         STATE           HANDLES  GROUPS   BEHIND
       1  811  feed            live                  1       0      0 B
       2  812  read\x1b[31mer  live, stopped         2       2  1.0 MiB
       3  813                  expelled, gone        1       1      0 B

  GROUP   MEMBERS
  chat    2 3
  trades  2
)");
}

TEST(StatusText, ShowsEachHandleWhenAsked) {
  const std::string text = status_text(busy_bus(), {.handles = true}, Palette(false));
  EXPECT_NE(text.find(R"(
  NODEID  HANDLE  READING  ASLEEP  GROUPS   BEHIND
       1       0  no       no           0        -
       2       0  yes      no           2  1.0 MiB
       2       1  yes      yes          1     64 B
       3       0  yes      yes          1      0 B
)"),
            std::string::npos)
      << text;
}

TEST(StatusText, PaintsWhatNeedsAttentionOnATerminal) {
  const std::string text = status_text(busy_bus(), {}, Palette(true));
  EXPECT_NE(text.find("\x1b[33mstopped  2 (pid 812"), std::string::npos) << text;
  EXPECT_EQ(text.find("\x1b[31mer"), std::string::npos) << "a process's name reached the terminal unescaped";
}

TEST(StatusText, SaysWhatIsHeldAndWhatIsNotKnown) {
  metrics::Snapshot s = busy_bus();
  s.ring.holder_what = "claim";
  s.members[1].in_send = true;
  s.members[1].stopped_for_ns = 0;
  const std::string text = status_text(s, {}, Palette(false));
  EXPECT_NE(text.find("held by 2 (pid 812, read\\x1b[31mer) with a claim\n"), std::string::npos) << text;
  EXPECT_NE(text.find("stopped  2 (pid 812, read\\x1b[31mer), in the middle of a send\n"), std::string::npos) << text;
}

TEST(StatusText, AnEmptyBusSaysSo) {
  metrics::Snapshot s;
  s.bus = "default";
  s.directory = "/dev/shm/evs-0";
  EXPECT_EQ(status_text(s, {}, Palette(false)),
            "bus default in /dev/shm/evs-0\n"
            "  ring     0 B of 0 B used (0 %)\n"
            "  members  0, configuration 0.0\n"
            "  uplink   none\n"
            "\n"
            "no member: the next process to open it starts it anew\n");
}

TEST(StatusText, SaysWhoHangs) {
  metrics::Snapshot s = busy_bus();
  s.members[0].heartbeat_age_ns = metrics::kHungNs;
  s.members[1].heartbeat_age_ns = metrics::kHungNs;
  s.members[2].heartbeat_age_ns = metrics::kHungNs;
  const std::string text = status_text(s, {}, Palette(false));
  EXPECT_NE(text.find("live, hung "), std::string::npos) << text;
  EXPECT_NE(text.find("live, stopped "), std::string::npos) << "the cause is known";
  EXPECT_NE(text.find("expelled, gone "), std::string::npos);
}

TEST(StatusJson, HasEverythingUnderStableNames) {
  metrics::Snapshot s = busy_bus();
  s.members.erase(s.members.begin());
  s.members.pop_back();
  s.departed = {{5, 2, 99, "died"}};
  EXPECT_EQ(
      json_line(status_json(s)),
      R"({"bus":"default","directory":"/dev/shm/evs-1000","taken_at":"2001-09-09T01:46:40.000000042Z","boot_count":3,)"
      R"("ring_sequence":3,"change":12,"role":"none","ring":{"capacity_bytes":4194304,"used_bytes":1048576,"tail":123456,)"
      R"("holder_nodeid":2,"holder_what":"cursor"},"outbox":null,"uplink":null,"members":[{"nodeid":2,"pid":812,"command":"read\u001b[31mer","state":"live","generation":1,)"
      R"("gone":false,"stopped_ns":5300000000,"in_send":false,"heartbeat_age_ns":0,"sent_messages":0,"sent_bytes":0,)"
      R"("handles":[{"index":0,"reading":true,"asleep":false,"behind_bytes":1048576,"groups":2,"delivered":10,"wakeups":3},)"
      R"({"index":1,"reading":true,"asleep":true,"behind_bytes":64,"groups":1,"delivered":5,"wakeups":2}],)"
      R"("groups":["chat","trades"]}],"departed":[{"nodeid":5,"pid":99,"generation":2,"how":"died"}]})"
      "\n");
  s.ring.holder_nodeid.reset();
  s.members[0].stopped_for_ns.reset();
  EXPECT_TRUE(status_json(s)["ring"]["holder_nodeid"].is_null());
  EXPECT_TRUE(status_json(s)["members"][0]["stopped_ns"].is_null());
}

constexpr uint64_t kThen = 1'700'000'000'123'456'789ull;

evs_message_t message(const char* data, size_t size, const evs_group* groups, size_t count) {
  evs_message_t m{};
  m.struct_size = sizeof m;
  m.nodeid = 5;
  m.pid = 4711;
  m.guarantee = EVS_TYPE_SAFE;
  m.groups = groups;
  m.group_entries = count;
  m.data = data;
  m.size = size;
  m.configuration = {1, (uint64_t{3} << 32) | 12};
  m.sequence = 640;
  return m;
}

TEST(CatFormat, TextIsText) {
  evs_group groups[2];
  std::memcpy(groups[0].key, key("a").data(), 32);
  std::memset(groups[1].key, 0xff, 32);
  EXPECT_EQ(message_json(message("q\"\xc3\xbc\n", 5, groups, 2), kThen),
            R"({"type":"message","nodeid":5,"pid":4711,"text":"q\"ü\n","groups":["a","hex:)" + std::string(64, 'f') +
                R"("],"guarantee":"safe","sequence":640,"configuration":{"nodeid":1,"seq":12884901900},)"
                R"("received":"2023-11-14T22:13:20.123456789Z"})"
                "\n");
}

TEST(CatFormat, OtherBytesAreBase64) {
  const Json parsed = Json::parse(message_json(message("\xff\x00", 2, nullptr, 0), kThen));
  EXPECT_EQ(parsed["base64"], "/wA=");
  EXPECT_FALSE(parsed.contains("text"));
  EXPECT_EQ(Json::parse(message_json(message("", 0, nullptr, 0), kThen))["text"], "");
}

TEST(CatFormat, ConfigurationsAndGroups) {
  const evs_member_t members[] = {{1, 100, EVS_REASON_NONE, 0}, {2, 200, EVS_REASON_JOINED, 0}};
  const evs_member_t left[] = {{3, 300, EVS_REASON_DIED, 0}};
  evs_configuration_t c{};
  c.struct_size = sizeof c;
  c.kind = EVS_CONFIGURATION_REGULAR;
  c.id = {1, 14};
  c.members = members;
  c.member_entries = 2;
  c.left = left;
  c.left_entries = 1;
  c.joined = members + 1;
  c.joined_entries = 1;
  EXPECT_EQ(configuration_text(c), "configuration 1:14, 2 members; gone: 3 (pid 300, died); new: 2 (pid 200, joined)");
  EXPECT_EQ(configuration_json(c, kThen),
            R"({"type":"configuration","kind":"regular","configuration":{"nodeid":1,"seq":14},)"
            R"("members":[{"nodeid":1,"pid":100},{"nodeid":2,"pid":200,"reason":"joined"}],)"
            R"("left":[{"nodeid":3,"pid":300,"reason":"died"}],"joined":[{"nodeid":2,"pid":200,"reason":"joined"}],)"
            R"("merged":false,"expelled":false,"received":"2023-11-14T22:13:20.123456789Z"})"
            "\n");
  c.kind = EVS_CONFIGURATION_TRANSITIONAL;
  c.flags = EVS_CONFIGURATION_EXPELLED | EVS_CONFIGURATION_MERGED;
  const Json parsed = Json::parse(configuration_json(c, kThen));
  EXPECT_EQ(parsed["kind"], "transitional");
  EXPECT_EQ(parsed["merged"], true);
  EXPECT_EQ(parsed["expelled"], true);

  evs_group_change_t change{};
  change.struct_size = sizeof change;
  change.nodeid = 2;
  change.pid = 200;
  change.reason = EVS_REASON_LEFT;
  std::memcpy(change.group.key, key("chat").data(), 32);
  EXPECT_EQ(group_text(change), "group chat: 2 (pid 200) left");
  EXPECT_EQ(group_json(change, kThen), R"({"type":"group","group":"chat","nodeid":2,"pid":200,"reason":"left",)"
                                       R"("received":"2023-11-14T22:13:20.123456789Z"})"
                                       "\n");
}

TEST(ConfigFormat, EachValueWithItsOrigin) {
  const std::vector<runtime::Setting> settings = {{"bus.name", "x", "/etc/evs/evs.toml:3"},
                                                  {"local.group", "", "default"}};
  EXPECT_EQ(config_text(settings, Palette(false)),
            "KEY          VALUE  FROM\n"
            "bus.name     x      /etc/evs/evs.toml:3\n"
            "local.group  \"\"     default\n");
  EXPECT_EQ(json_line(config_json(settings)), R"({"bus.name":{"value":"x","origin":"/etc/evs/evs.toml:3"},)"
                                              R"("local.group":{"value":"","origin":"default"}})"
                                              "\n");
}

TEST(ConfigFormat, TheCommandLineIsTheTopLayer) {
  BusChoice choice;
  choice.config_file = "/dev/null";
  choice.bus = "mine";
  choice.settings = {"local.ring_size=1MiB", "local.directory=/dev/shm/x"};
  const auto config = load_config(choice);
  ASSERT_TRUE(config.ok()) << config.error();
  EXPECT_EQ(config->text("bus.name"), "mine");
  EXPECT_EQ(config->bytes("local.ring_size"), 1u << 20);
  EXPECT_EQ(config->text("local.directory"), "/dev/shm/x");
  choice.settings = {"local.ring_sise=1MiB"};
  const auto refused = load_config(choice);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().find("local.ring_size"), std::string::npos) << refused.error();
}

// One plugin with one parameter, one service without, and a file that is refused.
struct PluginShelf {
  inline static const evs_parameter_info parameter{"depth", "integer", "64", "1 to 1024", "How deep."};
  inline static const evs_params_extension params{sizeof(evs_params_extension), 1, &parameter};
  static const void* extension(evs_transport*, const char* id) {
    return std::strcmp(id, EVS_EXTENSION_PARAMS) == 0 ? &params : nullptr;
  }
  evs_transport_ops transport{};
  evs_service_plugin_ops service{};
  evs_plugin_descriptor descriptors[2]{};
  evs_plugin_entry entry{EVS_PLUGIN_MAGIC, 1, 0, sizeof(evs_plugin_entry), 2, 0, descriptors};
  std::vector<runtime::PluginFile> files;

  PluginShelf() {
    transport.struct_size = sizeof transport;
    transport.medium = EVS_MEDIUM_ORDERED;
    transport.get_extension = extension;
    service.struct_size = sizeof service;
    descriptors[0] = {sizeof descriptors[0], EVS_KIND_TRANSPORT, "reel", "1.2", "Tape.", &transport, nullptr};
    descriptors[1] = {sizeof descriptors[1], EVS_KIND_SERVICE, "spy", "0.1", "Looks \x1b[1mon.", nullptr, &service};
    files = {{"/p/evs-transport-reel.so", "/p", "", {{&entry, &descriptors[0], "/p/evs-transport-reel.so"}}, false},
             {"/p/evs-service-spy.so", "/p", "", {{&entry, &descriptors[1], "/p/evs-service-spy.so"}}, true},
             {"/p/evs-transport-bad.so", "/p", "/p/evs-transport-bad.so: others may write it", {}, false}};
  }
};

TEST(PluginsFormat, FoundRefusedAndHidden) {
  const PluginShelf shelf;
  EXPECT_EQ(plugins_text(shelf.files, true, Palette(false)),
            R"(reel  transport, ordered medium, version 1.2, ABI 1.0
    Tape.
    /p/evs-transport-reel.so
      PARAMETER  TYPE     DEFAULT  VALUES     MEANING
      depth      integer  64       1 to 1024  How deep.

spy  service, version 0.1, ABI 1.0
    Looks \x1b[1mon.
    /p/evs-service-spy.so
    hidden: a file of the same name comes before it on the path
      takes no parameters

refused  /p/evs-transport-bad.so
    /p/evs-transport-bad.so: others may write it
)");
  const Json json = plugins_json(shelf.files);
  EXPECT_EQ(json["plugins"].size(), 2u);
  EXPECT_EQ(json["plugins"][0]["medium"], "ordered");
  EXPECT_EQ(json["plugins"][0]["parameters"][0]["default"], "64");
  EXPECT_TRUE(json["plugins"][1]["medium"].is_null());
  EXPECT_EQ(json["refused"][0]["problem"], "/p/evs-transport-bad.so: others may write it");
}

TEST(PluginsFormat, NamesChooseGoodAndRefusedFiles) {
  const PluginShelf shelf;
  ASSERT_EQ(choose_plugins(shelf.files, {"bad"}).size(), 1u);
  EXPECT_EQ(choose_plugins(shelf.files, {"bad"})[0].file, "/p/evs-transport-bad.so");
  EXPECT_EQ(choose_plugins(shelf.files, {"reel", "spy"}).size(), 2u);
  EXPECT_TRUE(choose_plugins(shelf.files, {"nothing"}).empty());
}

TEST(BenchReport, LatencyAndThroughput) {
  LatencyResult latency{64, "busy", "agreed", {}};
  for (int i = 0; i < 1000; ++i) latency.round_trip_ns.add(i < 990 ? 200 : 5000);
  EXPECT_EQ(latency_text(latency),
            "      64 B    busy          1000      201 ns      201 ns      201 ns     5.00 us     5.00 us\n");
  EXPECT_EQ(latency_header().size(), latency_text(latency).size());
  EXPECT_EQ(Json::parse(latency_json(latency))["p50_ns"], 201);

  const ThroughputResult throughput{1024, 1, 2, "busy", "agreed", 2.0, 2'100'000, 7, {2'000'000, 1'000'000}};
  EXPECT_EQ(throughput_header().size(), throughput_text(throughput).size());
  const Json parsed = Json::parse(throughput_json(throughput));
  EXPECT_DOUBLE_EQ(parsed["messages_per_second"], 750'000);
  EXPECT_DOUBLE_EQ(parsed["slowest_messages_per_second"], 500'000);
  EXPECT_DOUBLE_EQ(parsed["bytes_per_second"], 768e6);
  EXPECT_EQ(parsed["refused"], 7);
}

}  // namespace
}  // namespace evs::tools
