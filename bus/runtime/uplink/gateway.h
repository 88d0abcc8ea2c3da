// SPDX-License-Identifier: BSD-3-Clause
// bus/runtime/uplink/gateway.h - the one process of a host that runs the uplink for all of them: from the outbox into the ring, from the ring into the order.
//
//     outbox --> ProcessLevel --> Link --> other hosts
//                                  |  effects
//     order  <-- ProcessLevel <----+---> window file: what a successor must know (window_file.h)
//
// It may be killed at any instruction. What it told the ring lies in the window file before the packet that depends on it leaves; what it tells the host is one record
// of the order ring for each effect, and whether that one was committed can be found out (evs.role/1). Its successor delivers the rest, which is a partition of this host,
// and joins the ring anew (docs/protocol.md, "What a successor must know").
//
// Its parts: gateway.cc opening, taking over, its turn; gateway_outbox.cc what processes ask for; gateway_order.cc what they are told; gateway_state.cc what is
// kept on a disk; gateway_status.cc what an observer sees; gateway_apart.cc what it does when another host has its id. One thread: the service thread of the process that holds the role. Nothing here waits, but for that disk.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <set>

#include "bus/ordering/process_level.h"
#include "bus/runtime/log.h"
#include "bus/runtime/uplink/board.h"
#include "bus/runtime/uplink/episodes.h"
#include "bus/runtime/uplink/key_watch.h"
#include "bus/runtime/uplink/link.h"
#include "bus/runtime/uplink/local_ring.h"
#include "bus/runtime/uplink/lookout.h"
#include "bus/runtime/uplink/measured.h"
#include "bus/runtime/uplink/status_file.h"
#include "bus/runtime/uplink/voting_file.h"
#include "bus/runtime/uplink/window_file.h"

namespace evs::runtime::uplink {

class Gateway final : public Sink {
 public:
  struct Making {
    const Config* config;
    Log* log;
    const evs_host* host;
    LocalRing* role;    // this process as who appends to the order ring
    LocalRing* outbox;
    Board* board;
    const shm::Directory* directory;
    ordering::HostId host_id;
    const std::vector<std::string>* state_directories;  // where to keep what outlives the machine, the best first
    bool stands;  // for the role, and gives it to nobody
    std::shared_ptr<Patience> patience;  // with the disk
    const std::optional<std::string>* twin;  // where another host was that has our id; empty text: nobody knows. None: it was not heard
  };

  // The role is ours by the board.
  static PluginResult<std::unique_ptr<Gateway>> open(const Making& making, uint64_t now_ns);
  ~Gateway() override;

  // Where what outlives the machine is kept. Failure: nowhere, and open() would fail because of that; no directory: nowhere, and it goes without.
  static PluginResult<std::optional<StateDirectory>> state_directory(const Making& making);

  // Answers when it wants its next.
  uint64_t turn(uint64_t now_ns);
  // Those that are readable when there is something to do.
  std::vector<int> descriptors() const;
  int outbox_descriptor() const { return making_.outbox->ops().fd(reader_); }
  // False: the queue is full, and the outbox's bell says nothing new.
  bool takes_outbox() const { return !queue_full_; }
  // Empty; else it can go no further, and why.
  const std::string& failure() const { return failure_; }
  // It has failed because another host has our id; the next one is to keep apart from it (Making::twin).
  bool has_twin() const { return has_twin_; }
  // It keeps apart: it listens, and says nothing to anybody. Until the other one is silent, which ends it: the next one may speak.
  bool is_apart() const { return lookout_ != nullptr; }
  bool may_speak() const { return may_speak_; }
  const std::string& twin_at() const { return twin_at_; }
  // What a gateway of this host that kept apart has left: where the other one was. None: there was no such thing of late.
  static std::optional<std::string> twin_of_late(const Making& making, uint64_t now_ns);

  // This process goes. With others here it lets go at once, and one of them takes over; the last one says goodbye for its host first.
  void resign(uint64_t now_ns, bool is_last);
  bool is_over() const { return over_; }

 private:
  explicit Gateway(const Making& making);

  // gateway.cc
  std::optional<PluginFailure> open_medium();
  std::optional<PluginFailure> open_outbox();
  std::optional<PluginFailure> open_window();
  bool take_over(uint64_t now_ns);
  void publish_in_force();
  Medium medium() const;
  void say_goodbye(ordering::Instant now);
  uint64_t build() const { return making_.role->build() << 32 | making_.outbox->build(); }
  void give_up(const std::string& why);
  void say_what_is_wrong(ordering::Instant now);
  void look_at_key(uint64_t now_ns);

  // gateway_apart.cc
  std::optional<PluginFailure> open_lookout(uint64_t now_ns);
  void look_for_twin(ordering::Instant now);
  uint64_t keep_apart(uint64_t now_ns, uint64_t next);
  std::string apart_status(uint64_t now_ns) const;

  // gateway_state.cc
  std::optional<PluginFailure> open_state();
  std::optional<PluginFailure> open_votes(const ordering::Quorum& quorum);
  bool write_down_votes();
  bool reserve_sequences(const ordering::Effect& effect);
  const char* verdict_text() const;
  void say_whether_primary();

  // gateway_outbox.cc
  struct Place {
    uint64_t position = 0;  // of an outbox record; 0: of nobody's
    uint32_t part = 0;      // of what it asks for
  };
  bool read_outbox();
  bool take_outbox(ordering::Instant now);
  bool take_record(ordering::Instant now, const evs_frame& record);
  bool arrive(ordering::Instant now, const OutboxHeader& header, uint64_t position);
  bool take_control(ordering::Instant now, const OutboxHeader& header, uint64_t position, Bytes carried);
  bool take_message(ordering::Instant now, const OutboxHeader& header, uint64_t position, uint32_t part, Bytes carried);
  bool is_done(uint64_t position, uint32_t part) const;
  template <class Submit>
  bool submit(ordering::Instant now, Place place, Submit&& call);
  void look_for_the_gone(ordering::Instant now);
  void note_stamps(const ordering::Output& out, const ordering::Window& window);

  // gateway_status.cc
  void publish_status(uint64_t now_ns);
  void write_status(const std::string& text);
  std::string status_text(uint64_t now_ns) const;

  // gateway_order.cc: Sink
  uint64_t room() override;
  void ask_for_room(uint64_t now_ns);
  void carry_out(const ordering::Output& out, const ordering::Effect& effect, const ordering::Protocol& protocol) override;
  bool follow_up(ordering::Instant now, ordering::Protocol& protocol, ordering::Output& out) override;
  bool goes_on() const override { return failure_.empty(); }
  void tell(const ordering::Output& out, const ordering::Effect& effect, const ordering::Protocol& protocol);
  void step(const ordering::Output& out, const ordering::Effect& effect, const ordering::Protocol& protocol);
  bool append(const OrderHeader& header, uint32_t kind, ordering::Service service, const evs_plugin_group* groups, uint32_t group_count, Bytes data);
  bool append_message(const ordering::Told& told, const ordering::Delivery& delivery);
  bool append_control(const ordering::Told& told, const Carried& carried);
  GroupState members_of(const Carried& carried) const;
  void make_change(const ordering::Output& out, const ordering::Effect& effect);
  bool append_change();
  void note_processes(std::vector<std::byte>& kept, WindowFile::Also& also) const;
  void add_configuration(const ordering::Told& told, int32_t why_left);
  void add_group(const ordering::Told& told);
  void rebuild_groups();

  const Making making_;
  std::string failure_;
  bool over_ = false, saying_goodbye_ = false;
  uint64_t goodbye_until_ns_ = 0;

  std::optional<Transport> transport_;  // the medium's
  ServiceCalls service_;
  std::unique_ptr<sealing::Sealing> sealing_;
  KeyFileMark key_mark_;                // of the file that was read last
  uint64_t key_ns_ = 0;                 // it is looked at again then
  std::unique_ptr<WindowFile> window_;
  std::unique_ptr<ordering::ProcessLevel> level_;
  std::unique_ptr<Link> link_;          // none before the state of a predecessor is settled
  std::unique_ptr<sealing::Sealing> ear_;  // the lookout's
  std::unique_ptr<Lookout> lookout_;       // apart: and nothing of what follows is there
  std::string twin_at_;
  bool has_twin_ = false, may_speak_ = false;
  ordering::Settings settings_;
  std::optional<StateDirectory> state_;        // none: nothing is kept that outlives the machine
  std::optional<VotingFile> votes_;            // with a quorum
  std::optional<SequenceFile> sequences_;
  bool needs_state_ = false;                   // what cannot be written there ends the role
  std::string said_primary_;                   // whether the ring is, in the log

  // ---- The outbox. ----
  const evs_role_extension* outbox_role_ = nullptr;
  evs_cursor* reader_ = nullptr;
  struct Aligned {
    void operator()(std::byte* bytes) const { ::operator delete(bytes, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte, Aligned> buffer_;
  size_t buffer_size_ = 0;
  std::vector<evs_frame> frames_;
  size_t next_frame_ = 0, frame_count_ = 0;
  bool queue_full_ = false;
  uint64_t read_to_ = 0;                // where the record stands that was read last
  struct Submission {
    uint64_t number;
    Place place;
  };
  std::deque<Submission> submitted_;    // that have no place in the ring yet, by number
  Place stamped_;                       // through here
  std::map<uint32_t, uint64_t> gone_;   // nodeids of who is no member of this host any more, and up to where the outbox must be read before it is said
  uint64_t looked_ns_ = 0;

  // ---- The order. ----
  const evs_role_extension* order_role_ = nullptr;
  evs_cursor* order_reader_ = nullptr;  // never reads: it keeps the last record, so that a successor can ask after it
  std::vector<ordering::Told> told_;
  std::vector<std::byte> record_;
  uint64_t saved_revision_ = 0;
  ChangeTold change_;                         // what is being told
  std::vector<evs_plugin_group> change_keys_;
  ProcessesInForce in_force_;                 // as it was told last
  std::map<ordering::Group, std::set<Resident>> groups_;
  uint64_t room_ = 0, room_at_most_ = 0;
  uint64_t wanted_bytes_ = 0;   // what is asked for when there is no room
  uint64_t asked_room_ns_ = 0;
  Measured measured_;
  std::unique_ptr<StatusFile> status_file_;
  uint64_t status_ns_ = 0;
  bool status_failed_ = false;
  std::optional<Episodes> episodes_;
  uint64_t episodes_ns_ = 0;
};

}  // namespace evs::runtime::uplink
