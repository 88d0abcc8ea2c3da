// SPDX-License-Identifier: BSD-3-Clause
// tests/conformance/refusal_test.cc - every way to be refused, and what is said about it; and what is taken all the
// same.
//
// A refusal is a sentence for a person: it names the file, says what is wrong with it, and the way out. The process
// that asked goes on as if nothing had happened. The bad plugins are in bad_plugins/, one fault each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bus/runtime/plugin_instance.h"

namespace evs::runtime {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

const std::string kBad = EVS_BAD_PLUGIN_DIR;

std::string bad(const std::string& name) {
  return kBad + "/evs-transport-" + name + ".so";
}

// A directory of our own that is gone afterwards, and an environment that is as it was.
class Refusal : public testing::Test {
 protected:
  Refusal() {
    unsetenv("EVS_PLUGIN_PATH");
    unsetenv("EVS_PLUGIN_INSECURE");
    char name[] = "/tmp/evs-refusal-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~Refusal() override {
    unsetenv("EVS_PLUGIN_PATH");
    unsetenv("EVS_PLUGIN_INSECURE");
    fs::remove_all(directory_);
  }
  PluginResult<LoadedPlugin> load(const std::string& name) {
    return PluginHost::load_transport(name, search_, [this](int32_t level, std::string_view text) {
      if (level >= EVS_HOST_LOG_WARNING) warnings_.emplace_back(text);
    });
  }
  PluginFailure failure(const std::string& name) {
    auto result = load(name);
    return result ? PluginFailure{CS_OK, "it was taken"} : result.failure();
  }
  // A copy, so that its mode can be changed, and so that it is a file that was not loaded before.
  std::string copy(const std::string& name, const std::string& to = "") {
    const std::string target = directory_ + "/evs-transport-" + (to.empty() ? name : to) + ".so";
    fs::copy_file(bad(name), target, fs::copy_options::overwrite_existing);
    chmod(target.c_str(), 0755);
    return target;
  }

  std::string directory_;
  PluginSearch search_;
  std::vector<std::string> warnings_;
};

// ---- What it exports ----

struct Fault {
  const char* name;
  cs_error_t code;
  const char* words;
};

class Exported : public Refusal, public testing::WithParamInterface<Fault> {};

TEST_P(Exported, IsNamedWithItsFile) {
  const PluginFailure refused = failure(bad(GetParam().name));
  EXPECT_EQ(refused.code, GetParam().code) << refused.text;
  EXPECT_THAT(refused.text, AllOf(HasSubstr(bad(GetParam().name)), HasSubstr(GetParam().words)));
  EXPECT_THAT(refused.text, testing::Not(HasSubstr("/proc/self/fd"))) << "the name the user knows it by";
}

INSTANTIATE_TEST_SUITE_P(
    Faults, Exported,
    testing::Values(Fault{"no-entry", CS_ERR_LIBRARY, "does not export evs_plugin_entry_v1"},
                    Fault{"wrong-magic", CS_ERR_LIBRARY, "EVS_PLUGIN_MAGIC"},
                    Fault{"wrong-major", CS_ERR_VERSION, "built for plugin ABI 2, and this libevs speaks 1"},
                    Fault{"short-entry", CS_ERR_LIBRARY, "evs_plugin_entry says it has 8 bytes"},
                    Fault{"no-descriptors", CS_ERR_LIBRARY, "0 descriptors"},
                    Fault{"short-table", CS_ERR_LIBRARY, "evs_ordered_ops says it has 0 bytes"},
                    Fault{"missing-function", CS_ERR_LIBRARY, "evs_ordered_ops has no append()"},
                    Fault{"missing-table", CS_ERR_LIBRARY, "an ordered medium without evs_ordered_ops"},
                    Fault{"wrong-medium", CS_ERR_LIBRARY, "its medium 7 is neither"},
                    Fault{"wrong-kind", CS_ERR_LIBRARY, "its kind 9 is neither"},
                    Fault{"bad-name", CS_ERR_LIBRARY, "\"Bad Name!\""},
                    Fault{"other-name", CS_ERR_LIBRARY,
                          "it holds transport \"somebody-else\" and no transport \"other-name\""},
                    Fault{"unresolved", CS_ERR_LIBRARY, "undefined symbol: no_such_function_anywhere"}),
    [](const auto& fault) {
      std::string name = fault.param.name;
      for (char& c : name) c = c == '-' ? '_' : c;
      return name;
    });

TEST_F(Refusal, AGoodOneIsTaken) {
  auto good = load(bad("good"));
  ASSERT_TRUE(good) << good.failure().text;
  EXPECT_EQ(good->name(), "good");
  EXPECT_EQ(good->file, bad("good"));
}

TEST_F(Refusal, ALaterMinorIsTakenWithItsLongerStructs) {
  search_.configured_path = kBad;
  auto first = load("newer-minor");
  ASSERT_TRUE(first) << first.failure().text;
  const std::string renamed = copy("newer-minor", "second");
  auto second = load(renamed);
  ASSERT_TRUE(second) << second.failure().text;
  EXPECT_EQ(second->name(), "second") << "found behind the first by the plugin's stride, not ours";
}

TEST_F(Refusal, TwoFilesOneAfterTheOtherAreTwoPlugins) {
  // Both get the same descriptor number, and the linker knows modules by their path.
  ASSERT_TRUE(load(copy("good")));
  auto other = load(copy("newer-minor"));
  ASSERT_TRUE(other) << other.failure().text;
  EXPECT_EQ(other->name(), "newer-minor");
}

TEST_F(Refusal, TheSameFileTwiceIsOnePlugin) {
  const std::string path = copy("good");
  auto first = load(path), second = load(path);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->entry, second->entry);
}

TEST_F(Refusal, WhatIsNoModuleAtAll) {
  const std::string path = directory_ + "/evs-transport-text.so";
  std::ofstream(path) << std::string(4096, 'x');
  chmod(path.c_str(), 0644);
  EXPECT_THAT(failure(path).text, AllOf(HasSubstr(path), HasSubstr("invalid ELF header")));
}

// ---- Who could have written it ----

TEST_F(Refusal, AFileThatOthersMayWrite) {
  for (mode_t mode : {0775, 0757, 0777}) {
    const std::string path = copy("good");
    chmod(path.c_str(), mode);
    const PluginFailure refused = failure(path);
    EXPECT_EQ(refused.code, CS_ERR_ACCESS);
    EXPECT_THAT(refused.text,
                AllOf(HasSubstr("file " + path + " can be written by others"), HasSubstr("chmod go-w " + path)));
  }
}

TEST_F(Refusal, ADirectoryThatOthersMayWrite) {
  const std::string path = copy("good");
  chmod(directory_.c_str(), 0777);
  EXPECT_THAT(failure(path).text,
              AllOf(HasSubstr("directory " + directory_ + " can be written by others"), HasSubstr("chmod go-w")));
  chmod(directory_.c_str(), 01777);
  EXPECT_EQ(failure(path).code, CS_ERR_ACCESS) << "sticky or not: others could add files to it";
}

TEST_F(Refusal, ADirectoryFurtherUpThatOthersMayWrite) {
  fs::create_directories(directory_ + "/open/closed");
  chmod((directory_ + "/open").c_str(), 0777);
  const std::string path = directory_ + "/open/closed/evs-transport-good.so";
  fs::copy_file(bad("good"), path);
  EXPECT_THAT(failure(path).text, HasSubstr("directory " + directory_ + "/open can be written by others"));
  chmod((directory_ + "/open").c_str(), 01777);
  EXPECT_TRUE(load(path)) << "sticky on the way: nobody else can rename what is ours";
}

TEST_F(Refusal, WhatBelongsToSomebodyElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const std::string path = copy("good");
  ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
  EXPECT_THAT(failure(path).text, AllOf(HasSubstr("file " + path + " belongs to user 12345"), HasSubstr("chown")));
  ASSERT_EQ(chown(path.c_str(), 0, 0), 0);
  ASSERT_EQ(chown(directory_.c_str(), 12345, 12345), 0);
  EXPECT_THAT(failure(path).text, HasSubstr("directory " + directory_ + " belongs to user 12345"));
}

TEST_F(Refusal, ASymbolicLinkInPlaceOfTheFile) {
  const std::string path = directory_ + "/evs-transport-good.so";
  fs::create_symlink(bad("good"), path);
  EXPECT_THAT(failure(path).text, AllOf(HasSubstr(path), HasSubstr("symbolic link")));
}

TEST_F(Refusal, ALinkOnTheWayIsFollowedAndItsTargetJudged) {
  fs::create_directory(directory_ + "/real");
  fs::copy_file(bad("good"), directory_ + "/real/evs-transport-good.so");
  fs::create_symlink("real", directory_ + "/link");
  EXPECT_TRUE(load(directory_ + "/link/evs-transport-good.so"));
  chmod((directory_ + "/real").c_str(), 0777);
  EXPECT_THAT(failure(directory_ + "/link/evs-transport-good.so").text,
              HasSubstr("directory " + directory_ + "/real can be written"));
  fs::create_symlink("round", directory_ + "/round");
  EXPECT_EQ(failure(directory_ + "/round/evs-transport-good.so").code, CS_ERR_ACCESS);
}

TEST_F(Refusal, AFifoDoesNotHoldUsUp) {
  const std::string path = directory_ + "/evs-transport-fifo.so";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(failure(path).text, AllOf(HasSubstr(path), HasSubstr("not a regular file")));
}

TEST_F(Refusal, ADeveloperMayInsistAndIsWarned) {
  const std::string path = copy("good");
  chmod(path.c_str(), 0777);
  EXPECT_THAT(failure(path).text, HasSubstr("EVS_PLUGIN_INSECURE=1"));
  setenv("EVS_PLUGIN_INSECURE", "1", 1);
  EXPECT_TRUE(load(path));
  EXPECT_THAT(warnings_, ElementsAre(AllOf(HasSubstr(path), HasSubstr("EVS_PLUGIN_INSECURE"))));
}

// ---- The search ----

TEST_F(Refusal, AMissingOneNamesAllDirectoriesAndTheNearestName) {
  setenv("EVS_PLUGIN_PATH", (directory_ + ":relative::/no/such/place").c_str(), 1);
  search_ = {kBad, "/usr/lib/nowhere"};
  const PluginFailure refused = failure("godo");
  EXPECT_EQ(refused.code, CS_ERR_NOT_EXIST);
  EXPECT_THAT(refused.text,
              AllOf(HasSubstr("evs-transport-godo.so is in none of "), HasSubstr(directory_ + " (EVS_PLUGIN_PATH)"),
                    HasSubstr("/no/such/place (EVS_PLUGIN_PATH, not there)"), HasSubstr(kBad + " (plugins.path)"),
                    HasSubstr("/usr/lib/nowhere (installed, not there)"), HasSubstr("Is \"good\" meant?")));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("\"relative\" is left out")));
}

TEST_F(Refusal, AMissingFileByItsPath) {
  EXPECT_EQ(failure("/no/such/place/evs-transport-x.so").code, CS_ERR_NOT_EXIST);
  EXPECT_THAT(failure(directory_ + "/evs-transport-x.so").text, HasSubstr("No such file"));
}

TEST_F(Refusal, TheSearchGoesInOrderAndTheFirstFileDecides) {
  fs::create_directory(directory_ + "/first");
  fs::create_directory(directory_ + "/second");
  for (const char* place : {"/first", "/second"})
    fs::copy_file(bad("good"), directory_ + place + "/evs-transport-good.so");
  setenv("EVS_PLUGIN_PATH", (directory_ + "/first").c_str(), 1);
  search_.configured_path = directory_ + "/second";
  search_.installed_directory = kBad;
  auto found = load("good");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->file, directory_ + "/first/evs-transport-good.so");
  chmod((directory_ + "/first/evs-transport-good.so").c_str(), 0666);
  EXPECT_EQ(failure("good").code, CS_ERR_ACCESS) << "not passed over in silence";
  unsetenv("EVS_PLUGIN_PATH");
  EXPECT_EQ(load("good")->file, directory_ + "/second/evs-transport-good.so");
}

TEST_F(Refusal, WhatIsNeitherNameNorAbsolutePath) {
  fs::current_path(kBad);
  for (const char* name : {"", ".", "./evs-transport-good.so", "evs-transport-good.so", "../x", "Good", "a b",
                           "a-name-that-is-longer-than-thirty-two-characters"}) {
    const PluginFailure refused = failure(name);
    EXPECT_EQ(refused.code, CS_ERR_INVALID_PARAM) << name;
    EXPECT_THAT(refused.text, HasSubstr(std::string("\"").append(name).append("\" is neither")));
  }
}

TEST_F(Refusal, AServiceIsNoTransport) {
  search_.configured_path = kBad;
  auto service = PluginHost::load_service("good", search_, {});
  ASSERT_FALSE(service);
  EXPECT_THAT(service.failure().text, HasSubstr("evs-service-good.so"));
  auto by_path = PluginHost::load_service(bad("good"), search_, {});
  ASSERT_FALSE(by_path);
  EXPECT_THAT(by_path.failure().text, HasSubstr("not exactly one service"));
}

TEST_F(Refusal, TheListShowsGoodAndRefusedOnes) {
  search_ = {directory_, kBad};
  copy("good");
  size_t good = 0, refused = 0, hidden = 0;
  for (const PluginFile& file : PluginHost::list_plugins(search_, {})) {
    EXPECT_EQ(file.problem.empty(), !file.plugins.empty()) << file.file;
    good += file.problem.empty();
    refused += !file.problem.empty();
    hidden += file.hidden;
  }
  EXPECT_GE(good, 4u);
  EXPECT_GE(refused, 12u);
  EXPECT_EQ(hidden, 1u) << "good is in both directories";
}

// ---- What it does when it is opened ----

class Opening : public Refusal {
 protected:
  PluginResult<Transport> create(const std::string& name, size_t parameters = 0) {
    auto plugin = load(bad(name));
    EXPECT_TRUE(plugin);
    return Transport::create(*plugin, host_, std::vector<evs_plugin_parameter>(parameters, {"key", "value"}));
  }
  const evs_host host_{sizeof(evs_host), EVS_PLUGIN_ABI_MINOR, nullptr, "bus", nullptr, nullptr, nullptr, nullptr};
};

TEST_F(Opening, AThrowIsNamedAndGoesNoFurther) {
  auto thrown = create("throws");
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.failure().code, CS_ERR_LIBRARY);
  EXPECT_THAT(thrown.failure().text, AllOf(HasSubstr(bad("throws")), HasSubstr("the disk is on fire")));
  auto number = create("throws", 1);
  ASSERT_FALSE(number);
  EXPECT_THAT(number.failure().text, AllOf(HasSubstr(bad("throws")), HasSubstr("no exception")));
}

TEST_F(Opening, AThrowFromAnyLaterFunctionToo) {
  auto made = create("throws", 2);
  ASSERT_TRUE(made) << made.failure().text;
  auto refused = made->start(0);
  ASSERT_TRUE(refused);
  EXPECT_THAT(refused->text, HasSubstr("thrown by start"));
  made->stop();
  ServiceCalls service = made->service();
  EXPECT_THAT(service.begin()->text, HasSubstr("thrown by begin"));
  EXPECT_EQ(service.work(0), UINT64_MAX);
  EXPECT_THAT(service.fault(), HasSubstr("thrown by work"));
  service.end();
}

TEST_F(Opening, AFailureSaysWhatThePluginSaid) {
  auto told = create("fails");
  ASSERT_FALSE(told);
  EXPECT_EQ(told.failure().code, CS_ERR_NO_SPACE);
  EXPECT_THAT(told.failure().text, AllOf(HasSubstr(bad("fails")), HasSubstr("the cable is not plugged in")));
  EXPECT_THAT(create("fails", 1).failure().text, HasSubstr("no space left")) << "or what the status means";
  EXPECT_THAT(create("fails", 2).failure().text, HasSubstr("gave nothing"));
}

// ---- Brought by the application ----

TEST_F(Refusal, ARegisteredPluginComesBeforeTheSearch) {
  auto good = load(bad("good"));
  ASSERT_TRUE(good);
  static evs_plugin_descriptor descriptor = *good->descriptor;
  descriptor.name = "brought";
  static evs_plugin_entry entry = *good->entry;
  entry.descriptors = &descriptor;
  ASSERT_TRUE(PluginHost::register_plugin(&entry));
  EXPECT_TRUE(PluginHost::register_plugin(&entry)) << "the same again";
  auto found = load("brought");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->descriptor, &descriptor);
  static evs_plugin_entry other = entry;
  EXPECT_EQ(PluginHost::register_plugin(&other).failure().code, CS_ERR_EXIST);
  static evs_plugin_entry broken = entry;
  broken.abi_major = 9;
  EXPECT_EQ(PluginHost::register_plugin(&broken).failure().code, CS_ERR_VERSION);
  broken = entry;
  broken.magic = 0;
  EXPECT_EQ(PluginHost::register_plugin(&broken).failure().code, CS_ERR_INVALID_PARAM);
  EXPECT_EQ(PluginHost::register_plugin(nullptr).failure().code, CS_ERR_INVALID_PARAM);
}

}  // namespace
}  // namespace evs::runtime
