#include "operators/link/head_training.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gpu/host_device.h"
#include "graph/text.h"

namespace weft::operators::link {
namespace {

constexpr std::int64_t kPassRows = 512;
constexpr std::int64_t kScaleRows = 4096;

// Weighted cross-entropy of logits, summed.
double LossOf(const std::vector<float>& logits, const learn::Perceptron::Lessons& lessons) {
  double loss = 0.0;
  for (std::size_t i = 0; i < lessons.answer.size(); ++i) {
    const double logit = logits[i];
    const double answer = lessons.answer[i];
    const double entropy =
        std::log1p(std::exp(-std::abs(logit))) + std::max(logit, 0.0) - logit * answer;
    loss += static_cast<double>(lessons.weight[i]) * entropy;
  }
  return loss;
}

class HeadTraining {
 public:
  HeadTraining(const HeadRows& rows, std::int64_t train_end, std::int64_t validation_end,
               const HeadTrainingOptions& options)
      : rows_(rows),
        train_end_(train_end),
        validation_end_(validation_end),
        options_(options),
        head_({.columns = rows.columns,
               .logits = rows.logits,
               .seed = options.seed,
               .max_rows = std::max(options.batch, kPassRows),
               .adam = {.learning_rate = options.learning_rate}},
              gpu::HostExec{}),
        order_(static_cast<std::size_t>(train_end)),
        batch_{
            .columns = rows.columns, .logits = rows.logits, .row = {}, .answer = {}, .weight = {}} {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    for (std::int64_t begin = 0; begin < train_end; begin += kScaleRows)
      head_.ObserveScale(rows.row.data() + begin * rows.stride(),
                         std::min(kScaleRows, train_end - begin));
    StartAtTheShares();
  }

  HeadTrainingResult Run();

 private:
  void StartAtTheShares();
  void Shuffle(std::int32_t epoch);
  void RunEpoch(std::int32_t epoch);
  std::vector<float> LogitsOf(std::int64_t begin, std::int64_t end) const;

  const HeadRows& rows_;
  std::int64_t train_end_;
  std::int64_t validation_end_;
  const HeadTrainingOptions& options_;
  learn::Perceptron head_;
  std::vector<std::int64_t> order_;
  HeadRows batch_;
};

// What the train rows answer on average is known before the first step.
void HeadTraining::StartAtTheShares() {
  const auto logits = static_cast<std::size_t>(rows_.logits);
  std::vector<double> answers(logits, 0.5), weights(logits, 1.0);
  for (std::size_t i = 0; i < order_.size() * logits; ++i) {
    answers[i % logits] += static_cast<double>(rows_.weight[i] * rows_.answer[i]);
    weights[i % logits] += static_cast<double>(rows_.weight[i]);
  }
  float* bias = head_.weights().data() + head_.layout().output_bias;
  for (std::size_t l = 0; l < logits; ++l)
    bias[l] = static_cast<float>(std::log(answers[l] / (weights[l] - answers[l])));
}

// Another order in each epoch (Fisher and Yates).
void HeadTraining::Shuffle(std::int32_t epoch) {
  const std::uint64_t seed = PhaseSeed(options_.seed, LinkPhase::kTrain, epoch);
  for (std::size_t i = order_.size(); i > 1; --i)
    std::swap(order_[i - 1], order_[gpu::CounterHash(seed, i, 0) % i]);
}

void HeadTraining::RunEpoch(std::int32_t epoch) {
  constexpr double kRise = 0.1;
  const std::string phase = graph::Concat("seed ", options_.seed, ", epoch ", epoch + 1);
  Shuffle(epoch);
  const std::int64_t stride = rows_.stride();
  const std::int64_t logits = rows_.logits;
  for (std::int64_t begin = 0; begin < train_end_; begin += options_.batch) {
    const std::int64_t count = std::min(options_.batch, train_end_ - begin);
    batch_.Resize(count);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t from = order_[static_cast<std::size_t>(begin + i)];
      std::copy_n(rows_.row.data() + from * stride, stride, batch_.Row(i));
      std::copy_n(rows_.answer.data() + from * logits, logits, batch_.answer.data() + i * logits);
      std::copy_n(rows_.weight.data() + from * logits, logits, batch_.weight.data() + i * logits);
    }
    const double done =
        (epoch + static_cast<double>(begin) / static_cast<double>(train_end_)) / options_.epochs;
    const double factor = done < kRise ? done / kRise : (1.0 - done) / (1.0 - kRise);
    head_.Learn(batch_.row.data(), batch_.Lessons(0, count), 1.0f / static_cast<float>(count),
                static_cast<float>(factor));
    if (options_.progress && begin / options_.batch % 64 == 0)
      options_.progress(phase, begin, train_end_);
  }
}

std::vector<float> HeadTraining::LogitsOf(std::int64_t begin, std::int64_t end) const {
  std::vector<float> logits(static_cast<std::size_t>((end - begin) * rows_.logits));
  head_.Logits(rows_.row.data() + begin * rows_.stride(), end - begin, logits.data());
  return logits;
}

HeadTrainingResult HeadTraining::Run() {
  HeadTrainingResult result;
  result.parameters = head_.layout().count;
  std::vector<float> best;
  for (std::int32_t epoch = 0; epoch < options_.epochs; ++epoch) {
    RunEpoch(epoch);
    const double loss =
        LossOf(LogitsOf(train_end_, validation_end_), rows_.Lessons(train_end_, validation_end_)) /
        static_cast<double>(validation_end_ - train_end_);
    result.validation_loss.push_back(loss);
    if (epoch > 0 && loss >= result.validation_loss[static_cast<std::size_t>(result.best_epoch)])
      continue;
    result.best_epoch = epoch;
    best.assign(head_.weights().begin(), head_.weights().end());
  }
  std::copy(best.begin(), best.end(), head_.weights().begin());
  const auto all = static_cast<std::int64_t>(rows_.row.size()) / rows_.stride();
  result.logits = LogitsOf(train_end_, all);
  return result;
}

}  // namespace

void HeadRows::Resize(std::int64_t row_count) {
  row.resize(static_cast<std::size_t>(row_count * stride()));
  answer.resize(static_cast<std::size_t>(row_count * logits));
  weight.resize(static_cast<std::size_t>(row_count * logits));
}

learn::Perceptron::Lessons HeadRows::Lessons(std::int64_t begin, std::int64_t end) const {
  const auto from = static_cast<std::size_t>(begin * logits);
  const auto count = static_cast<std::size_t>((end - begin) * logits);
  return {.answer = std::span(answer).subspan(from, count),
          .weight = std::span(weight).subspan(from, count)};
}

HeadTrainingResult TrainHead(const HeadRows& rows, std::int64_t train_end,
                             std::int64_t validation_end, const HeadTrainingOptions& options) {
  return HeadTraining(rows, train_end, validation_end, options).Run();
}

}  // namespace weft::operators::link
