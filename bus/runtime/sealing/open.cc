// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/sealing/open.cc - what comes from the medium: refused, or proven and remembered.
//
// The order of the refusals is that of their price. What the header alone decides comes first; a packet that was opened before never reaches the cipher.
// Nothing that is remembered changes before the tag was right.
#include "bus/runtime/sealing/sealing.h"

namespace evs::runtime::sealing {

size_t Sealing::open(uint64_t now_ns, std::span<ToOpen> datagrams) {
  size_t opened = 0;
  for (ToOpen& each : datagrams) {
    Header header;
    each.packet = {};
    each.sender = {};
    each.refusal = open_one(now_ns, each, header);
    if (each.refusal == Refusal::none) {
      each.sender = {header.host, header.life.nonce};
      ++opened;
      continue;
    }
    each.packet = {};
    ++counts_.refused[static_cast<size_t>(each.refusal)];
    notices_.saw(now_ns, each.refusal, header);
  }
  counts_.opened += opened;
  return opened;
}

Refusal Sealing::open_one(uint64_t now_ns, ToOpen& datagram, Header& header) {
  const Refusal form = read_header(datagram.datagram, header);
  if (form != Refusal::none) return form;
  if ((header.form == Form::clear) != is_clear()) return is_clear() ? Refusal::sealed : Refusal::unsealed;
  if (header.host == host_ && header.life == life_) return Refusal::echo;
  if (!is_clear()) return open_sealed(now_ns, datagram, header);
  datagram.packet = datagram.datagram.subspan(kHeaderBytes);
  return Refusal::none;
}

Refusal Sealing::open_sealed(uint64_t now_ns, ToOpen& datagram, const Header& header) {
  LiveKey* const key = find(header.key);
  if (key == nullptr) return Refusal::unknown_key;
  if (header.host == host_ && header.life < life_) return Refusal::old_life;
  Sender* const sender = senders_.find(header.host);
  const bool known_life = sender != nullptr && sender->life == header.life;
  if (sender != nullptr && header.life < sender->life) return Refusal::old_life;
  if (known_life && !sender->window.is_fresh(header.counter)) return Refusal::replay;

  const KeyName name{key->serial, stretch_of(header.counter)};
  PacketCipher* cipher = known_life ? sender->cipher(name) : nullptr;
  const bool derived = cipher == nullptr;
  if (derived) {
    Secret packet_key;
    if (!key->derivation.derive(header.host, header.life, name.stretch, packet_key) || !scratch_.set_key(*library_, packet_key)) return Refusal::table_full;  // no memory to try it in
    cipher = &scratch_;
  }
  const std::span<std::byte> all = datagram.datagram;
  const std::span<std::byte> body = all.subspan(kHeaderBytes, all.size() - kOverheadSealed);
  if (!cipher->open(header.counter, all.first(kHeaderBytes), body, all.data() + all.size() - kTagBytes)) return Refusal::tag;

  datagram.packet = body;
  return remember(now_ns, header, sender, name, derived);
}

// The packet is its sender's.
Refusal Sealing::remember(uint64_t now_ns, const Header& header, Sender* sender, const KeyName& name, bool derived) {
  if (sender == nullptr) {
    sender = senders_.admit(now_ns, header.host);
    if (sender == nullptr) return Refusal::table_full;
  }
  if (sender->life != header.life) sender->follow(header.life);
  sender->window.mark(header.counter);
  sender->heard_ns = now_ns;
  if (derived) {
    sender->keep(name, scratch_);  // without memory for it: derived again with the next packet
    sender->remember_key(name.serial, live_);
  }
  return Refusal::none;
}

}  // namespace evs::runtime::sealing
