// SPDX-License-Identifier: BSD-3-Clause
// tools/verify/graph.cc - see graph.h.
#include "tools/verify/graph.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace evs::verify {

namespace {

constexpr uint32_t kUnseen = 0;

// Tarjan: `low` of a node is the lowest number that it reaches on the stack of open nodes.
struct Search {
  struct Visit {
    uint32_t node;
    uint32_t edge;
  };
  std::vector<uint32_t> number, low;
  std::vector<bool> open;
  std::vector<uint32_t> open_nodes;
  std::vector<Visit> visits;
  uint32_t next = kUnseen + 1;

  explicit Search(size_t nodes) : number(nodes, kUnseen), low(nodes), open(nodes) {}

  void enter(uint32_t node, uint32_t first_edge) {
    number[node] = low[node] = next++;
    open[node] = true;
    open_nodes.push_back(node);
    visits.push_back({node, first_edge});
  }
};

}  // namespace

Graph::Graph(uint32_t nodes, std::vector<Edge> edges) : first_(nodes + 1, 0) {
  for (const Edge& edge : edges) ++first_[edge.from + 1];
  for (uint32_t node = 0; node < nodes; ++node) first_[node + 1] += first_[node];
  edges_.resize(edges.size());
  std::vector<uint32_t> free(first_.begin(), first_.end() - 1);
  for (const Edge& edge : edges) edges_[free[edge.from]++] = edge;
}

std::vector<std::vector<uint32_t>> Graph::knots() const {
  std::vector<std::vector<uint32_t>> found;
  const uint32_t nodes = static_cast<uint32_t>(first_.size() - 1);
  Search search(nodes);
  for (uint32_t root = 0; root < nodes; ++root) {
    if (search.number[root] != kUnseen) continue;
    search.enter(root, first_[root]);
    while (!search.visits.empty()) {
      Search::Visit& visit = search.visits.back();
      const uint32_t node = visit.node;
      if (visit.edge < first_[node + 1]) {
        const uint32_t to = edges_[visit.edge++].to;
        if (search.number[to] == kUnseen)
          search.enter(to, first_[to]);  // `visit` is no longer valid
        else if (search.open[to])
          search.low[node] = std::min(search.low[node], search.number[to]);
        continue;
      }
      search.visits.pop_back();
      if (!search.visits.empty()) {
        const uint32_t parent = search.visits.back().node;
        search.low[parent] = std::min(search.low[parent], search.low[node]);
      }
      if (search.low[node] != search.number[node]) continue;
      std::vector<uint32_t> component;
      uint32_t member = 0;
      do {
        member = search.open_nodes.back();
        search.open_nodes.pop_back();
        search.open[member] = false;
        component.push_back(member);
      } while (member != node);
      const auto begin = edges_.begin() + first_[node], end = edges_.begin() + first_[node + 1];
      if (component.size() > 1 || std::any_of(begin, end, [&](const Edge& e) { return e.to == node; }))
        found.push_back(std::move(component));
    }
  }
  return found;
}

std::vector<Edge> Graph::cycle_in(const std::vector<uint32_t>& knot) const {
  constexpr size_t kTried = 16;  // each costs a search through the knot
  std::vector<uint32_t> sorted = knot;
  std::sort(sorted.begin(), sorted.end());
  std::vector<Edge> best;
  for (size_t i = 0; i < std::min(kTried, sorted.size()); ++i) {
    std::vector<Edge> cycle = shortest_cycle(sorted[i], sorted);
    if (best.empty() || cycle.size() < best.size()) best = std::move(cycle);
  }
  return best;
}

// Breadth first; `sorted` is the knot, in which every node lies on a cycle.
std::vector<Edge> Graph::shortest_cycle(uint32_t start, const std::vector<uint32_t>& sorted) const {
  std::unordered_map<uint32_t, uint32_t> reached_by;  // node -> edge
  std::vector<uint32_t> queue = {start};
  for (size_t head = 0; head < queue.size() && !reached_by.contains(start); ++head) {
    const uint32_t node = queue[head];
    for (uint32_t e = first_[node]; e < first_[node + 1]; ++e) {
      const uint32_t to = edges_[e].to;
      if (!std::binary_search(sorted.begin(), sorted.end(), to)) continue;
      if (reached_by.emplace(to, e).second) queue.push_back(to);
    }
  }
  std::vector<Edge> cycle;
  uint32_t node = start;
  do {
    const Edge& edge = edges_[reached_by.at(node)];
    cycle.push_back(edge);
    node = edge.from;
  } while (node != start);
  std::reverse(cycle.begin(), cycle.end());
  return cycle;
}

}  // namespace evs::verify
