// SPDX-License-Identifier: BSD-3-Clause
// tests/fuzz/sealed_inside_fuzz.cc - inside of the tag: somebody who has the key says what he likes, in any host's name, life and counter.
//
// The input is some packets, each behind its length in 16 bits, 4 bytes of host, 1 of birth, 1 of nonce and 8 of counter. Each is sealed as it should be. What is opened
// is what was sealed, it goes on to the decoders of the ordering layer and of hellos, and lives and counters are taken as the rule says.
#include <map>
#include <vector>

#include "bus/runtime/uplink/hello.h"
#include "tests/fuzz/sealed_world.h"
#include "tests/unit/ordering/ordered_again.h"
#include "tests/unit/ordering/wire_again.h"

namespace evs::runtime::sealing {
namespace {

struct Outsider {  // makes datagrams without a Sealing, from the parts
  Outsider() {
    auto opened = Library::open();
    must(opened.ok());
    library = std::make_unique<Library>(std::move(*opened));
    auto derived = Derivation::from(*library, document_key().secret, "");
    must(derived.ok());
    derivation = std::make_unique<Derivation>(std::move(*derived));
  }
  std::vector<std::byte> seal(const Header& header, Bytes packet) {
    std::vector<std::byte> datagram(packet.size() + kOverheadSealed);
    write_header(datagram.data(), header);
    Secret key;
    must(derivation->derive(header.host, header.life, stretch_of(header.counter), key) && cipher.set_key(*library, key));
    std::byte* body = datagram.data() + kHeaderBytes;
    must(cipher.seal(header.counter, Bytes(datagram).first(kHeaderBytes), packet, body, body + packet.size()));
    return datagram;
  }
  std::unique_ptr<Library> library;
  std::unique_ptr<Derivation> derivation;
  PacketCipher cipher{PacketCipher::Use::seals};
};

void decode(Bytes packet) {
  namespace wire = ordering::wire;
  must(wire::again(packet).consistent);
  must(wire::ordered_again(packet).consistent);
  uplink::Hello hello;
  if (!uplink::decode(packet, hello)) return must(hello == uplink::Hello{});
  std::vector<std::byte> again;
  uplink::encode(hello, packet.size(), again);
  must(std::equal(packet.begin(), packet.end(), again.begin(), again.end()));
}

constexpr size_t kPrefix = 16;

}  // namespace
}  // namespace evs::runtime::sealing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace evs::runtime::sealing;
  using evs::ordering::load_little;
  static Outsider outsider;
  static FuzzedHost host{Keyring(document_key())};
  host.forget();
  std::map<HostId, Life> newest;
  std::span<const std::byte> rest(reinterpret_cast<const std::byte*>(data), size);
  while (rest.size() >= kPrefix) {
    const size_t bytes = std::min<size_t>(load_little<uint16_t>(rest.data()), rest.size() - kPrefix);
    const Life life{std::to_integer<uint64_t>(rest[6]), std::to_integer<uint64_t>(rest[7])};
    const Header header{Form::sealed, 3, load_little<uint32_t>(rest.data() + 2), life, load_little<uint64_t>(rest.data() + 8)};
    const Bytes packet = rest.subspan(kPrefix, bytes);
    rest = rest.subspan(kPrefix + bytes);
    std::vector<std::byte> datagram = outsider.seal(header, packet), again = datagram;
    const ToOpen heard = host.hear(datagram);
    must(heard.refusal != Refusal::tag && heard.refusal != Refusal::unknown_key && heard.refusal != Refusal::too_short);
    const auto before = newest.find(header.host);
    const bool looked_at = heard.refusal != Refusal::foreign && heard.refusal != Refusal::echo;
    if (before != newest.end() && looked_at) must((heard.refusal == Refusal::old_life) == (life < before->second));
    if (heard.refusal != Refusal::none) continue;
    newest[header.host] = life;
    must(std::equal(heard.packet.begin(), heard.packet.end(), packet.begin(), packet.end()));
    decode(heard.packet);
    must(host.hear(again).refusal == Refusal::replay);
  }
  return 0;
}
