// SPDX-License-Identifier: BSD-3-Clause
// bus/ordering/wire.h - packets to bytes and back; docs/wire-format.md is the drawing, one writer and one reader the truth.
//
// Little-endian whatever the machine. The reader takes all or nothing: every length is bounded before it is used, what it answers
// is safe to act upon as far as form goes (sorted sets, ids in range, sums that do not wrap), and false is a sentence about the peer.
#pragma once

#include "bus/ordering/packets.h"

namespace evs::ordering::wire {

inline constexpr uint32_t kMagic = 0x31737665;  // "evs1"
inline constexpr uint8_t kVersion = 1;
inline constexpr size_t kHeaderBytes = 24;
inline constexpr size_t kDataHeaderBytes = 72;  // with the common one
inline constexpr size_t kMaxPacketBytes = 65536;

struct Envelope {  // the common header
  PacketType type = PacketType::data;
  Host sender;
};

// Appends one packet to `out`, which its caller keeps and reuses; what is encoded must not point into it. False: a decoder would refuse
// it, and nothing was appended. What a data packet's payload holds is its maker's word, and is not walked over again.
bool encode(const Host& sender, const Data& data, std::vector<std::byte>& out);
bool encode(const Host& sender, const Token& token, std::vector<std::byte>& out);
bool encode(const Host& sender, const Join& join, std::vector<std::byte>& out);
bool encode(const Host& sender, const Commit& commit, std::vector<std::byte>& out);
bool encode(const Host& sender, const Probe& probe, std::vector<std::byte>& out);
bool encode(const Host& sender, const HoldCancel& cancel, std::vector<std::byte>& out);

// The header of a data packet whose payload stands behind it already: `packet` is all of it, and `data.payload` is not looked at. False: as
// above, and nothing was written.
bool encode_around(const Host& sender, const Data& data, std::span<std::byte> packet);

// truncated: bytes are missing. length: there are too many, or a count is beyond its bound. range: a number, a flag or a reserved byte
// that may not be. order: a set that is not sorted, or names one twice.
enum class Malformed : uint8_t { none, truncated, magic, version, type, length, range, order };

// The common header; `packet` must be exactly one packet.
Malformed decode(Bytes packet, Envelope& envelope);
// The whole packet; the header is looked at again. `data.payload` points into the packet. What was refused leaves an empty struct.
Malformed decode(Bytes packet, Data& data);
Malformed decode(Bytes packet, Token& token);
Malformed decode(Bytes packet, Join& join);
Malformed decode(Bytes packet, Commit& commit);
Malformed decode(Bytes packet, Probe& probe);
Malformed decode(Bytes packet, HoldCancel& cancel);

// The sequence of a ring that a packet of any of these types names, always at the same place; 0: the packet is too short for it.
uint64_t sequence_in(Bytes packet);

// In a data packet that is put on the wire again only this changes.
void set_round(std::span<std::byte> data_packet, uint64_t round);

// ---- Pieces: messages, and fragments of messages, one behind the other in a data packet's payload. ----

inline constexpr size_t kPieceBytes = 8;      // before a whole message
inline constexpr size_t kFragmentBytes = 24;  // before a fragment

struct Piece {
  Bytes bytes;
  bool fragment = false;
  uint64_t message = 0;      // fragment: the sender's number of the message
  uint32_t index = 0;        // fragment: which one
  uint32_t total_bytes = 0;  // fragment: of the whole message
  bool last = true;          // always, of a whole message
};

// Where a frame is filled at speed: put_piece() of piece_writer.h, inline.
void append_piece(const Piece& piece, std::vector<std::byte>& payload);
// The next piece from `payload`, which is shortened by it; false: malformed. Where a frame's pieces are walked at speed:
// piece_at() of piece_reader.h, inline.
bool take_piece(Bytes& payload, Piece& piece);

}  // namespace evs::ordering::wire
