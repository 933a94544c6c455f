// Training of a head on rows that do not change while it learns: epochs over the train rows in
// random order, the rate rises and falls once, and the epoch with the lowest loss on the validation
// rows is restored.
#pragma once

#include <cstdint>
#include <vector>

#include "operators/learn/perceptron.h"
#include "operators/link/link_training.h"

namespace weft::operators::link {

// Rows in order of time, stride() floats apart, each with answers and weights for `logits` logits.
struct HeadRows {
  std::int32_t columns = 0;
  std::int32_t logits = 1;
  std::vector<float> row;
  std::vector<float> answer;
  std::vector<float> weight;

  std::int64_t stride() const { return learn::PerceptronStride(columns); }
  void Resize(std::int64_t row_count);
  float* Row(std::int64_t i) { return row.data() + i * stride(); }
  learn::Perceptron::Lessons Lessons(std::int64_t begin, std::int64_t end) const;
};

struct HeadTrainingOptions {
  std::uint64_t seed = 1;
  std::int32_t epochs = 3;
  std::int64_t batch = 128;     // rows of a step
  float learning_rate = 1e-3f;  // at its highest
  LinkProgress progress = nullptr;
};

struct HeadTrainingResult {
  std::vector<float> logits;            // of rows [train_end, all), after the best epoch
  std::vector<double> validation_loss;  // by epoch, mean cross-entropy of a row
  std::int32_t best_epoch = 0;          // from 0
  std::int64_t parameters = 0;
};

// Rows [0, train_end) teach, [train_end, validation_end) choose the epoch; the others are scored.
HeadTrainingResult TrainHead(const HeadRows& rows, std::int64_t train_end,
                             std::int64_t validation_end, const HeadTrainingOptions& options);

}  // namespace weft::operators::link
