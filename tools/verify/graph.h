// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/graph.h - a directed graph, its knots, and a short way around in one.
//
// Tarjan's strongly connected components with a stack of its own: a run of a million events is a path of a million
// nodes, and no thread's stack holds such a recursion.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/verify/findings.h"

namespace evs::verify {

// `before` happened before `after`; the nodes are what the two were merged into.
struct Edge {
  uint32_t from = 0, to = 0;
  Place before, after;
};

class Graph {
 public:
  Graph(uint32_t nodes, std::vector<Edge> edges);

  // The components of more than one node, and single nodes with an edge to themselves.
  std::vector<std::vector<uint32_t>> knots() const;

  // A cycle within a knot: the shortest through one of its first nodes.
  std::vector<Edge> cycle_in(const std::vector<uint32_t>& knot) const;

 private:
  std::vector<Edge> shortest_cycle(uint32_t node, const std::vector<uint32_t>& knot) const;

  std::vector<Edge> edges_;      // sorted by `from`
  std::vector<uint32_t> first_;  // of a node, its first edge; one more at the end
};

}  // namespace evs::verify
