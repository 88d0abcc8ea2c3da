// SPDX-License-Identifier: BSD-3-Clause
// tools/top/layout_help.h - what the key ? shows. evs-top(1) says the same.
#pragma once

namespace evs::top {

inline constexpr const char* kHelp[] = {
    "",
    "1 to 7, Tab   views: processes, handles, groups, ring, memberships, latency, plugins",
    "s, r          sort by the next column; the other way round",
    "/             filter: only rows with these words in them. Esc: all again",
    "t             rates, or totals since each process began",
    "p, space      pause, and go on; . takes one more look and stays",
    "+, -          look less often, more often",
    "arrows        up and down: scroll, as Page Up and Down, Home and End do",
    "q             quit",
    "",
    "ALIVE   how long ago the service thread of a process ran; 2 s and more: it is hung",
    "BEHIND  what the slowest handle of a process has still to read",
    "TAKEN   records that its handles took, memberships included",
    "",
    "evs-top only reads: it joins nothing, locks nothing and writes nothing.",
};

}  // namespace evs::top
