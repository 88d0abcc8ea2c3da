// SPDX-License-Identifier: BSD-3-Clause
// bus/groups/joined_groups.h - which groups has a handle joined: by its calls, and by the place its reader has reached?
//
// Two truths about one group. evs_join() and evs_leave() count calls: a group joined twice wants two leaves, and
// evs_mcast_joined() goes by the calls at once. What is *delivered* goes by position: a group is effective from the place
// of its join record to the place of its leave record, and the reader finds out when it passes them. In between an entry
// has records in flight, and lives until neither call, record nor reader needs it.
//
// Not thread-safe: the handle's scan lock guards it. wants() is asked for every frame, so one effective group, the usual
// case, is four word comparisons, and several are one probe of a flat table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bus/groups/group_key.h"

namespace evs::groups {

class JoinedGroups {
 public:
  struct Entry {
    GroupKey key;
    uint32_t calls = 0;      // joins minus leaves
    uint32_t in_flight = 0;  // records appended and not passed
    bool effective = false;
  };

  // The counts of one call are taken first, so that its record can be built; undone when the record finds no room. add()
  // answers whether this is the first join, remove() whether it was the last. remove() wants calls_of(key) > 0.
  bool add(const GroupKey& key);
  bool remove(const GroupKey& key);
  uint32_t calls_of(const GroupKey& key) const;
  bool knows(const GroupKey& key) const { return find(key) != nullptr; }

  // A record with this group was appended; the reader passed it.
  void sent(const GroupKey& key);
  void passed_join(const GroupKey& key);
  void passed_leave(const GroupKey& key);
  // After an expulsion nothing is effective and nothing is in flight.
  void forget_positions();

  // Removes the entry when nothing needs it any more, and says so.
  bool drop_if_done(const GroupKey& key);

  bool wants(const GroupKey* keys, uint32_t count) const {
    if (__builtin_expect(effective_ == 1, 1)) {
      for (uint32_t i = 0; i < count; ++i)
        if (equal(keys[i], only_)) return true;
      return false;
    }
    return effective_ != 0 && wants_slowly(keys, count);
  }

  // No group joined, pending, or still to be passed.
  bool empty() const { return entries_.empty(); }
  uint32_t joined_count() const { return joined_; }  // by calls, each group once
  std::vector<GroupKey> joined() const;              // by calls, in the order of their first join
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  const Entry* find(const GroupKey& key) const;
  Entry* find(const GroupKey& key) { return const_cast<Entry*>(static_cast<const JoinedGroups*>(this)->find(key)); }
  bool wants_slowly(const GroupKey* keys, uint32_t count) const;
  void index_anew();
  void set_effective(Entry& entry, bool effective);
  size_t probe(const GroupKey& key) const { return hash_of(key) & (index_.size() - 1); }

  std::vector<Entry> entries_;
  std::vector<uint32_t> index_;  // open addressing: entry + 1, 0 is free; a power of two, at most half full
  uint32_t effective_ = 0;
  uint32_t joined_ = 0;
  KeyWords only_{};  // the effective one, when there is one
};

}  // namespace evs::groups
