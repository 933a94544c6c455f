// WeftModel: probabilities.
#include "operators/link/weft_workspace.h"

namespace weft::operators::link {
// The calibration knows an event where a score may: from the next event, batch or time on. It
// learns from every negative, also while the weights stand still: by then it is known what came. It
// leaves out what is scored while the weights are trained, and begins anew then.
void WeftModel::Calibrate(const LinkStep& step, const LinkStepScores& scores, std::int64_t begin,
                          std::int64_t end, graph::TimeUs last_us) {
  const Workspace& w = *workspace_;
  const auto logit_of = [](const std::vector<float>& logits, std::int64_t row) {
    return logits[static_cast<std::size_t>(row * kHeadLogits)];
  };
  const bool in_training = step.learn && training_;
  if (in_training) calibration_ = {};
  for (std::int64_t i = begin; i < end; ++i) {
    const auto e = static_cast<std::size_t>(i);
    const graph::TimeUs time_us = step.events.time_us[e];
    if (options_.reads == LinkReads::kBeforeEvent ||
        (options_.reads == LinkReads::kBeforeBatch ? i == begin : time_us != last_us))
      calibration_.Publish();
    last_us = time_us;
    const float logit = logit_of(w.logits, i - begin);
    scores.positive[e].probability = calibration_.Probability(logit);
    if (!step.extra_begin.empty()) {
      const std::int32_t first = step.extra_begin[static_cast<std::size_t>(begin)];
      for (std::int32_t x = step.extra_begin[e]; x < step.extra_begin[e + 1]; ++x)
        scores.extra[static_cast<std::size_t>(x)].probability =
            calibration_.Probability(logit_of(w.extra_logits, x - first));
    }
    if (step.negative.empty()) continue;
    const float negative_logit = logit_of(w.logits, end - begin + i - begin);
    scores.negative[e].probability = calibration_.Probability(negative_logit);
    if (in_training || step.negative[e] == graph::kNoNode) continue;
    calibration_.Add(logit, true);
    calibration_.Add(negative_logit, false);
  }
}

}  // namespace weft::operators::link
