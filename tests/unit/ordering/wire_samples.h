// SPDX-License-Identifier: BSD-3-Clause
// tests/unit/ordering/wire_samples.h - one packet of each kind, and its bytes as docs/wire-format.md draws them.
//
// The bytes were written down by a program that knows the document and not our code.
#pragma once

#include <string>
#include <vector>

#include "bus/ordering/wire.h"

namespace evs::ordering::wire {

inline constexpr Host kThree{3, 0xa1a2a3a4a5a6a7a8};
inline constexpr Host kSeven{7, 0x1122334455667788};  // the sender of all samples
inline constexpr Host kNine{9, 0x99};
inline constexpr RingId kOldRing{5, kThree.id, kThree.nonce};
inline constexpr RingId kNewRing{6, kThree.id, kThree.nonce};

inline Bytes bytes_of(const char* text) { return std::as_bytes(std::span(text, std::char_traits<char>::length(text))); }

inline std::vector<std::byte> sample_pieces() {
  std::vector<std::byte> payload;
  append_piece({.bytes = bytes_of("hello")}, payload);
  append_piece({.bytes = bytes_of("world!"), .fragment = true, .message = 9, .index = 1, .total_bytes = 5000, .last = false},
               payload);
  return payload;
}

inline Data sample_data(Bytes pieces) {
  Data data;
  data.ring = kOldRing;
  data.seq = {300};
  data.previous = {298};
  data.round = 41;
  data.service = Service::safe;
  data.piece_count = 2;
  data.payload = pieces;
  return data;
}

inline Data sample_recovered(Bytes packet) {
  Data data;
  data.ring = kNewRing;
  data.seq = {2};
  data.round = 12;
  data.body = Body::recovered;
  data.payload = packet;
  return data;
}

inline Token sample_token() {
  Token token;
  token.ring = kOldRing;
  token.visit = 1000;
  token.high = {400};
  token.received_by_all = {290};
  token.lowered_by = 4;
  token.spent = 20;
  token.backlog = 3;
  token.recovering = true;
  token.stage = Stage::joining;
  token.stage_by = 6;
  token.change = {293};
  token.delivered_by_all = {288};
  token.delayed_by = 5;
  token.held_by = 2;
  token.wanted = {{{291}, 2}, {{295}, 1}};
  return token;
}

inline Join sample_join() { 
  return {.ring_sequence = 5, .leaving = true, .candidates = {kThree, kSeven}, .failed = {kNine}, .superseded = {0x77, kSeven.nonce - 1}};
}

inline Commit sample_commit() {
  Commit commit;
  commit.ring = kNewRing;
  commit.index = 1;
  commit.members = {kThree, kSeven};
  commit.entries.resize(2);
  commit.entries[0] = {.old_ring = kOldRing, .received_up_to = {400}, .high = {410}, .delivered = {390}, .filled = true,
                       .obligations = {kThree, kNine}};
  return commit;
}

struct Sample {
  std::string name;
  std::vector<std::byte> bytes;
  std::string hex;  // what the bytes must be
};

inline std::vector<Sample> samples() {
  const std::vector<std::byte> pieces = sample_pieces();
  std::vector<Sample> all{
      {"data", {},
       "65767331010100000700000073000000887766554433221103000000030002000500000000000000a8a7a6a5a4a3a2a1"
       "2c010000000000002a010000000000002900000000000000050000000200000068656c6c6f0600000001000000090000"
       "00000000000100000088130000776f726c6421"},
      {"recovered", {},
       "657673310101000007000000bb000000887766554433221103000000020100000600000000000000a8a7a6a5a4a3a2a1"
       "020000000000000000000000000000000c00000000000000657673310101000007000000730000008877665544332211"
       "03000000030002000500000000000000a8a7a6a5a4a3a2a12c010000000000002a010000000000002900000000000000"
       "050000000200000068656c6c6f060000000100000009000000000000000100000088130000776f726c6421"},
      {"token", {},
       "65767331010201000700000098000000887766554433221103000000040000000500000000000000a8a7a6a5a4a3a2a1"
       "e80300000000000090010000000000002201000000000000140000000300000002000000020000002501000000000000"
       "200100000000000006000000050000000200000000000000230100000000000002000000000000002701000000000000"
       "0100000000000000"},
      {"join", {},
       "657673310103010007000000680000008877665544332211020001000200000005000000000000000300000000000000"
       "a8a7a6a5a4a3a2a107000000000000008877665544332211090000000000000099000000000000007700000000000000"
       "8777665544332211"},
      {"commit", {},
       "657673310104000007000000e8000000887766554433221103000000010000000600000000000000a8a7a6a5a4a3a2a1"
       "02000200000000000300000000000000a8a7a6a5a4a3a2a1070000000000000088776655443322110300000000000000"
       "a8a7a6a5a4a3a2a10900000000000000990000000000000003000000010000000500000000000000a8a7a6a5a4a3a2a1"
       "90010000000000009a010000000000008601000000000000030000000000000000000000000000000000000000000000"
       "00000000000000000000000000000000000000000000000000000000000000000000000000000000"},
      {"probe", {},
       "65767331010500000700000030000000887766554433221103000000000000000500000000000000a8a7a6a5a4a3a2a1"},
      {"hold_cancel", {},
       "65767331010600000700000030000000887766554433221103000000000000000500000000000000a8a7a6a5a4a3a2a1"}};
  encode(kSeven, sample_data(pieces), all[0].bytes);
  encode(kSeven, sample_recovered(all[0].bytes), all[1].bytes);
  encode(kSeven, sample_token(), all[2].bytes);
  encode(kSeven, sample_join(), all[3].bytes);
  encode(kSeven, sample_commit(), all[4].bytes);
  encode(kSeven, Probe{kOldRing}, all[5].bytes);
  encode(kSeven, HoldCancel{kOldRing}, all[6].bytes);
  return all;
}

}  // namespace evs::ordering::wire
