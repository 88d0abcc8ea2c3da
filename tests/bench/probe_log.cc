// SPDX-License-Identifier: BSD-3-Clause
// probe_log.cc - rounds over the bare log: round trip, messages a second, and the sender's processor time.
#include "tests/bench/bare_log.h"
#include "tests/bench/pace.h"
#include "tests/bench/payload.h"
#include "tests/bench/probes.h"
#include "tests/bench/rate_round.h"

namespace evs::bench {

Percentiles probe_log_round_trip(int milliseconds, const RecordShape& shape) {
  struct Table {
    StartLine start;
    std::atomic<bool> over;
    alignas(128) Samples samples;
  };
  Shared<Table> table;
  BareLog log(shape.record_bytes, shape.payload_at, shape.payload_bytes, 2);
  Crew crew;
  crew.start("log-first", cores().first, [&] {
    BareLog::Writer writer(log, false);
    BareLog::Reader reader(log, 0);
    Payload ping(shape.payload_bytes, 0);
    Tally tally{};
    uint64_t answers = 0;
    table->start.wait_for(2);
    const uint64_t end = ticks() + static_cast<uint64_t>(milliseconds * 1e6 / ns_per_tick());
    uint64_t before = ticks();
    for (uint64_t round = 0; before < end && !table->samples.full(); ++round) {
      ping.number(round);
      writer.append(ping.data());
      while (answers == round) {
        reader.read([&](const void* data, size_t bytes) {
          tally.take(data, bytes);
          answers = tally.next[1];
        });
      }
      const uint64_t after = ticks();
      table->samples.add(after - before);
      before = after;
    }
    table->over.store(true, std::memory_order_release);
    if (tally.out_of_order != 0) throw Malfunction("bare log: an answer was out of order");
  });
  crew.start("log-second", cores().second, [&] {
    BareLog::Writer writer(log, false);
    BareLog::Reader reader(log, 1);
    Payload pong(shape.payload_bytes, 1);
    Tally tally{};
    table->start.wait_for(2);
    uint64_t answered = 0;
    while (!table->over.load(std::memory_order_relaxed)) {
      reader.read([&](const void* data, size_t bytes) {
        tally.take(data, bytes);
        if (tally.next[0] == answered) return;
        pong.number(answered++);
        writer.append(pong.data());
      });
    }
    if (tally.out_of_order != 0) throw Malfunction("bare log: a question was out of order");
  });
  crew.finish();
  const Samples& samples = table->samples;
  return percentiles_of(std::vector<uint32_t>(samples.ticks, samples.ticks + samples.count), ns_per_tick());
}

LogRate probe_log_rate(int milliseconds, const RecordShape& shape, uint32_t senders, uint32_t readers) {
  BareLog log(shape.record_bytes, shape.payload_at, shape.payload_bytes, readers);
  const RateRound round{milliseconds, shape.payload_bytes, senders, readers};
  const double rate = run_rate_round(
      "bare log", round,
      [&](uint32_t, SendLoop& loop) {
        BareLog::Writer writer(log, round.crowded());
        loop.ready();
        while (const Payload* message = loop.next()) writer.append(message->data());
      },
      [&](uint32_t index, ReadLoop& loop) {
        BareLog::Reader reader(log, index);
        loop.ready();
        while (!loop.complete()) {
          loop.found(reader.read([&](const void* data, size_t bytes) { loop.tally().take(data, bytes); }));
        }
      });
  return {rate};
}

double probe_log_send_cpu(int milliseconds, const RecordShape& shape, uint32_t readers) {
  BareLog log(shape.record_bytes, shape.payload_at, shape.payload_bytes, readers);
  return run_pace_round(
      "bare log", PaceRound{milliseconds, shape.payload_bytes, readers},
      [&](PacedSender& sender) {
        BareLog::Writer writer(log, true);
        sender.ready();
        while (sender.next_burst()) {
          while (const Payload* message = sender.next()) writer.append(message->data());
        }
      },
      [&](uint32_t index, PacedReader& reader) {
        BareLog::Reader from(log, index);
        reader.ready();
        while (!reader.complete()) {
          reader.found(from.read([&](const void* data, size_t bytes) { reader.tally().take(data, bytes); }));
        }
      });
}

}  // namespace evs::bench
