// SPDX-License-Identifier: BSD-3-Clause
// tools/top/url_source.cc - an exporter elsewhere: one GET a frame, by libcurl, which prometheus-cpp-dev brings, and which knows proxies, TLS and passwords.
#include <curl/curl.h>

#include <functional>
#include <stdexcept>
#include <utility>

#include "tools/evs/clock.h"
#include "tools/evs/text.h"
#include "tools/top/exposition.h"
#include "tools/top/source.h"

namespace evs::top {
namespace {

struct Answer {
  std::string text;
  bool too_long = false;
};

size_t take(char* data, size_t size, size_t count, void* to) {
  auto& answer = *static_cast<Answer*>(to);
  const size_t bytes = size * count;
  if (answer.text.size() + bytes > kMostTextBytes) {
    answer.too_long = true;
    return 0;
  }
  answer.text.append(data, bytes);
  return bytes;
}

int stop_waiting(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return (*static_cast<std::function<bool()>*>(self))() ? 1 : 0; }

class Url : public Source {
 public:
  Url(const std::string& url, const std::string& bus, std::function<bool()> wanted_elsewhere) : url_(url), bus_(bus), wanted_elsewhere_(std::move(wanted_elsewhere)), curl_(curl_easy_init()) {
    if (curl_ == nullptr) throw std::runtime_error("libcurl cannot begin");
    curl_easy_setopt(curl_, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, kAnswerMs);
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_ACCEPT_ENCODING, "");  // whatever it can
    curl_easy_setopt(curl_, CURLOPT_USERAGENT, "evs-top/" EVS_TOOL_VERSION);
    curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, stop_waiting);
    curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &wanted_elsewhere_);
  }
  ~Url() override { curl_easy_cleanup(curl_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  Got next(Frame& out, std::string& failure) override {
    out = Frame{};
    out.unix_ns = tools::unix_ns();
    out.monotonic_ns = tools::monotonic_ns();
    out.source = url_;
    Answer answer;
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer);
    error_[0] = '\0';
    const CURLcode code = curl_easy_perform(curl_);
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_ABORTED_BY_CALLBACK) return refuse(failure, "it has not answered yet");
    if (answer.too_long) return refuse(failure, "it answers more than " + tools::show_bytes(kMostTextBytes));
    if (code != CURLE_OK) return refuse(failure, error_[0] != '\0' ? error_ : curl_easy_strerror(code));
    if (status != 200) return refuse(failure, "it answers " + std::to_string(status));
    Families families;
    if (!parse_exposition(answer.text, families, failure)) return refuse(failure, "this is no text of a Prometheus exporter: " + failure);
    if (pick_bus(std::move(families), bus_, out, failure)) return Got::frame;
    failure.insert(0, tools::printable(url_) + ": ");
    return Got::no_bus;
  }

 private:
  Got refuse(std::string& failure, const std::string& words) const {
    failure = tools::printable(url_) + ": " + tools::printable(words);
    return Got::failed;
  }

  const std::string url_, bus_;
  std::function<bool()> wanted_elsewhere_;
  CURL* const curl_;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace

std::unique_ptr<Source> url_source(const std::string& url, const std::string& bus, std::function<bool()> wanted_elsewhere) { return std::make_unique<Url>(url, bus, std::move(wanted_elsewhere)); }

}  // namespace evs::top
