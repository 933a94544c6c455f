#include "deploy/weft/progress.h"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include "graph/text.h"

namespace weft::deploy {

ProgressBar::ProgressBar() : on_terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressBar::Show(std::string_view phase, std::int64_t done, std::int64_t total,
                       std::string_view note) {
  if (!on_terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_ && phase == phase_) return;
  next_ = now + std::chrono::milliseconds(100);
  phase_ = phase;
  drawn_ = true;
  std::string bar;
  if (total > 0) {
    constexpr std::int64_t kWidth = 30;
    const auto filled =
        static_cast<std::size_t>(std::clamp<std::int64_t>(done * kWidth / total, 0, kWidth));
    bar = graph::Concat("[", std::string(filled, '#'), std::string(kWidth - filled, '.'), "] ",
                        done * 100 / total, " %");
  } else {
    bar = graph::Concat(done);
  }
  std::fprintf(stderr, "\r\033[K%s %s %s", phase_.c_str(), bar.c_str(), std::string(note).c_str());
}

}  // namespace weft::deploy
