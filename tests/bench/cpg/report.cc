// SPDX-License-Identifier: BSD-3-Clause
// tests/bench/cpg/report.cc - see report.h.
#include "tests/bench/cpg/report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace evs::bench {

namespace {

// What is wanted of evs (docs/performance.md).
constexpr double kRate = 10, kSafeRate = 0.8, kGateway = 0.5, kGuest = 0.8, kSafe = 2.5, kIdle = 2;

double load_average() {
  double one = 0;
  return getloadavg(&one, 1) == 1 ? one : 0;
}

const LatencyRow* find(const std::vector<LatencyRow>& rows, const std::string& who, int gap_us) {
  for (const LatencyRow& row : rows)
    if (row.who == who && row.gap_us == gap_us) return &row;
  return nullptr;
}

// Nothing where nothing was measured.
std::string shown(const Values& values, int digits) {
  char text[32] = "-";
  if (!values.empty()) snprintf(text, sizeof text, "%.*f", digits, median(values));
  return text;
}

void wanted(const char* what, double value, double bound) { printf("    %-62s %5.2f, wanted <= %.1f: %s\n", what, value, bound, value <= bound ? "within" : "outside"); }

void judge(const std::vector<LatencyRow>& rows) {
  const auto p50 = [&](const char* who, int gap_us) { return median(find(rows, who, gap_us)->p50); };
  const int gap_us = rows.back().gap_us;
  double cpg = 0;
  for (const char* who : {"CPG udp, sched_rr no", "CPG udp, sched_rr yes"})
    if (find(rows, who, 0) != nullptr) cpg = cpg == 0 ? p50(who, 0) : std::min(cpg, p50(who, 0));
  const double gateway = p50("evs AGREED, by the gateway", 0), guest = p50("evs AGREED, by a guest of the gateway", 0);
  if (cpg != 0) wanted("AGREED by the gateway by CPG udp, the better", gateway / cpg, kGateway);
  if (cpg != 0) wanted("AGREED by a guest by CPG udp, the better", guest / cpg, kGuest);
  wanted("SAFE by AGREED, by the gateway", p50("evs SAFE, by the gateway", 0) / gateway, kSafe);
  wanted("SAFE by AGREED, by a guest", p50("evs SAFE, by a guest of the gateway", 0) / guest, kSafe);
  wanted("AGREED by the gateway, after 50 ms of quiet by busy", p50("evs AGREED, by the gateway", gap_us) / gateway, kIdle);
  wanted("AGREED by a guest, after 50 ms of quiet by busy", p50("evs AGREED, by a guest of the gateway", gap_us) / guest, kIdle);
}

}  // namespace

Report::Report(const Plan& plan, const std::string& corosync_version, const std::vector<std::string>& evs_parameters) {
  const unsigned processors = std::thread::hardware_concurrency();
  printf("three hosts (network namespaces, MTU 1500) on %u processors, load average %.2f; %d ms a measurement, %zu alternation%s\n", processors, load_average(), plan.ms,
         plan.alternations, plan.alternations == 1 ? "" : "s");
  if (plan.corosync)
    printf("%s: token and windows as shipped; rates over knet; sealed: crypto_cipher aes256, crypto_hash sha256, crypto_model as shipped\n", corosync_version.c_str());
  else printf("Corosync is not here (tests/bench/cpg/fetch, then build the target evs-cpg-load): evs alone\n");
  printf("evs: local.ring_size=16MiB, otherwise as shipped; sealed: AES-256-GCM");
  for (const std::string& parameter : evs_parameters) printf(", %s", parameter.c_str());
  printf("\n");
  all_ = {{"processors", processors}, {"load_average", load_average()}, {"ms", plan.ms}, {"alternations", plan.alternations}, {"corosync", plan.corosync ? corosync_version : ""},
          {"evs_parameters", evs_parameters}, {"rates", nlohmann::json::array()}, {"latencies", nlohmann::json::array()}};
}

void Report::begin_rates(bool sealed) const {
  printf("\n%s: messages a second at each receiver; wanted >= %.0f x the better CPG, SAFE >= %.1f x AGREED\n", sealed ? "sealed" : "in the clear", kRate, kSafeRate);
  printf("%8s %8s  %12s %12s  %12s %8s  %8s %15s  %12s %8s %6s\n", "bytes", "senders", "CPG rr no", "CPG rr yes", "evs AGREED", "MB/s", "by CPG", "", "evs SAFE", "by AGREED",
         "load");
  fflush(stdout);
}

void Report::add(const RateRow& row) {
  const double agreed = median(row.agreed), safe = median(row.safe), load = load_average();
  char range[32] = "";
  if (row.by_cpg.size() > 1)
    snprintf(range, sizeof range, "(%.2f-%.2f)", *std::min_element(row.by_cpg.begin(), row.by_cpg.end()), *std::max_element(row.by_cpg.begin(), row.by_cpg.end()));
  printf("%8zu %8zu  %12s %12s  %12.0f %8.1f  %8s %15s  %12.0f %8.2f %6.1f\n", row.traffic.bytes, row.traffic.senders, shown(row.cpg_normal, 0).c_str(),
         shown(row.cpg_realtime, 0).c_str(), agreed, agreed * static_cast<double>(row.traffic.bytes) / 1e6, shown(row.by_cpg, 2).c_str(), range, safe, safe / agreed, load);
  fflush(stdout);
  all_["rates"].push_back({{"bytes", row.traffic.bytes}, {"senders", row.traffic.senders}, {"sealed", row.traffic.sealed}, {"cpg_sched_rr_no", row.cpg_normal},
                           {"cpg_sched_rr_yes", row.cpg_realtime}, {"evs_agreed", row.agreed}, {"evs_safe", row.safe}, {"by_cpg", row.by_cpg}, {"load_average", load}});
}

void Report::add(const std::vector<LatencyRow>& rows, bool sealed) {
  printf("\n%s: 64 B, one in flight, from the send on one host to the delivery on another, us\n", sealed ? "sealed" : "in the clear");
  for (const LatencyRow& row : rows) {
    printf("  %-42s %-22s p50 %8.1f  p99 %8.1f\n", row.who.c_str(), row.gap_us == 0 ? "one after the other" : "after 50 ms of quiet", median(row.p50), median(row.p99));
    all_["latencies"].push_back({{"who", row.who}, {"sealed", sealed}, {"gap_us", row.gap_us}, {"p50_us", row.p50}, {"p99_us", row.p99}});
  }
  judge(rows);
  fflush(stdout);
}

bool Report::write_json(const std::string& path) const {
  std::ofstream out(path);
  out << all_.dump(1) << "\n";
  out.close();
  return !out.fail();
}

}  // namespace evs::bench
