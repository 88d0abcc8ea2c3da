// SPDX-License-Identifier: BSD-3-Clause
// shape.cc - how much of the ring one message takes: send one to a reader that does not read, and ask how far behind it
// fell.
#include "tests/bench/crew.h"
#include "tests/bench/member.h"
#include "tests/bench/payload.h"
#include "tests/bench/speeds.h"

namespace evs::bench {

namespace {

constexpr size_t kLine = 64;
constexpr size_t kFirstWords = 16;  // the bare log's commit word and length

}  // namespace

RecordShape ring_shape(size_t payload_bytes) {
  struct Table {
    uint64_t record_bytes;
  };
  Shared<Table> table;
  Crew crew;
  crew.start("shape", cores().first, [&] {
    const evs_group group = group_named("shape");
    Member member([](hdb_handle_t, unsigned int, const void*, size_t) {});
    member.join(group);
    member.dispatch(CS_DISPATCH_ALL);
    const Payload payload(payload_bytes, 0);
    const uint64_t before = member.status().lag_bytes;
    if (!member.send_joined(payload.data(), payload.bytes())) throw Malfunction("an empty ring has no room");
    table->record_bytes = member.status().lag_bytes - before;
  });
  crew.finish();
  const size_t record = table->record_bytes;
  if (record < payload_bytes + kFirstWords || record > 2 * payload_bytes + 1024 || record % 64 != 0) {
    throw Malfunction("evs_status: a message of " + std::to_string(payload_bytes) + " bytes made its reader fall " +
                      std::to_string(record) + " bytes behind, which cannot be");
  }
  // Where the payload starts is evs's own affair; here it is put so that each line of the record is touched.
  const size_t extra = record - payload_bytes;
  return {payload_bytes, extra <= kLine ? extra : extra - kLine + 8, record};
}

}  // namespace evs::bench
