// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/sealing/keys_test.cc - the key file: its text, who may have touched it, how it is replaced, and what an uplink without one is told.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "bus/runtime/sealing/key_file.h"
#include "bus/runtime/sealing/security.h"
#include "tests/support/golden.h"
#include "tests/unit/sealing/sealing_world.h"

namespace evs::runtime::sealing {
namespace {

using testing::HasSubstr;

const std::string kLine = "evs-key-1 3 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
const std::string kSecond64 = "EREREREREREREREREREREREREREREREREREREREREQ8=";

class KeyFile : public testing::Test {
 protected:
  KeyFile() {
    char name[] = "/tmp/evs-keys-XXXXXX";
    directory = mkdtemp(name);
    path = directory + "/key";
  }
  ~KeyFile() override { std::filesystem::remove_all(directory); }
  void put(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path) << text;
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
  }
  std::string refusal() {
    const auto keys = read_key_file(path, &fault);
    return keys.ok() ? "" : keys.error();
  }
  size_t files() { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(directory), {})); }

  std::string directory, path;
  KeyFileFault fault = KeyFileFault::none;
};

TEST(Keyring, TheLineOfTheDocument) {
  const auto keys = Keyring::parse("# a comment\n\n" + kLine, "k");
  ASSERT_TRUE(keys.ok()) << keys.error();
  ASSERT_EQ(keys->keys().size(), 1u);
  EXPECT_EQ(keys->keys()[0].id, 3);
  for (size_t i = 0; i < kKeyBytes; ++i) EXPECT_EQ(std::to_integer<size_t>(keys->keys()[0].secret.bytes[i]), i);
  EXPECT_THAT(keys->text(), HasSubstr("\n" + kLine));
}

TEST(Keyring, TextAndBack) {
  test::Dice dice(3);
  for (int i = 0; i < 200; ++i) {
    GroupKey keys[2];
    for (GroupKey& key : keys) {
      key.id = static_cast<uint16_t>(1 + dice.below(UINT16_MAX));
      for (std::byte& each : key.secret.bytes) each = static_cast<std::byte>(dice.next());
    }
    if (keys[0].id == keys[1].id) continue;
    const auto back = Keyring::parse(keys_of(keys[0], keys[1]).text(), "k");
    ASSERT_TRUE(back.ok()) << back.error();
    EXPECT_EQ(back->keys()[0], keys[0]);
    EXPECT_EQ(back->keys()[1], keys[1]);
  }
}

TEST(Keyring, WhatItRefuses) {
  const std::string zeroes = "evs-key-1 3 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
  for (const auto& [text, reason] : std::initializer_list<std::pair<std::string, const char*>>{
           {"", "k: no key in it"}, {"# only a comment\n", "no key in it"}, {"secret\n", "k:1: no key; a line is"},
           {"evs-key-2 3 " + kSecond64, "another version"}, {"\nevs-key-1 0 " + kSecond64, "k:2: the key's id must be"},
           {"evs-key-1 65536 " + kSecond64, "id must be"}, {"evs-key-1 x " + kSecond64, "id must be"}, {"evs-key-1 1", "32 bytes in base64"},
           {"evs-key-1 1 " + kSecond64.substr(1), "32 bytes in base64"}, {"evs-key-1 1 " + kSecond64 + "A", "32 bytes in base64"},
           {"evs-key-1 1 EREREREREREREREREREREREREREREREREREREREREQ9=", "32 bytes in base64"},  // digits that mean nothing
           {"evs-key-1 1 E!EREREREREREREREREREREREREREREREREREREREQ8=", "32 bytes in base64"}, {kLine.substr(0, kLine.size() - 1) + " x", "behind the key"},
           {kLine + "evs-key-1 3 " + kSecond64, "k:2: two keys with the id 3"}, {zeroes, "all zeroes"},
           {kLine + "evs-key-1 4 " + kLine.substr(12), "the same key twice"},
           {kLine + "evs-key-1 4 " + kSecond64 + "\nevs-key-1 5 " + kSecond64, "a third key"}, {std::string(100, '\0'), "no key; a line is"}}) {
    const auto keys = Keyring::parse(text, "k");
    ASSERT_FALSE(keys.ok()) << text;
    EXPECT_THAT(keys.error(), HasSubstr(reason)) << text;
    EXPECT_EQ(keys.error().find("ERER"), std::string::npos) << "a part of a key in the message";
  }
}

TEST(Keyring, TheStepsOfARotation) {
  Keyring keys(kOld);
  EXPECT_FALSE(keys.rotate());
  EXPECT_FALSE(keys.retire());
  EXPECT_FALSE(keys.add(kOld));
  EXPECT_TRUE(keys.add(kNew));
  EXPECT_FALSE(keys.add(key_of(9, 9)));
  EXPECT_EQ(keys.keys()[0], kOld);
  EXPECT_TRUE(keys.rotate());
  EXPECT_EQ(keys.keys()[0], kNew);
  EXPECT_TRUE(keys.retire());
  EXPECT_EQ(keys.keys().size(), 1u);
  EXPECT_EQ(keys.unused_id(), 3);
  EXPECT_EQ(Keyring(key_of(UINT16_MAX, 1)).unused_id(), 1);
  EXPECT_EQ(Keyring().unused_id(), 1);
}

TEST_F(KeyFile, ReadIfNobodyElseCouldHave) {
  put(kLine);
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(fault, KeyFileFault::none);
  put(kLine, 0400);
  if (geteuid() != 0) return;  // only root reads on
  EXPECT_EQ(refusal(), "");
}

TEST_F(KeyFile, Refused) {
  EXPECT_EQ(refusal(), path + ": No such file or directory");
  EXPECT_EQ(fault, KeyFileFault::absent);
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0644, 0777}) {
    put(kLine, mode);
    EXPECT_THAT(refusal(), HasSubstr("lets others at the key")) << std::oct << mode;
    EXPECT_EQ(fault, KeyFileFault::unsafe);
  }
  put(kLine);
  std::filesystem::rename(path, path + ".real");
  std::filesystem::create_symlink(path + ".real", path);
  EXPECT_THAT(refusal(), HasSubstr("a symbolic link"));
  EXPECT_EQ(fault, KeyFileFault::unsafe);
  std::filesystem::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("no regular file"));  // and it does not wait
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_THAT(refusal(), HasSubstr("no regular file"));
  std::filesystem::remove(path);
  put(std::string(5000, '#'));
  EXPECT_THAT(refusal(), HasSubstr("larger than 4096 bytes"));
  EXPECT_EQ(fault, KeyFileFault::unreadable);
}

TEST_F(KeyFile, OfAnotherUserRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give a file away";
  put(kLine);
  ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
  EXPECT_THAT(refusal(), HasSubstr("owned by user 12345; it must belong to root or to user 0"));
  // Who replaces it leaves it to its owner.
  const auto written = write_key_file(path, Keyring(kOld), KeyFileWrite::replace);
  ASSERT_TRUE(written.ok()) << written.error();
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 12345u);
}

TEST_F(KeyFile, WrittenWholeAndForItsOwnerAlone) {
  const mode_t before = umask(0);
  const auto made = write_key_file(path, Keyring(kOld), KeyFileWrite::create);
  umask(before);
  ASSERT_TRUE(made.ok()) << made.error();
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_EQ(status.st_nlink, 1u);
  EXPECT_EQ(refusal(), "");

  const auto again = write_key_file(path, Keyring(kNew), KeyFileWrite::create);
  ASSERT_FALSE(again.ok());
  EXPECT_THAT(again.error(), HasSubstr("File exists"));
  EXPECT_EQ(read_key_file(path)->keys()[0], kOld);

  // Who has the old file open reads the old one.
  std::ifstream old(path);
  ASSERT_TRUE(write_key_file(path, keys_of(kNew, kOld), KeyFileWrite::replace).ok());
  std::string all((std::istreambuf_iterator<char>(old)), {});
  EXPECT_EQ(all, Keyring(kOld).text());
  EXPECT_EQ(read_key_file(path)->keys().size(), 2u);
  EXPECT_EQ(files(), 1u);
}

TEST_F(KeyFile, WritingThatFailsLeavesNothingBehind) {
  EXPECT_FALSE(write_key_file(directory + "/none/key", Keyring(kOld), KeyFileWrite::create).ok());
  std::filesystem::create_symlink("/etc/passwd", path);
  for (const KeyFileWrite how : {KeyFileWrite::create, KeyFileWrite::replace}) EXPECT_FALSE(write_key_file(path, Keyring(kOld), how).ok());
  EXPECT_TRUE(std::filesystem::is_symlink(path));
  EXPECT_EQ(files(), 1u);
}

TEST_F(KeyFile, DrawnKeysDiffer) {
  const auto one = draw_key(1), other = draw_key(1);
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_FALSE(*one == *other);
}

TEST_F(KeyFile, ARunningBusReadsItAgain) {
  ASSERT_TRUE(write_key_file(path, Keyring(kOld), KeyFileWrite::create).ok());
  Settings settings;
  settings.host = 1;
  settings.life = {1, 1};
  settings.keys = *read_key_file(path);
  settings.key_file = path;
  auto sealing = Sealing::begin(settings);
  ASSERT_TRUE(sealing.ok());
  auto done = (*sealing)->reload();
  ASSERT_TRUE(done.ok()) << done.error();
  EXPECT_FALSE(*done);
  ASSERT_TRUE(write_key_file(path, keys_of(kNew, kOld), KeyFileWrite::replace).ok());
  done = (*sealing)->reload();
  ASSERT_TRUE(done.ok()) << done.error();
  EXPECT_TRUE(*done);
  put("half a fi");
  done = (*sealing)->reload();
  ASSERT_FALSE(done.ok());
  EXPECT_THAT(done.error(), HasSubstr("no key; a line is"));
  Station b({.host = 2, .keys = Keyring(kNew)});
  Letter room(100);
  const Letter packet = text("goes on with what it had");
  ToSeal item{packet, room};
  ASSERT_EQ((*sealing)->seal({&item, 1}), SealStatus::ok);
  room.resize(item.size);
  EXPECT_EQ(b.hear(room), Refusal::none);
}

Result<Security> asked(const std::string& toml) {
  const auto config = Config::from_text(toml, "evs.toml");
  EXPECT_TRUE(config.ok()) << config.error();
  return security_of(*config);
}

TEST_F(KeyFile, WithoutAKeyThereIsNoUplinkUnlessSomebodySaysSo) {
  const std::string configured = "[uplink]\nkey_file = \"" + path + "\"\n";
  auto security = asked(configured);
  ASSERT_FALSE(security.ok());
  EXPECT_EQ(security.error(), "the uplink has no key to seal with: " + path + ": No such file or directory (uplink.key_file, evs.toml:2); make one with 'evs keygen " + path +
                                  "' and copy it to every host of the bus, or say uplink.security = \"none\" if everybody on the network may read and forge what is sent");
  put(kLine, 0644);
  security = asked(configured);
  ASSERT_FALSE(security.ok());
  EXPECT_THAT(security.error(), HasSubstr("a key that others can read or replace keeps nobody out"));
  put("?");
  security = asked(configured);
  ASSERT_FALSE(security.ok());
  EXPECT_THAT(security.error(), HasSubstr("copy the file from another host"));
  put(kLine);
  security = asked(configured);
  ASSERT_TRUE(security.ok()) << security.error();
  EXPECT_EQ(security->keys.keys().size(), 1u);
  EXPECT_EQ(security->key_file, path);
  security = asked(configured + "security = \"none\"\n");
  ASSERT_TRUE(security.ok());
  EXPECT_TRUE(security->keys.empty());
}

TEST(Security, ItsKeysAreJudgedLikeAnyOthers) {
  for (const char* wrong : {"security = \"off\"", "security = false", "key_file = \"key\"", "key_file = \"\"", "key_file = \"/etc/evs/\""})
    EXPECT_FALSE(Config::from_text(std::string("[uplink]\n") + wrong, "evs.toml").ok()) << wrong;
  const auto config = Config::from_text("", "evs.toml");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->text("uplink.security"), "sealed");
  EXPECT_EQ(config->text("uplink.key_file"), "/etc/evs/key");
}

}  // namespace
}  // namespace evs::runtime::sealing
