# SPDX-License-Identifier: BSD-3-Clause
"""Writes evs.json, the dashboard: its panels stand here as one line each, and what Grafana wants around them is made.

  dashboard.py [FILE]        writes FILE, or evs.json beside this file; a test looks whether that is what this makes

What is looked at is chosen by job, bus, host and instance. A host is what stands before the port of an instance: its exporter and its applications.
"""
import json
import pathlib
import sys

CHOSEN = 'job=~"$job",bus=~"$bus",instance=~"$host(:[0-9]+)?",instance=~"$instance"'
TARGET = 'job=~"$job",instance=~"$host(:[0-9]+)?",instance=~"$instance"'
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 8, 7  # three beside each other


def rate(name, labels=""):
    return f"rate({name}{{{CHOSEN}{',' if labels else ''}{labels}}}[$__rate_interval])"


def total(by, expression):
    return f"sum by (instance, bus{''.join(', ' + label for label in by)}) ({expression})"


def now(name, labels=""):
    return f"{name}{{{CHOSEN}{',' if labels else ''}{labels}}}"


def quantile(share, name, by=(), labels=""):
    return f"histogram_quantile({share}, sum by (instance, bus, le{''.join(', ' + label for label in by)}) ({rate(name + '_bucket', labels)}))"


ORDER = 'ring="order"'
AT = "{{instance}} {{bus}}"
# (title, description, unit, [(expression, legend)], further: kind "timeseries", "stat" or "heatmap"; steps [(from, colour)]).
ROWS = {
    "Overview": [
        ("Buses", "Buses of the chosen hosts on which a process is and runs.", "short", [(f"sum({now('evs_up')})", "")], {"kind": "stat"}),
        ("Targets that answer", "Of what Prometheus scrapes: the share that answered the last time.", "percentunit", [(f"avg(up{{{TARGET}}})", "")],
         {"kind": "stat", "steps": [(None, "red"), (1, "green")]}),
        ("Alerts", "Alerts of evs that fire, by severity. docs/operations.md says what each means and what helps.", "short",
         [('count by (severity) (ALERTS{alertname=~"Evs.*",alertstate="firing",job=~"$job"}) or on () vector(0)', "{{severity}}")], {"kind": "stat", "steps": [(None, "green"), (1, "red")]}),
        ("Messages", "Messages that were given their place in the order, by guarantee; on a bus that spans hosts those of all hosts, as each host has them.", "ops",
         [(total(["guarantee"], rate("evs_ring_messages_total", ORDER)), AT + " {{guarantee}}")], {}),
        ("Delivered", "Messages that applications were called back with: once a handle.", "ops",
         [(total(["guarantee"], rate("evs_delivered_messages_total")), AT + " {{guarantee}}")], {}),
        ("Bytes delivered", "Payload of the messages that applications were called back with.", "Bps", [(total([], rate("evs_delivered_bytes_total")), AT)], {}),
        ("Sends that found no room", "Sends that were answered with CS_ERR_TRY_AGAIN, by reason. full: a reader is slow, or senders are faster than the ring.", "ops",
         [(total(["reason"], rate("evs_try_again_total")), AT + " {{reason}}")], {}),
        ("How full the rings are", "What somebody has still to read, of the size of the ring: order, and on a bus that spans hosts outbox, what goes to the gateway.", "percentunit",
         [(f"{now('evs_ring_used_bytes')} / {now('evs_ring_capacity_bytes')}", AT + " {{ring}}")], {"top": 1}),
        ("Service threads", "How long ago the service thread ran that has not run for the longest time. Some 0.3 s where all is well.", "s", [(now("evs_heartbeat_age_seconds"), AT)], {}),
    ],
    "Latency": [
        ("From sender to reader, 99th", "From when a sender had its place in the ring until a handle took the message. order: from the ring of the host to its readers; outbox: to the gateway.", "s",
         [(quantile(0.99, "evs_ring_delivery_seconds", ["ring", "guarantee"]), AT + " {{ring}} {{guarantee}}")], {"log": True}),
        ("From sender to reader, half", "The same, of half of the messages.", "s", [(quantile(0.5, "evs_ring_delivery_seconds", ["ring", "guarantee"]), AT + " {{ring}} {{guarantee}}")], {"log": True}),
        ("From sender to reader, all", "The same: how many messages took how long.", "s",
         [(f"sum by (le) ({rate('evs_ring_delivery_seconds_bucket', ORDER)})", "{{le}}")], {"kind": "heatmap"}),
        ("Through the ring of hosts, 99th", "From when the gateway took a message of its host until it had its place in the order of all hosts, by guarantee.", "s",
         [(quantile(0.99, "evs_ordering_seconds", ["guarantee"]), AT + " {{guarantee}}")], {"log": True}),
        ("Wake-ups, 99th", "From when somebody rang for a handle that slept until it took what it was rung for.", "s", [(quantile(0.99, "evs_wake_up_seconds"), AT)], {"log": True}),
        ("Deliver callbacks, 99th", "How long the applications' deliver callbacks took: time of their own, in which they read nothing.", "s",
         [(quantile(0.99, "evs_dispatch_callback_seconds"), AT)], {"log": True}),
    ],
    "Ring and order": [
        ("State of the host on the ring", "The state of each host: operational, or one of those of a change.", "short",
         [(now("evs_uplink_state") + " == 1", AT + " {{state}}")], {"top": 1}),
        ("Rotations of the token", "How often the token came to the host.", "ops", [(rate("evs_token_rotations_total"), AT)], {}),
        ("Rotation of the token, 99th", "How long the token took from visit to visit. On an idle ring it rests, and that counts.", "s", [(quantile(0.99, "evs_token_rotation_seconds"), AT)], {"log": True}),
        ("Token: age", "How long ago the token was here. A host that is alone has none.", "s", [(now("evs_token_age_seconds"), AT)], {}),
        ("Token: losses", "Times that no sign of the token came for uplink.token_timeout.", "short", [(f"increase(evs_token_losses_total{{{CHOSEN}}}[$__rate_interval])", AT)], {}),
        ("Frames asked for again", "Frames that were missing at the host, each time that it asked for them, and those that it sent again for others.", "ops",
         [(rate("evs_retransmit_requests_total"), AT + " asked"), (rate("evs_retransmits_sent_total"), AT + " sent")], {}),
        ("Waiting for stability", "Frames between what was sent and what every host has: SAFE waits for these.", "short", [(now("evs_stable_lag_frames"), AT)], {}),
        ("Held up", "1 while all hosts wait for one: for its readers, or because it lacks frames.", "short", [(now("evs_held_up"), AT + " {{reason}}")], {"top": 1}),
        ("Order: how far", "Frames of the ring that were sent, that are here without a gap, that every host has. A new ring begins anew.", "short",
         [(now("evs_sequence_number"), AT + " {{kind}}")], {}),
        ("Backlog of the gateway", "Messages that the gateway has taken and that have no place in the order yet.", "short", [(now("evs_backlog_messages"), AT)], {}),
        ("Packets", "Packets of other hosts that were taken, and packets that were given to the medium.", "pps",
         [(rate("evs_opened_packets_total"), AT + " taken"), (rate("evs_sent_packets_total"), AT + " sent")], {}),
        ("Lost by the host itself", "Packets that did not leave the host, or were lost in it, by reason.", "pps", [(rate("evs_lost_packets_total"), AT + " {{reason}}")], {}),
    ],
    "Membership": [
        ("Hosts on the ring", "Hosts on each host's ring of hosts. Where these differ, the network has parted.", "short", [(now("evs_uplink_hosts"), AT)], {}),
        ("Processes of all hosts", "Processes in the configuration, on all hosts of the ring.", "short", [(now("evs_uplink_processes"), AT)], {}),
        ("Processes of the host", "By state. expelled, hung and stopped are on the bus and do not read.", "short", [(now("evs_processes"), AT + " {{state}}")], {}),
        ("Changes", "Changes of the members of the host's ring in shared memory, and rings of hosts that were formed.", "short",
         [(f"increase(evs_memberships_total{{{CHOSEN}}}[$__rate_interval])", AT + " processes"), (f"increase(evs_rings_formed_total{{{CHOSEN}}}[$__rate_interval])", AT + " rings")], {}),
        ("Why hosts looked for a ring", "How often each host began to look for a ring, by cause.", "short", [(f"increase(evs_ring_reformations_total{{{CHOSEN}}}[$__rate_interval])", AT + " {{reason}}")], {}),
        ("Without a ring, 99th", "How long a change of the ring of hosts took. Nothing is ordered meanwhile.", "s", [(quantile(0.99, "evs_ring_change_seconds"), AT)], {}),
        ("Primary", "1: the hosts of the ring may act for all. Of buses with a quorum.", "short", [(now("evs_quorate"), AT)], {"top": 1}),
        ("Epoch", "Number of the primary ring; 0: this one is not primary.", "short", [(now("evs_primary_epoch"), AT)], {}),
        ("Gateways", "1: the gateway of the host works and tells of itself.", "short", [(now("evs_gateway_up"), AT)], {"top": 1}),
    ],
    "Shared memory": [
        ("Records appended", "Records that processes of the host appended, memberships included.", "ops", [(rate("evs_ring_appended_records_total"), AT + " {{ring}}")], {}),
        ("Bytes appended", "Payload of the records that processes of the host appended.", "Bps", [(rate("evs_ring_appended_bytes_total"), AT + " {{ring}}")], {}),
        ("Slowest reader", "How far the slowest reading handle is behind.", "bytes", [(now("evs_reader_lag_bytes"), AT + " {{ring}}")], {}),
        ("Handles", "Handles that read and keep room in the ring, and those that are in no group.", "short", [(now("evs_handles"), AT + " {{state}}")], {}),
        ("Wake-ups", "How often somebody was rung for: a reader that keeps up sleeps between messages.", "ops", [(rate("evs_ring_wakeups_total"), AT + " {{ring}}")], {}),
        ("Deaths and expulsions", "Processes whose death was proved, processes that were expelled, and processes that came back after that.", "short",
         [(f"increase({name}{{{CHOSEN}}}[$__rate_interval])", AT + " {{ring}} " + word) for name, word in
          (("evs_members_proved_dead_total", "died"), ("evs_members_expelled_total", "expelled"), ("evs_rejoins_total", "came back"))], {}),
    ],
    "Security": [
        ("Refused for their key", "Packets that say that somebody has another key, or none, or is no host of ours.", "pps", [(rate("evs_auth_failures_total"), AT)], {}),
        ("Refused, by reason", "Packets that were not taken: of another bus or version, without a seal or with a wrong one, replayed.", "pps",
         [(total(["reason"], rate("evs_dropped_packets_total")), AT + " {{reason}}")], {}),
        ("Ignored, by reason", "Packets that were opened and that the ring could do nothing with. duplicate_host and malformed are faults; the rest comes with each change of the ring.", "pps",
         [(total(["reason"], rate("evs_ignored_packets_total")), AT + " {{reason}}")], {}),
        ("Files that cannot be read", "Files of buses that the exporter may not read, or does not believe.", "short", [(f"sum by (instance, reason) (evs_exporter_unreadable_files{{{TARGET}}})", "{{instance}} {{reason}}")], {}),
    ],
}


def target(number, expression, legend, kind):
    return {"datasource": SOURCE, "editorMode": "code", "expr": expression, "legendFormat": legend, "range": kind != "stat", "instant": kind == "stat",
            "format": "heatmap" if kind == "heatmap" else "time_series", "refId": chr(ord("A") + number)}


def panel(number, place, title, description, unit, queries, more):
    kind = more.get("kind", "timeseries")
    steps = [{"color": colour, "value": value} for value, colour in more.get("steps", [(None, "green")])]
    defaults = {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if kind == "timeseries":
        defaults |= {"color": {"mode": "palette-classic"}, "custom": {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "spanNulls": False,
                     "scaleDistribution": {"type": "log", "log": 10} if more.get("log") else {"type": "linear"}}}
        if not more.get("log"):
            defaults["min"] = 0
        if "top" in more:
            defaults["max"] = more["top"]
        options = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}, "tooltip": {"mode": "multi", "sort": "desc"}}
    elif kind == "stat":
        defaults["color"] = {"mode": "thresholds"}
        options = {"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
                   "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    else:
        options = {"calculate": False, "yAxis": {"unit": unit, "axisPlacement": "left"}, "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
                   "cellGap": 1, "tooltip": {"show": True, "yHistogram": False}, "legend": {"show": True}}
    return {"id": number, "type": kind, "title": title, "description": description, "datasource": SOURCE, "gridPos": place,
            "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options, "targets": [target(i, *query, kind) for i, query in enumerate(queries)]}


def variable(name, label, query, regex=""):
    return {"name": name, "label": label, "type": "query", "datasource": SOURCE, "definition": query, "query": {"query": query, "refId": name}, "regex": regex, "refresh": 2, "sort": 1,
            "multi": True, "includeAll": True, "allValue": ".+", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}, "hide": 0, "options": [], "skipUrlSync": False}


def panels():
    number, at = 0, 0
    for row, content in ROWS.items():
        number += 1
        yield {"id": number, "type": "row", "title": row, "collapsed": False, "gridPos": {"h": 1, "w": 24, "x": 0, "y": at}, "panels": []}
        at += 1
        for i, one in enumerate(content):
            number += 1
            yield panel(number, {"h": HEIGHT, "w": WIDTH, "x": i % 3 * WIDTH, "y": at + i // 3 * HEIGHT}, *one)
        at += (len(content) + 2) // 3 * HEIGHT


def dashboard():
    change = {"name": "Rings of hosts", "datasource": SOURCE, "enable": True, "hide": False, "iconColor": "orange", "titleFormat": "a ring of hosts", "textFormat": "{{instance}} {{bus}}",
              "expr": f"changes(evs_rings_formed_total{{{CHOSEN}}}[$__interval]) > 0", "step": "15s", "useValueForTime": False}
    return {
        "uid": "evs-overview", "title": "evs", "description": "Buses of evs: evs-metrics(7) says what each number is, docs/operations.md what to do.", "tags": ["evs"], "schemaVersion": 39, "version": 1,
        "editable": False, "graphTooltip": 1, "timezone": "browser", "refresh": "10s", "time": {"from": "now-1h", "to": "now"}, "timepicker": {}, "fiscalYearStartMonth": 0, "liveNow": False,
        "style": "dark", "weekStart": "", "links": [], "annotations": {"list": [change]},
        "templating": {"list": [
            {"name": "datasource", "label": "Data Source", "type": "datasource", "query": "prometheus", "regex": "", "refresh": 1, "hide": 0, "multi": False, "includeAll": False,
             "current": {}, "options": [], "skipUrlSync": False},
            variable("job", "Job", "label_values(evs_exporter_info, job)"),
            variable("bus", "Bus", 'label_values(evs_up{job=~"$job"}, bus)'),
            variable("host", "Host", 'label_values(evs_exporter_info{job=~"$job"}, instance)', "/^(.*?)(?::[0-9]+)?$/"),
            variable("instance", "Instance", 'label_values(evs_exporter_info{job=~"$job",instance=~"$host(:[0-9]+)?"}, instance)'),
        ]},
        "panels": list(panels()),
    }


if __name__ == "__main__":
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).with_name("evs.json")
    path.write_text(json.dumps(dashboard(), indent=2) + "\n")
