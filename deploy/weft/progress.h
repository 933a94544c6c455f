// A progress bar on stderr, drawn only when stderr is a terminal, at most ten times a second. One
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft::deploy {

class ProgressBar {
 public:
  ProgressBar();
  // Wipes the bar.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `total` 0 means that the end is not known: only the count is shown. `note` follows the bar.
  void Show(std::string_view phase, std::int64_t done, std::int64_t total,
            std::string_view note = "");

 private:
  bool on_terminal_;
  bool drawn_ = false;
  std::string phase_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace weft::deploy
