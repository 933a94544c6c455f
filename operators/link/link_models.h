// The link models by name, for everything that runs models outside a graph: evaluation, training,
// benchmarks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/link/link_model.h"

namespace weft::operators::link {

// What a model may size itself by.
struct LinkModelRequest {
  std::uint64_t seed = 1;       // of weights and of everything else that is drawn
  std::int64_t node_count = 0;  // ids are below it
  std::int64_t event_count = 0;
  std::int32_t feature_count = 0;
  std::int32_t batch = 32;  // B of before_batch(B); otherwise events that are worked on together
  std::optional<LinkReads> reads;  // none: the model's own, before_batch for those there are
  std::int32_t threads = 1;
  graph::TimeUs window_us = 0;  // duration of the test part, for windowed models
  bool learns = false;          // whether a step will ask to learn
  // For `weft`, others do not read them: partners of a node (0: its default), and the groups of
  // columns that it must do without.
  std::int32_t slots = 0;
  std::vector<std::string> without;
  // Where its weights come from: nothing (random), "warm" (those that come with the program), or a
  // model file.
  std::string start;
};

using LinkModelFactory =
    std::function<absl::StatusOr<std::unique_ptr<LinkModel>>(const LinkModelRequest&)>;

// Names that FindLinkModel knows, sorted.
std::vector<std::string> LinkModelNames();

// NOT_FOUND, with the known names, for any other name.
absl::StatusOr<LinkModelFactory> FindLinkModel(std::string_view name);

}  // namespace weft::operators::link
