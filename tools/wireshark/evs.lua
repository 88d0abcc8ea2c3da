-- SPDX-License-Identifier: BSD-3-Clause
-- tools/wireshark/evs.lua - what the hosts of a bus say to each other, in Wireshark and tshark: docs/wire-format.md, field by field.
--
--   tshark -X lua_script:evs.lua -i eth0 -f 'udp port 5410'
--
-- The layouts below are the document's tables, row by row, and the rules beside them are its bounds: what a host would refuse is marked with the field
-- that breaks the rule. A field that is out of bounds is shown and reading goes on; where the bytes end, or nobody can say what follows, it
-- stops. So it knows packets alone: whether a token is old, or a sender a member, is for those who are on the ring.
--
-- The protocol is called evsbus: in Wireshark `evs` is a speech codec, whose filters would be mixed up with ours.
local NAME = "evsbus"
local proto = Proto(NAME, "Extended Virtual Synchrony")

local MOST_HOST, MOST_SEQUENCE, MOST_PACKET = 1048575, 4294967295, 65536
local MOST_HOSTS, MOST_OBLIGED, MOST_SUPERSEDED, MOST_WANTED, MOST_PIECES, MOST_GROUPS, MOST_PARTS = 256, 768, 8, 64, 1024, 1024, 512
local MOST_GROUPS_OF_CHANGE, MOST_CARRIED = 64, 4096
local MOST_HEARD = 256
local MOST_TRIES, AUTO = 16, 4294967295

local TYPES = {"data", "token", "join", "commit", "probe", "hold_cancel", [16] = "frame", [17] = "acknowledgement", [18] = "state"}
local SERVICES = {[0] = "unordered", "fifo", "agreed", "safe"}
local BODIES = {[0] = "pieces", "recovered"}
local STAGES = {[0] = "open", "exchange", "joining", "closed", "rest"}
local FORMS = {"sealed", "in the clear"}
local KINDS = {"message", "change", "opening", "vote"}
local WHATS = {"join", "leave", "died", "join_group", "leave_group"}

-- Fields, by their names without the protocol's.
local fields, kinds = {}, {}
local function define(kind, names, ...)
  for name in names:gmatch("%S+") do
    local text = (name:match("[^.]*ring%.[^.]+$") or name:match("configuration%.[^.]+$") or name:match("[^.]+$")):gsub("[_.]", " ")
    fields[name], kinds[name] = ProtoField[kind](NAME .. "." .. name, text, ...), kind
  end
end
define("none", "envelope part hello header recovered piece entry process candidate failed_host member obliged_host wanted_range voter_ring voter")
define("string", "magic envelope.magic part.magic hello.magic change.group opening.process.group")
define("bytes", "part.piece hello.zeros reserved trailing envelope.packet envelope.tag piece.bytes message.payload change.carried")
define("uint8", "version envelope.version")
define("uint8", "type", base.DEC, TYPES)
define("uint8", "envelope.form", base.DEC, FORMS)
define("uint8", "data.service frame.service", base.DEC, SERVICES)
define("uint8", "data.body", base.DEC, BODIES)
define("uint8", "token.stage", base.DEC, STAGES)
define("uint8", "record.kind", base.DEC, KINDS)
define("uint8", "change.what", base.DEC, WHATS)
define("uint8", "piece.flags commit.entry.flags", base.HEX)
define("uint16", "flags hello.flags", base.HEX)
define("uint16", "part.index part.count hello.count envelope.key data.piece_count frame.piece_count join.candidates join.failed join.superseded commit.members commit.obliged change.groups")
define("uint32", "part.id part.total hello.large envelope.host sender length ring.representative token.lowered_by token.spent token.backlog token.wanted token.stage_by token.delayed_by")
define("uint32", "token.held_by token.wanted.count join.candidates.id join.failed.id commit.index commit.members.id commit.obliged.id")
define("uint32", "commit.entry.old_ring.representative commit.entry.obliged piece.length piece.index piece.total change.pid opening.processes")
define("uint32", "opening.quorum opening.record voter.tries voter.ring.representative voter.ring.hosts voter.ring.hosts.id vote.representative")
define("uint32", "opening.configuration_members opening.process.pid opening.process.groups")
define("uint32", "message.sender change.node opening.configuration.representative opening.process.node opening.process.flags", base.HEX)
define("uint32", "hello.heard", base.HEX)
define("uint32", "hello.heard.host", base.DEC, nil, 0x000fffff)
define("uint32", "node.host", base.DEC, nil, 0xfffff000)
define("uint32", "node.slot", base.DEC, nil, 0x00000fff)
define("uint64", "envelope.counter ring.sequence data.seq data.previous data.round token.visit token.high token.received_by_all token.change")
define("uint64", "token.delivered_by_all token.wanted.first join.ring_sequence commit.entry.old_ring.sequence commit.entry.received_up_to")
define("uint64", "commit.entry.high commit.entry.delivered piece.message frame.acknowledged frame.changes frame.number")
define("uint64", "acknowledgement.acknowledged state.proposal state.delivered change.incarnation opening.configuration.number opening.process.incarnation")
define("uint64", "voter.ring.epoch voter.ring.sequence vote.sequence vote.epoch")
define("uint64", "voter.disk voter.ring.nonce voter.ring.hosts.nonce vote.nonce", base.HEX)
define("uint64", "envelope.birth envelope.nonce nonce ring.nonce join.candidates.nonce join.failed.nonce join.superseded.nonce", base.HEX)
define("uint64", "commit.members.nonce commit.obliged.nonce commit.entry.old_ring.nonce commit.entry.bits", base.HEX)
define("bool", "token.recovering join.leaving frame.change", 16, nil, 1)
define("bool", "hello.to_all", 16, nil, 1)
define("bool", "hello.is_large", 16, nil, 2)
define("bool", "hello.heard.to_all", 32, nil, 0x100000)
define("bool", "hello.heard.large", 32, nil, 0x200000)
define("bool", "piece.fragment commit.entry.filled", 8, nil, 1)
define("bool", "piece.last", 8, nil, 2)
define("bool", "opening.process.in_configuration", 32, nil, 1)
proto.fields = fields

local function remark(name, text, group, severity)
  return ProtoExpert.new(NAME .. "." .. name, text, expert.group[group], expert.severity[severity])
end
local malformed = remark("malformed", "A host refuses this packet", "MALFORMED", "ERROR")
local no_record = remark("no_record", "No record of processes: a gateway refuses this message", "PROTOCOL", "NOTE")
local cut = remark("cut", "The capture does not hold the whole packet", "UNDECODED", "NOTE")
local bare = remark("bare", "A packet without an envelope: hosts refuse it over a datagram medium", "PROTOCOL", "NOTE")
local unjoined = remark("unjoined", "A part that does not follow on the one before: its packet is not put together", "SEQUENCE", "NOTE")
local offloaded = remark("offloaded", "Several datagrams in one: captured before segmentation offload took them apart", "SEQUENCE", "CHAT")
proto.experts = {malformed, no_record, cut, bare, unjoined, offloaded}

-- Reading. A reader is a place in the packet; `lost` are the bytes behind its end that the capture has cut off.
local STOP = {}

local function fault(r, item, name, why)
  local text = NAME .. "." .. name .. ": " .. why
  item:add_proto_expert_info(r.remark, text)
  r.faults[#r.faults + 1] = text
end

local function stop(r, item, name, why)
  if why then
    fault(r, item, name, why)
  elseif r.lost > 0 then
    item:add_proto_expert_info(cut, NAME .. "." .. name .. ": cut off by the capture")
  elseif not r.partial then
    fault(r, item, name, r.stop > r.at and "ends early" or "is not there: the packet ends before it")
  end
  error(STOP, 0)
end

-- Runs what may stop. Anything else that goes wrong is our own fault and Wireshark's to show.
local function guarded(f, ...)
  local done, why = pcall(f, ...)
  if not done and why ~= STOP then error(why, 0) end
end

local function rest(r) return r.stop - r.at end

local function zero(value) return not value:match("^0*$") and "reserved, and not zero" or nil end

-- The next field: its value and its item. `check` answers what is wrong with the value, if anything.
local function take(r, tree, name, size, check)
  if size > rest(r) then stop(r, tree, name) end
  local range, kind = r.tvb(r.at, size), kinds[name]
  r.at = r.at + size
  local item, value
  if kind == "bytes" or kind == "string" then
    item = tree:add(fields[name], range)
    value = kind == "bytes" and range:bytes():tohex() or range:raw()
  else
    item = tree:add_le(fields[name], range)
    value = size == 8 and range:le_uint64() or range:le_uint()
  end
  local why = check and check(value)
  if why then fault(r, item, name, why) end
  return value, item, range
end

-- The rows of a table: {field, bytes, check}. Values and items by the last part of the field's name.
local function walk(r, tree, rows)
  local values, items = {}, {}
  for _, row in ipairs(rows) do
    local short = row[1]:match("[^.]+$")
    values[short], items[short] = take(r, tree, row[1], row[2], row[3])
  end
  return values, items
end

local function number(value) return type(value) == "number" and value or value:tonumber() end
local function from_to(least, most)
  return function(value) return (number(value) < least or number(value) > most) and ("not from %d to %d"):format(least, most) or nil end
end
local function not_zero(value) return number(value) == 0 and "is 0" or nil end
local function at_most(most) return from_to(0, most) end
local host_id, host_or_none, sequence = from_to(1, MOST_HOST), from_to(0, MOST_HOST), from_to(1, MOST_SEQUENCE)

local function not_above(r, values, items, prefix, name, bound)
  if values[bound] < values[name] then fault(r, items[name], prefix .. name, "above " .. bound) end
end

local function bits(r, item, range, name, known, ...)
  for _, bit in ipairs({...}) do item:add_le(fields[bit], range) end
  if range:le_uint() > known then fault(r, item, name, "a flag that nobody knows") end
end

-- A count that stands for a list: beyond its bound nothing is read of it.
local function bounded(r, item, name, value, most)
  if value > most then stop(r, item, name, ("%d, and at most %d may be"):format(value, most)) end
end

local function branch(r, tree, name, size)
  local length = math.min(size, rest(r))
  if length == 0 then return tree:add(fields[name]) end
  return tree:add(fields[name], r.tvb(r.at, length))
end

-- A set of hosts, rising by id and nonce. Answers the hosts and what to write for them.
local function set_of_hosts(r, tree, each, name, count)
  local hosts, ids = {}, {}
  for i = 1, count do
    local node = branch(r, tree, each, 16)
    local v, items = walk(r, node, {{name .. ".id", 4, host_id}, {"reserved", 4, zero}, {name .. ".nonce", 8}})
    node:set_text(("%s: host %d, nonce %s"):format(each:gsub("_", " "), v.id, "0x" .. v.nonce:tohex()))
    local last = hosts[i - 1]
    if last and (v.id < last.id or (v.id == last.id and v.nonce <= last.nonce)) then fault(r, items.id, name .. ".id", "hosts do not rise") end
    hosts[i], ids[i] = {id = v.id, nonce = v.nonce, item = items.id}, v.id
  end
  return hosts, table.concat(ids, ",")
end

-- What messages carry (the document's section of that name).
local function node_id(host)
  return function(value)
    if value % 4096 == 0 then return "slot 0" end
    return math.floor(value / 4096) ~= host and "of another host than the sender" or nil
  end
end

local function take_node(r, tree, name, check)
  local value, item, range = take(r, tree, name, 4, check)
  item:add_le(fields["node.host"], range)
  item:add_le(fields["node.slot"], range)
  local text = ("%d.%d"):format(math.floor(value / 4096), value % 4096)
  item:append_text(" (host.slot " .. text .. ")")
  return value, text, item
end

local function take_group(r, tree, name)
  if rest(r) < 32 then stop(r, tree, name) end
  local raw = r.tvb(r.at, 32):raw()
  local text = raw:gsub("\0+$", ""):gsub("[^\32-\126]", function(c) return ("\\x%02x"):format(c:byte()) end)
  tree:add(fields[name], r.tvb(r.at, 32), text)
  r.at = r.at + 32
  return text, raw
end

-- Rising, none twice. Their names are appended to `names`.
local function take_groups(r, tree, name, count, names)
  local before
  for i = 1, count do
    local text, group = take_group(r, tree, name)
    if before and group <= before then fault(r, tree, name, "groups do not rise") end
    before, names[i] = group, text
  end
end

local function message(r, tree)
  take(r, tree, "reserved", 3, zero)
  take_node(r, tree, "message.sender", node_id(r.from))
  if rest(r) > 0 then take(r, tree, "message.payload", rest(r)) end
end

local function carries_too_much(value)
  return #value / 2 > MOST_CARRIED and ("%d bytes, and at most %d may be"):format(#value / 2, MOST_CARRIED) or nil
end

local function change(r, tree)
  local what = take(r, tree, "change.what", 1, from_to(1, 5))
  local of_groups = what >= 4 and what <= 5
  local count, count_item = take(r, tree, "change.groups", 2, of_groups and from_to(1, MOST_GROUPS_OF_CHANGE) or at_most(0))
  local _, node = take_node(r, tree, "change.node", node_id(r.from))
  walk(r, tree, {{"change.pid", 4}, {"reserved", 4, zero}, {"change.incarnation", 8}})
  local names = {}
  if of_groups then
    bounded(r, count_item, "change.groups", count, MOST_GROUPS_OF_CHANGE)
    take_groups(r, tree, "change.group", count, names)
    if rest(r) > 0 then take(r, tree, "change.carried", rest(r), carries_too_much) end
  end
  r.note(("%s %s%s"):format(WHATS[what] or "change", node, #names == 0 and "" or " " .. table.concat(names, ", ")))
end

local function opening_entry(r, tree, last, representative)
  local node = branch(r, tree, "process", 24)
  local begin = r.at
  local id, text, item = take_node(r, node, "opening.process.node", node_id(r.from))
  if id <= last then fault(r, item, "opening.process.node", "processes do not rise") end
  local v = walk(r, node, {{"opening.process.pid", 4}, {"opening.process.incarnation", 8}})
  local count, count_item = take(r, node, "opening.process.groups", 4)
  local flags, flags_item, range = take(r, node, "opening.process.flags", 4)
  bits(r, flags_item, range, "opening.process.flags", 1, "opening.process.in_configuration")
  if flags == 1 and id < representative then fault(r, item, "opening.process.node", "a member below the representative") end
  bounded(r, count_item, "opening.process.groups", count, MOST_GROUPS)
  take_groups(r, node, "opening.process.group", count, {})
  node:set_len(r.at - begin)
  node:set_text(("process %s, pid %d, groups: %d"):format(text, v.pid, count))
  return id, flags == 1
end

-- A primary ring, or one that was tried. `before`: the epoch of the one in front of it; `disk`: of the sender, which is in each that it tried.
local function voter_ring(r, tree, before, disk)
  local node = branch(r, tree, "voter_ring", 32)
  local begin, none = r.at, UInt64(0)
  local v, items = walk(r, node, {{"voter.ring.epoch", 8}, {"voter.ring.sequence", 8, at_most(MOST_SEQUENCE)}, {"voter.ring.nonce", 8},
                                  {"voter.ring.representative", 4, host_or_none}, {"voter.ring.hosts", 4}})
  bounded(r, items.hosts, "voter.ring.hosts", v.hosts, MOST_HOSTS)
  local hosts, ids = set_of_hosts(r, node, "voter", "voter.ring.hosts", v.hosts)
  local is_in = false
  for i, host in ipairs(hosts) do
    if i > 1 and host.id == hosts[i - 1].id then fault(r, host.item, "voter.ring.hosts.id", "one host twice") end
    is_in = is_in or (host.id == r.from and host.nonce == disk)
  end
  local empty = v.hosts == 0 and v.representative == 0 and v.sequence == none and v.nonce == none
  if before or v.epoch ~= none then
    local begun = not before and v.sequence == none and v.epoch == UInt64(1) and v.hosts == 1
    if before and v.epoch <= before then fault(r, items.epoch, "voter.ring.epoch", "epochs do not rise") end
    if v.sequence == none and not begun then fault(r, items.sequence, "voter.ring.sequence", "is 0") end
    if v.representative == 0 then fault(r, items.representative, "voter.ring.representative", "is 0") end
    if v.hosts == 0 then fault(r, items.hosts, "voter.ring.hosts", "is 0") end
    if before and not is_in then fault(r, items.hosts, "voter.ring.hosts", "the sender is not among them") end
  elseif not empty then
    fault(r, items.epoch, "voter.ring.epoch", "0, and yet a ring")
  end
  node:set_len(r.at - begin)
  node:set_text(("%s epoch %s: hosts %s"):format(before and "tried," or "formed,", tostring(v.epoch), ids))
  return v.epoch
end

local function voter(r, tree)
  local disk = take(r, tree, "voter.disk", 8)
  local tries, item = take(r, tree, "voter.tries", 4)
  take(r, tree, "reserved", 4, zero)
  bounded(r, item, "voter.tries", tries, MOST_TRIES)
  local before = voter_ring(r, tree)
  for _ = 1, tries do before = voter_ring(r, tree, before, disk) end
end

local function vote(r, tree)
  take(r, tree, "reserved", 3, zero)
  local v = walk(r, tree, {{"vote.representative", 4, host_id}, {"vote.sequence", 8, sequence}, {"vote.nonce", 8}, {"vote.epoch", 8, not_zero}})
  r.note(("vote for epoch %s"):format(tostring(v.epoch)))
end

local function opening(r, tree)
  take(r, tree, "reserved", 3, zero)
  local count = take(r, tree, "opening.processes", 4)
  local number, number_item = take(r, tree, "opening.configuration.number", 8)
  local representative, _, representative_item = take_node(r, tree, "opening.configuration.representative")
  local members, members_item = take(r, tree, "opening.configuration_members", 4)
  local quorum, quorum_item = take(r, tree, "opening.quorum", 4)
  local bytes, bytes_item = take(r, tree, "opening.record", 4)
  if quorum > MOST_HOSTS and quorum ~= AUTO then fault(r, quorum_item, "opening.quorum", "more hosts than a ring has") end
  if (quorum == 0) ~= (bytes == 0) then fault(r, bytes_item, "opening.record", "0 exactly without quorum") end
  local none = number == UInt64(0)
  if number:lower() % 2 ~= 0 then fault(r, number_item, "opening.configuration.number", "odd: not of a regular configuration") end
  if none ~= (representative == 0) then fault(r, representative_item, "opening.configuration.representative", "0 exactly without a configuration") end
  if none ~= (members == 0) then fault(r, members_item, "opening.configuration_members", "0 exactly without a configuration") end
  r.note(("opening of %d"):format(count))
  local last, listed = 0, 0
  for _ = 1, count do
    local id, member = opening_entry(r, tree, last, representative)
    last, listed = id, listed + (member and 1 or 0)
  end
  if listed > members then fault(r, members_item, "opening.configuration_members", "fewer than are listed") end
  local begin = r.at
  if quorum ~= 0 then voter(r, tree) end
  if quorum ~= 0 and r.at - begin ~= bytes then fault(r, bytes_item, "opening.record", ("%d, and there are %d"):format(bytes, r.at - begin)) end
end

local function record(r, tree)
  if rest(r) == 0 then stop(r, tree, "record.kind") end
  local read = ({message, change, opening, vote})[r.tvb(r.at, 1):le_uint()]
  if not read then stop(r, tree, "record.kind", "not from 1 to 4") end
  take(r, tree, "record.kind", 1)
  read(r, tree)
  if rest(r) > 0 then
    local _, item = take(r, tree, "trailing", rest(r))
    fault(r, item, "trailing", "bytes behind the record")
  end
end

-- Pieces. A message in fragments shows how its record begins.
local function piece(r, tree, from, note)
  if rest(r) == 0 then stop(r, tree, "piece") end
  local begin, node = r.at, branch(r, tree, "piece", 8)
  local length, length_item = take(r, node, "piece.length", 4)
  local flags, item, range = take(r, node, "piece.flags", 1)
  bits(r, item, range, "piece.flags", 3, "piece.fragment", "piece.last")
  if flags < 1 or flags > 3 then stop(r, item, "piece.flags", "neither a whole message nor a fragment") end
  take(r, node, "reserved", 3, zero)
  local fragment, text = flags ~= 2, "whole"
  local index = 0
  if fragment then
    local v, items = walk(r, node, {{"piece.message", 8}, {"piece.index", 4}, {"piece.total", 4}})
    index = v.index
    text = ("fragment %d of message %s of %d bytes%s"):format(index, v.message, v.total, flags == 3 and ", the last" or "")
    if length == 0 then fault(r, length_item, "piece.length", "a fragment of nothing") end
    if length > v.total then fault(r, items.total, "piece.total", "less than the fragment has")
    elseif index + length > v.total or (flags == 1 and index + length == v.total) then
      fault(r, items.index, "piece.index", "the message has no room for those before it or behind it")
    end
  end
  node:set_text(("piece: %d bytes, %s"):format(length, text))
  if length > rest(r) + r.lost then fault(r, length_item, "piece.length", ("%d, and %d bytes are left"):format(length, rest(r) + r.lost)) end
  local have = math.min(length, rest(r))
  local inside = {tvb = r.tvb, at = r.at, stop = r.at + have, lost = length - have, from = from, faults = {}, remark = no_record, note = note,
    partial = fragment}
  local bytes = node
  if have > 0 then _, bytes = take(r, node, "piece.bytes", have) end
  node:set_len(r.at - begin)
  if index == 0 then guarded(record, inside, bytes) end
  if have < length then stop(r, node, "piece.bytes", r.lost == 0 and "end early" or nil) end
  return length
end

local function pieces(r, tree, name, count, count_item, from)
  local notes, bytes = {}, 0
  local function note(text) if #notes < 3 then notes[#notes + 1] = text end end
  bounded(r, count_item, name, count, MOST_PIECES)
  for _ = 1, count do bytes = bytes + piece(r, tree, from, note) end
  return ("%d %s %d bytes%s"):format(count, count == 1 and "piece" or "pieces", bytes, #notes > 0 and " (" .. table.concat(notes, ", ") .. ")" or "")
end

-- Packets. Each takes what follows the common header `h`, and says itself through h.say, what is known first.
local function ring_header(r, tree, own)
  local v, items = walk(r, tree, {{"ring.representative", 4, host_id}})
  local mine, my_items = walk(r, tree, own)
  local ring, ring_items = walk(r, tree, {{"ring.sequence", 8, sequence}, {"ring.nonce", 8}})
  ring.representative, ring_items.representative = v.representative, items.representative
  return ring, ring_items, mine, my_items
end
local OWN_RESERVED = {{"reserved", 4, zero}}
local function ring_text(ring) return ("ring %s.%d"):format(ring.sequence, ring.representative) end

local packet  -- a recovered frame holds one

local function data(r, tree, h)
  local ring, ring_items, own, items = ring_header(r, tree, {{"data.service", 1, at_most(3)}, {"data.body", 1}, {"data.piece_count", 2}})
  local v, place = walk(r, tree, {{"data.seq", 8, not_zero}, {"data.previous", 8}, {"data.round", 8}})
  if v.seq <= v.previous then fault(r, place.previous, "data.previous", "not before seq") end
  local again = h.sealer and h.sealer ~= h.sender and (" again by " .. h.sealer) or ""
  h.say(("seq %s from %d%s %s %s"):format(v.seq, h.sender, again, ring_text(ring), SERVICES[own.service] or "?"))
  if own.body > 1 then stop(r, items.body, "data.body", "not from 0 to 1") end
  if h.outer then
    if own.body ~= 0 then stop(r, items.body, "data.body", "a recovered frame within one") end
    if ring.sequence >= h.outer then fault(r, ring_items.sequence, "ring.sequence", "not of a ring before") end
  end
  if own.body == 0 then return h.say(pieces(r, tree, "data.piece_count", own.piece_count, items.piece_count, h.sender)) end
  if own.piece_count ~= 0 then fault(r, items.piece_count, "data.piece_count", "of a recovered frame, and not 0") end
  h.say("recovered:")
  packet(r, branch(r, tree, "recovered", rest(r)), {outer = ring.sequence, say = h.say})
end

local function token(r, tree, h)
  local ring, _, own = ring_header(r, tree, {{"token.lowered_by", 4, host_or_none}})
  local v, items = walk(r, tree, {{"token.visit", 8}, {"token.high", 8}, {"token.received_by_all", 8}, {"token.spent", 4}, {"token.backlog", 4},
    {"token.wanted", 4}, {"token.stage", 1, at_most(4)}, {"reserved", 3, zero}, {"token.change", 8}, {"token.delivered_by_all", 8},
    {"token.stage_by", 4}, {"token.delayed_by", 4, host_or_none}, {"token.held_by", 4, host_or_none}, {"reserved", 4, zero}})
  for _, name in ipairs({"received_by_all", "change", "delivered_by_all"}) do not_above(r, v, items, "token.", name, "high") end
  local ends_at_somebody = v.stage == 2 or v.stage == 4
  if ends_at_somebody and host_id(v.stage_by) then fault(r, items.stage_by, "token.stage_by", host_id(v.stage_by))
  elseif not ends_at_somebody and v.stage_by ~= 0 then fault(r, items.stage_by, "token.stage_by", "a host, in a stage that ends at none") end
  h.say(("visit %s high %s all %s from %d to %s %s"):format(v.visit, v.high, v.received_by_all, h.sender, h.to, ring_text(ring)))
  if v.stage ~= 0 then h.say("stage " .. (STAGES[v.stage] or v.stage)) end
  if v.wanted ~= 0 then h.say(("wanted %d"):format(v.wanted)) end
  if v.held_by ~= 0 then h.say(("held by %d"):format(v.held_by)) end
  if own.lowered_by ~= 0 then h.say(("lowered by %d"):format(own.lowered_by)) end
  bounded(r, items.wanted, "token.wanted", v.wanted, MOST_WANTED)
  local before = UInt64(0)
  for _ = 1, v.wanted do
    local node = branch(r, tree, "wanted_range", 16)
    local range, of = walk(r, node, {{"token.wanted.first", 8, not_zero}, {"token.wanted.count", 4, not_zero}, {"reserved", 4, zero}})
    local more = UInt64(math.max(range.count, 1) - 1)
    if range.first > v.high or more > v.high - range.first then fault(r, of.count, "token.wanted.count", "beyond high")
    elseif range.first <= before then fault(r, of.first, "token.wanted.first", "ranges do not rise") end
    before = range.first + more
    node:set_text(("wanted: %s to %s"):format(range.first, before))
  end
end

local function join(r, tree, h)
  local v, items = walk(r, tree, {{"join.candidates", 2}, {"join.failed", 2}, {"join.superseded", 2}, {"reserved", 2, zero},
    {"join.ring_sequence", 8, at_most(MOST_SEQUENCE)}})
  h.say(("from %d"):format(h.sender))
  bounded(r, items.candidates, "join.candidates", v.candidates, MOST_HOSTS)
  bounded(r, items.failed, "join.failed", v.failed, MOST_HOSTS)
  bounded(r, items.superseded, "join.superseded", v.superseded, MOST_SUPERSEDED)
  local _, text = set_of_hosts(r, tree, "candidate", "join.candidates", v.candidates)
  h.say(("candidates %s sequence %s"):format(text, v.ring_sequence))
  _, text = set_of_hosts(r, tree, "failed_host", "join.failed", v.failed)
  if v.failed > 0 then h.say("failed " .. text) end
  local before
  for _ = 1, v.superseded do
    local nonce, item = take(r, tree, "join.superseded.nonce", 8)
    if before and nonce <= before then fault(r, item, "join.superseded.nonce", "nonces do not rise") end
    before = nonce
  end
  if h.flags % 2 == 1 then h.say("leaving") end
end

-- One entry of a commit; marks in `used` whom its bits name.
local ENTRY = "commit.entry."
local function commit_entry(r, tree, member, obliged, used)
  local words = math.floor((#obliged + 63) / 64)
  local node = branch(r, tree, "entry", 48 + 8 * words)
  local v, items = walk(r, node, {{ENTRY .. "old_ring.representative", 4}})
  local flags, item, range = take(r, node, ENTRY .. "flags", 1)
  bits(r, item, range, ENTRY .. "flags", 1, ENTRY .. "filled")
  take(r, node, "reserved", 3, zero)
  local ring, ring_items = walk(r, node, {{ENTRY .. "old_ring.sequence", 8}, {ENTRY .. "old_ring.nonce", 8}})
  local p, place = walk(r, node, {{ENTRY .. "received_up_to", 8}, {ENTRY .. "high", 8}, {ENTRY .. "delivered", 8}})
  local none = UInt64(0)
  local alone = v.representative == 0 and ring.sequence == none and ring.nonce == none
  local whence = flags == 0 and "not filled" or alone and "from no ring" or ("from ring %s.%d"):format(ring.sequence, v.representative)
  node:set_text(("entry of host %d: %s"):format(member.id, whence))
  if flags == 0 and not alone then fault(r, items.representative, ENTRY .. "old_ring.representative", "an entry that is not filled has a ring")
  elseif not alone then
    local why = host_id(v.representative)
    if why then fault(r, items.representative, ENTRY .. "old_ring.representative", why) end
    why = sequence(ring.sequence)
    if why then fault(r, ring_items.sequence, ENTRY .. "old_ring.sequence", why) end
  end
  if alone and p.high ~= none then fault(r, place.high, ENTRY .. "high", "frames of no ring") end
  not_above(r, p, place, ENTRY, "received_up_to", "high")
  not_above(r, p, place, ENTRY, "delivered", "high")
  local set = 0
  for word = 0, words - 1 do
    local value, bits_item, bits_range = take(r, node, ENTRY .. "bits", 8)
    for bit = 0, 63 do
      local half = bit < 32 and value:lower() or value:higher()
      if math.floor(half / 2 ^ (bit % 32)) % 2 == 1 then
        local host = obliged[64 * word + bit + 1]
        set = set + 1
        used[64 * word + bit + 1] = true
        if flags == 0 then fault(r, bits_item, ENTRY .. "bits", "an entry that is not filled is obliged")
        elseif not host then fault(r, bits_item, ENTRY .. "bits", ("bit %d, behind the last host"):format(64 * word + bit))
        else bits_item:add(fields[ENTRY .. "obliged"], bits_range, host.id):set_generated() end
      end
    end
    if set > MOST_HOSTS then fault(r, bits_item, ENTRY .. "bits", "more than 256 hosts") end
  end
end

local function commit(r, tree, h)
  local ring, ring_items, own, items = ring_header(r, tree, {{"commit.index", 4}})
  local v, counts = walk(r, tree, {{"commit.members", 2, not_zero}, {"commit.obliged", 2}, {"reserved", 4, zero}})
  h.say(("from %d %s index %d"):format(h.sender, ring_text(ring), own.index))
  bounded(r, counts.members, "commit.members", v.members, MOST_HOSTS)
  bounded(r, counts.obliged, "commit.obliged", v.obliged, MOST_OBLIGED)
  if own.index > 2 * v.members then fault(r, items.index, "commit.index", "beyond two laps") end
  local members, text = set_of_hosts(r, tree, "member", "commit.members", v.members)
  h.say("members " .. text)
  local named = false
  for _, member in ipairs(members) do named = named or (member.id == ring.representative and member.nonce == ring.nonce) end
  if not named then fault(r, ring_items.representative, "ring.representative", "no member") end
  local obliged, used = set_of_hosts(r, tree, "obliged_host", "commit.obliged", v.obliged), {}
  for _, member in ipairs(members) do commit_entry(r, tree, member, obliged, used) end
  for i, host in ipairs(obliged) do
    if not used[i] then fault(r, host.item, "commit.obliged.id", "no entry names it") end
  end
end

local function ring_only(r, tree, h)
  local ring = ring_header(r, tree, OWN_RESERVED)
  h.say(("from %d %s"):format(h.sender, ring_text(ring)))
end

local function frame(r, tree, h)
  local ring, _, own, items = ring_header(r, tree, {{"frame.service", 1, at_most(3)}, {"reserved", 1, zero}, {"frame.piece_count", 2, not_zero}})
  local v = walk(r, tree, {{"frame.acknowledged", 8}, {"frame.changes", 8}, {"frame.number", 8, not_zero}})
  h.say(("%s from %d %s %s"):format(v.number, h.sender, ring_text(ring), SERVICES[own.service] or "?"))
  h.say(pieces(r, tree, "frame.piece_count", own.piece_count, items.piece_count, h.sender))
end

local function acknowledgement(r, tree, h)
  local ring = ring_header(r, tree, OWN_RESERVED)
  h.say(("%s from %d %s"):format(take(r, tree, "acknowledgement.acknowledged", 8, not_zero), h.sender, ring_text(ring)))
end

local function state(r, tree, h)
  local ring = ring_header(r, tree, OWN_RESERVED)
  local v, items = walk(r, tree, {{"state.proposal", 8, at_most(MOST_SEQUENCE)}, {"state.delivered", 8}})
  if v.proposal <= ring.sequence then fault(r, items.proposal, "state.proposal", "not above ring.sequence") end
  h.say(("proposal %s delivered %s from %d %s"):format(v.proposal, v.delivered, h.sender, ring_text(ring)))
end

local READERS = {[1] = data, [2] = token, [3] = join, [4] = commit, [5] = ring_only, [6] = ring_only, [16] = frame, [17] = acknowledgement, [18] = state}
local FLAG = {[2] = "token.recovering", [3] = "join.leaving", [16] = "frame.change"}

-- `h`: how to say it, and what is around it: `sealer`, or `outer`, the ring of the frame that recovers it.
packet = function(r, tree, h)
  local begin, node = r.at, branch(r, tree, "header", 24)
  local magic, item = take(r, node, "magic", 4)
  if magic ~= "evs1" then stop(r, item, "magic", "no packet of evs") end
  local version, version_item = take(r, node, "version", 1)
  local kind, kind_item = take(r, node, "type", 1)
  local flags, flags_item, range = take(r, node, "flags", 2)
  local sender = take(r, node, "sender", 4, host_id)
  local length, length_item = take(r, node, "length", 4)
  node:set_text(("header: %s from host %d, %d bytes"):format(TYPES[kind] or "?", sender, length))
  h.say(TYPES[kind] or ("type %d"):format(kind))
  if version ~= 1 then stop(r, version_item, "version", ("%d, and 1 is known here"):format(version)) end
  if not READERS[kind] or (h.sealer and kind > 6) then stop(r, kind_item, "type", "no type of this medium") end
  if h.outer and kind ~= 1 then stop(r, kind_item, "type", "a recovered frame holds data alone") end
  bits(r, flags_item, range, "flags", FLAG[kind] and 1 or 0, FLAG[kind])
  local there = r.stop - begin + r.lost
  if length ~= there then fault(r, length_item, "length", ("%d, and there are %d bytes"):format(length, there))
  elseif length > MOST_PACKET then fault(r, length_item, "length", "more than a packet may have") end
  take(r, node, "nonce", 8)
  h.sender, h.flags = sender, flags
  READERS[kind](r, tree, h)
  if rest(r) > 0 then
    local _, rest_item = take(r, tree, "trailing", rest(r))
    fault(r, rest_item, "trailing", "bytes are left over")
  end
end

-- Whom a host hears.
local function hello(r, tree, h)
  local node = branch(r, tree, "hello", 12)
  take(r, node, "hello.magic", 4)
  local flags, item, range = take(r, node, "hello.flags", 2)
  bits(r, item, range, "hello.flags", 3, "hello.to_all", "hello.is_large")
  local v, items = walk(r, node, {{"hello.count", 2}, {"hello.large", 4}})
  local is_large, heard, before = flags % 4 >= 2, {}, 0
  h.say(("hello%s from %d%s, %d large"):format(is_large and " (large)" or "", h.sealer, flags % 2 == 1 and " to all" or "", v.large))
  bounded(r, items.count, "hello.count", v.count, MOST_HEARD)
  for i = 1, v.count do
    local word, word_item, bytes = take(r, tree, "hello.heard", 4)
    local id, ways = word % 1048576, math.floor(word / 1048576)
    for _, part in ipairs({"host", "to_all", "large"}) do word_item:add_le(fields["hello.heard." .. part], bytes) end
    if id <= before then fault(r, word_item, "hello.heard", id == 0 and "is 0" or "hosts do not rise") end
    if ways > 3 then fault(r, word_item, "hello.heard", "a flag that nobody knows") end
    heard[i], before = id .. (ways % 2 == 1 and "" or " (alone)") .. (ways % 4 >= 2 and "" or " (no large)"), id
  end
  h.say("hears " .. (v.count > 0 and table.concat(heard, ", ") or "nobody"))
  if is_large and rest(r) > 0 then take(r, tree, "hello.zeros", rest(r), zero) end
  if is_large and r.lost > 0 then stop(r, tree, "hello.zeros") end
  if rest(r) > 0 then
    local _, rest_item = take(r, tree, "trailing", rest(r))
    fault(r, rest_item, "trailing", "bytes are left over")
  end
end

-- Packets in parts. What came of a datagram is kept, for Wireshark reads it again, in any order.
local under_way, came_of = {}, {}
function proto.init() under_way, came_of = {}, {} end

-- The whole packet, with its last part; false, when the part follows on nothing.
local function join_parts(way, v, piece)
  local have = under_way[way]
  if v.index == 0 then have = {id = v.id, count = v.count, total = v.total, pieces = {}, bytes = 0} end
  under_way[way] = nil
  if not have or have.id ~= v.id or have.count ~= v.count or have.total ~= v.total or #have.pieces ~= v.index then return false end
  have.pieces[v.index + 1], have.bytes = piece, have.bytes + #piece
  if v.index + 1 < v.count then
    under_way[way] = have
    return nil
  end
  return have.bytes == v.total and table.concat(have.pieces)
end

local function part(r, tree, h)
  local node = branch(r, tree, "part", 16)
  local v, items = walk(r, node, {{"part.magic", 4}, {"part.id", 4}, {"part.index", 2}, {"part.count", 2, from_to(1, MOST_PARTS)},
    {"part.total", 4, at_most(MOST_PACKET)}})
  h.say(("part %d of %d of packet %d from %d"):format(v.index + 1, v.count, v.id, h.sealer))
  node:set_text(("part %d of %d, of a packet of %d bytes"):format(v.index + 1, v.count, v.total))
  if v.index >= v.count then stop(r, items.index, "part.index", "not below count") end
  if rest(r) == 0 then stop(r, tree, "part.piece") end
  local begin, lost = r.at, r.lost
  take(r, tree, "part.piece", rest(r))
  if lost > 0 then stop(r, tree, "part.piece") end
  if not h.visited then came_of[h.key] = join_parts(h.way, v, r.tvb(begin, r.at - begin):raw()) end
  local whole = came_of[h.key]
  if whole == false then tree:add_proto_expert_info(unjoined) end
  if not whole then return end
  local tvb = ByteArray.new(whole, true):tvb("packet in parts")
  h.say("ends it:")
  local read = whole:sub(1, 4) == "evsh" and hello or packet
  read({tvb = tvb, at = 0, stop = tvb:len(), lost = 0, faults = r.faults, remark = r.remark}, tree, h)
end

-- What stands around a packet on a datagram medium.
local ENVELOPE_BYTES, TAG_BYTES, SAME_BYTES = 40, 16, 32
local function envelope(r, tree, h)
  local node = branch(r, tree, "envelope", ENVELOPE_BYTES)
  take(r, node, "envelope.magic", 4)
  local version, item = take(r, node, "envelope.version", 1)
  if version ~= 1 then stop(r, item, "envelope.version", ("%d, and 1 is known here"):format(version)) end
  local v, items = walk(r, node, {{"envelope.form", 1}, {"envelope.key", 2}, {"envelope.host", 4, host_id}, {"reserved", 4, zero},
    {"envelope.birth", 8}, {"envelope.nonce", 8}, {"envelope.counter", 8, not_zero}})
  node:set_text(("envelope: %s, host %d, counter %s"):format(FORMS[v.form] or "?", v.host, v.counter))
  if v.form ~= 1 and v.form ~= 2 then stop(r, items.form, "envelope.form", "neither sealed nor in the clear") end
  if (v.form == 1) ~= (v.key ~= 0) then fault(r, items.key, "envelope.key", v.form == 1 and "is 0" or "in the clear, and not 0") end
  if v.form == 2 then
    h.sealer = v.host
    h.way = ("%d.%s to %s"):format(v.host, v.nonce:tohex(), h.to)  -- where a copy goes to each, each gets all parts
    local magic = rest(r) >= 4 and r.tvb(r.at, 4):raw()
    return (magic == "evsp" and part or magic == "evsh" and hello or packet)(r, tree, h)
  end
  h.say(("sealed from %d key %d counter %s"):format(v.host, v.key, v.counter))
  local secret = rest(r) + r.lost - TAG_BYTES
  if secret < 0 then stop(r, tree, "envelope.tag", "ends early") end
  h.say(("%d bytes"):format(secret))
  if math.min(secret, rest(r)) > 0 then take(r, tree, "envelope.packet", math.min(secret, rest(r))) end
  take(r, tree, "envelope.tag", TAG_BYTES)
end

-- Where the datagram that begins at `at` ends: before one of the same life, if the capture was made before they were taken apart.
local function end_of(raw, at)
  local same = raw:sub(at + 1, at + SAME_BYTES)
  if #same < SAME_BYTES then return #raw end
  if raw:byte(at + 6) ~= 2 or raw:sub(at + ENVELOPE_BYTES + 1, at + ENVELOPE_BYTES + 4) ~= "evs1" then
    return (raw:find(same, at + SAME_BYTES + 1, true) or #raw + 1) - 1
  end
  local b1, b2, b3, b4 = raw:byte(at + ENVELOPE_BYTES + 13, at + ENVELOPE_BYTES + 16)
  if not b4 then return #raw end
  local behind = at + ENVELOPE_BYTES + b1 + 256 * b2 + 65536 * b3 + 16777216 * b4
  return raw:sub(behind + 1, behind + SAME_BYTES) == same and behind or #raw
end

local function one(tvb, from, to, pinfo, root, read)
  local tree = root:add(proto, tvb(from, to - from))
  local words = {}
  local r = {tvb = tvb, at = from, stop = to, lost = to == tvb:len() and tvb:reported_len() - to or 0, faults = {}, remark = malformed}
  guarded(read, r, tree, {to = tostring(pinfo.dst), key = pinfo.number .. "." .. from, visited = pinfo.visited,
    say = function(word) words[#words + 1] = word end})
  if #r.faults > 0 then words[#words + 1] = "[malformed: " .. r.faults[1] .. "]" end
  local text = table.concat(words, " ")
  tree:append_text(": " .. text)
  return tree, text
end

-- Answers 0 for what is none of ours, and Wireshark asks others.
function proto.dissector(tvb, pinfo, root)
  if tvb:len() < 4 then return 0 end
  local magic = tvb(0, 4):raw()
  if magic ~= "evss" and magic ~= "evs1" then return 0 end
  pinfo.cols.protocol = "evs"
  if magic == "evs1" then
    local tree, text = one(tvb, 0, tvb:len(), pinfo, root, packet)
    tree:add_proto_expert_info(bare)
    pinfo.cols.info = text
    return tvb:len()
  end
  local raw, at, texts, first = tvb():raw(), 0, {}, nil
  while at < #raw do
    local to = end_of(raw, at)
    local tree, text = one(tvb, at, to, pinfo, root, envelope)
    first, at = first or tree, to
    texts[#texts + 1] = text
  end
  if #texts > 1 then first:add_proto_expert_info(offloaded, ("%d datagrams in one: captured before segmentation offload took them apart"):format(#texts)) end
  pinfo.cols.info = table.concat(texts, " | ")
  return tvb:len()
end

-- Who finds it: the port, and on other ports the magic.
local ports, registered = DissectorTable.get("udp.port"), nil
proto.prefs.ports = Pref.range("UDP ports", "5410", "Ports of the udp transport; on others packets are found by their first bytes", 65535)
local function register()
  if registered == proto.prefs.ports then return end
  if registered and registered ~= "" then ports:remove(registered, proto) end
  registered = proto.prefs.ports
  if registered ~= "" then ports:add(registered, proto) end
end
register()
proto.prefs_changed = register
proto:register_heuristic("udp", function(tvb, pinfo, root) return proto.dissector(tvb, pinfo, root) > 0 end)  -- its name: evsbus_udp
