// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/config_units_test.cc - numbers with units, checked against arithmetic over many inputs.
//
// The generator is seeded and the seed is printed with every failure: EVS_TEST_SEED repeats a run.
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <random>
#include <string>

#include "bus/runtime/config_units.h"

namespace evs::runtime {
namespace {

struct Unit {
  const char* name;
  uint64_t factor;
};
// Written out here anew: a test that reads the code's own table would repeat its errors.
const Unit kSizes[] = {{"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
const Unit kTimes[] = {
    {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000ull}, {"min", 60000000000ull}, {"h", 3600000000000ull}};

uint64_t test_seed() {
  const char* given = std::getenv("EVS_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

class Units : public ::testing::Test {
 protected:
  Units() : seed(test_seed()), random(seed) {}

  // Of all magnitudes alike, so that small numbers and the edge of 64 bits both come up.
  uint64_t any_number() { return random() >> (random() % 64); }

  const uint64_t seed;
  std::mt19937_64 random;
};

TEST_F(Units, WhatIsFormattedIsReadBackForEveryNumber) {
  for (int i = 0; i < 20000; ++i) {
    const uint64_t number = any_number();
    const Result<uint64_t> size = parse_bytes(format_bytes(number));
    ASSERT_TRUE(size.ok()) << format_bytes(number) << ": " << size.error() << ", seed " << seed;
    ASSERT_EQ(*size, number) << "seed " << seed;
    const Result<uint64_t> time = parse_duration(format_duration(number));
    ASSERT_TRUE(time.ok()) << format_duration(number) << ": " << time.error() << ", seed " << seed;
    ASSERT_EQ(*time, number) << "seed " << seed;
    ASSERT_EQ(*parse_integer(std::to_string(number)), number);
  }
}

TEST_F(Units, EveryUnitMultipliesAndOverflowIsRefused) {
  for (int i = 0; i < 20000; ++i) {
    const uint64_t number = any_number();
    const auto check = [&](const Unit& unit, Result<uint64_t> (*parse)(std::string_view)) {
      const std::string text = std::to_string(number) + (random() % 2 ? " " : "") + unit.name;
      const Result<uint64_t> parsed = parse(text);
      const bool fits = number <= std::numeric_limits<uint64_t>::max() / unit.factor;
      ASSERT_EQ(parsed.ok(), fits) << text << ", seed " << seed;
      if (fits)
        ASSERT_EQ(*parsed, number * unit.factor) << text;
      else
        ASSERT_EQ(parsed.error(), "too large") << text;
    };
    check(kSizes[random() % 4], parse_bytes);
    check(kTimes[random() % 6], parse_duration);
  }
}

// Any text at all: never accepted unless digits and a unit of the right measure are all there is.
TEST_F(Units, NothingElseIsAccepted) {
  const std::string alphabet = "0123456789 .,-+eExKMGiBnumsh\t\"";
  for (int i = 0; i < 50000; ++i) {
    std::string text;
    for (size_t length = random() % 8; length > 0; --length) text += alphabet[random() % alphabet.size()];
    const auto judge = [&](auto& units) {
      size_t digits = 0;
      while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
      if (digits == 0) return false;
      std::string rest = text.substr(digits);
      if (rest.empty()) return text.find_first_not_of('0') == std::string::npos;
      if (rest.front() == ' ') rest.erase(0, 1);
      for (const Unit& unit : units)
        if (rest == unit.name) return true;
      return false;
    };
    ASSERT_EQ(parse_bytes(text).ok(), judge(kSizes)) << '"' << text << "\", seed " << seed;
    ASSERT_EQ(parse_duration(text).ok(), judge(kTimes)) << '"' << text << "\", seed " << seed;
    ASSERT_EQ(parse_integer(text).ok(), !text.empty() && text.find_first_not_of("0123456789") == std::string::npos);
  }
}

TEST(UnitsText, TheLargestExactUnitIsPrinted) {
  EXPECT_EQ(format_bytes(0), "0");
  EXPECT_EQ(format_bytes(1), "1B");
  EXPECT_EQ(format_bytes(1536), "1536B");
  EXPECT_EQ(format_bytes(65536), "64KiB");
  EXPECT_EQ(format_bytes(4194304), "4MiB");
  EXPECT_EQ(format_bytes(1073741824), "1GiB");
  EXPECT_EQ(format_duration(20'000), "20us");
  EXPECT_EQ(format_duration(100'000'000), "100ms");
  EXPECT_EQ(format_duration(1'500'000'000), "1500ms");
  EXPECT_EQ(format_duration(60'000'000'000), "1min");
  EXPECT_EQ(format_duration(3'600'000'000'000), "1h");
}

struct Wrong {
  const char* text;
  const char* error;
};

TEST(UnitsText, RefusalsOfSizesExplainThemselves) {
  const Wrong kWrong[] = {
      {"4194304", "a bare number; write its unit (units: B, KiB, MiB, GiB)"},
      {"4MB", "\"MB\" is not a unit of a size; write MiB (units: B, KiB, MiB, GiB)"},
      {"4M", "\"M\" is not a unit of a size; write MiB (units: B, KiB, MiB, GiB)"},
      {"4kib", "\"kib\" is not a unit of a size; write KiB (units: B, KiB, MiB, GiB)"},
      {"10s", "\"s\" is a unit of time, and this is a size (units: B, KiB, MiB, GiB)"},
      {"4TiB", "\"TiB\" is not a unit of a size (units: B, KiB, MiB, GiB)"},
      {"1.5MiB", "not a whole number; take a smaller unit instead (units: B, KiB, MiB, GiB)"},
      {"MiB", "not a whole number followed by a unit, such as \"64KiB\" (units: B, KiB, MiB, GiB)"},
      {"", "not a whole number followed by a unit, such as \"64KiB\" (units: B, KiB, MiB, GiB)"},
      {"-1B", "not a whole number followed by a unit, such as \"64KiB\" (units: B, KiB, MiB, GiB)"},
      {"99999999999999999999B", "too large"},
      {"99999999999GiB", "too large"},
  };
  for (const Wrong& wrong : kWrong) {
    const Result<uint64_t> parsed = parse_bytes(wrong.text);
    ASSERT_FALSE(parsed.ok()) << wrong.text;
    EXPECT_EQ(parsed.error(), wrong.error) << wrong.text;
  }
}

TEST(UnitsText, RefusalsOfDurationsExplainThemselves) {
  const Wrong kWrong[] = {
      {"10", "a bare number; write its unit (units: ns, us, ms, s, min, h)"},
      {"10sec", "\"sec\" is not a unit of a duration; write s (units: ns, us, ms, s, min, h)"},
      {"5m", "\"m\" is not a unit of a duration; write min (units: ns, us, ms, s, min, h)"},
      {"64KiB", "\"KiB\" is a unit of size, and this is a duration (units: ns, us, ms, s, min, h)"},
      {"1.5s", "not a whole number; take a smaller unit instead (units: ns, us, ms, s, min, h)"},
      {"soon", "not a whole number followed by a unit, such as \"100ms\" (units: ns, us, ms, s, min, h)"},
  };
  for (const Wrong& wrong : kWrong) {
    const Result<uint64_t> parsed = parse_duration(wrong.text);
    ASSERT_FALSE(parsed.ok()) << wrong.text;
    EXPECT_EQ(parsed.error(), wrong.error) << wrong.text;
  }
}

}  // namespace
}  // namespace evs::runtime
