// SPDX-License-Identifier: BSD-3-Clause
// tools/top/pick_bus.cc - one bus of those that an exporter tells of (source.h).
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "tools/evs/text.h"
#include "tools/top/source.h"

namespace evs::top {
namespace {

constexpr size_t kMostNamed = 8;

using Place = std::pair<std::string, std::string>;  // bus, directory

std::set<Place> places_in(const Families& families) {
  std::set<Place> places;
  for (const Family& family : families)
    for (const Series& series : family.series)
      if (const std::string *bus = series.label("bus"), *directory = series.label("directory"); bus != nullptr) places.emplace(*bus, directory == nullptr ? std::string() : *directory);
  return places;
}

std::string list(const std::set<Place>& places) {
  std::string text;
  size_t named = 0;
  for (const auto& [bus, directory] : places)
    if (++named <= kMostNamed) text += (text.empty() ? "" : ", ") + tools::printable(bus) + " in " + tools::printable(directory);
  return named > kMostNamed ? text + " and " + std::to_string(named - kMostNamed) + " more" : text;
}

// A bus may be called DIRECTORY/NAME: several users may have one of a name.
bool is_meant(const Place& place, const std::string& wanted) { return wanted.empty() || place.first == wanted || place.second + "/" + place.first == wanted; }

}  // namespace

bool pick_bus(Families all, const std::string& bus, Frame& out, std::string& failure) {
  const std::set<Place> places = places_in(all);
  std::set<Place> meant;
  std::copy_if(places.begin(), places.end(), std::inserter(meant, meant.end()), [&](const Place& place) { return is_meant(place, bus); });
  if (meant.size() != 1) {
    if (places.empty()) failure = "it tells of no bus";
    else if (meant.empty()) failure = "it tells of no bus \"" + tools::printable(bus) + "\", but of " + list(places);
    else failure = "it tells of several buses: " + list(meant) + "; choose one with --bus NAME or --bus DIRECTORY/NAME";
    return false;
  }
  std::tie(out.bus, out.directory) = *meant.begin();
  for (Family& family : all) {
    std::erase_if(family.series, [&](Series& series) {
      const std::string *its = series.label("bus"), *directory = series.label("directory");
      if (its == nullptr) return false;  // of the exporter
      if (*its != out.bus || (directory == nullptr ? std::string() : *directory) != out.directory) return true;
      std::erase_if(series.labels, [](const auto& label) { return label.first == "bus" || label.first == "directory"; });
      return false;
    });
    if (!family.series.empty()) out.families.push_back(std::move(family));
  }
  return true;
}

}  // namespace evs::top
