#include "operators/sequence/sparsey_options.h"

#include <algorithm>

#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/text.h"
#include "operators/sequence/share_option.h"
#include "operators/sequence/sparse_batch.h"
#include "weft/operators/sequence/v1/htm.pb.h"

namespace weft::operators::sequence {
namespace {

constexpr std::int64_t kMostModules = 1024, kMostWindow = 1024;

absl::Status ReadModules(const graph::OpenContext& context, std::int64_t modules,
                         std::int64_t cells, SparseyOptions& mac) {
  WEFT_TRY(graph::ReadBound(context, "modules", modules, 1, kMostModules, mac.modules));
  return graph::ReadBound(context, "cells", cells, 2,
                          std::min(kMostModules, kMostSparseBits / mac.modules), mac.cells);
}

absl::Status ReadMac(const graph::OpenContext& context, const v1::Sparsey& message,
                     SparseyOptions& mac) {
  constexpr std::int64_t kMostExponent = 20;
  WEFT_TRY(ReadModules(context, message.modules(), message.cells(), mac));
  WEFT_TRY(
      graph::ReadBound(context, "exponent", message.exponent(), 1, kMostExponent, mac.exponent));
  mac.has_past = message.has_past();
  mac.backs_off = message.back_off() != 0.0;
  WEFT_TRY(ReadShare(context, "back_off", message.back_off(), mac.back_off));
  if (message.sigmoid() == v1::SPARSEY_SIGMOID_KIND_STEEP) mac.sigmoid = SparseySigmoid::kSteep;
  WEFT_TRY(ReadShare(context, "saturation", message.saturation(), mac.saturation));
  if (message.seed() != 0) mac.seed = message.seed();
  return absl::OkStatus();
}

absl::Status ReadLevels(const graph::OpenContext& context, const v1::Sparsey& message,
                        SparseyLayout& layout) {
  constexpr int kMostLevels = 7;
  constexpr std::int64_t kMostPersistence = 1000;
  if (message.level_size() > kMostLevels)
    return context.OptionError(
        "level", graph::Concat("expected at most ", kMostLevels, ", got ", message.level_size()));
  for (int l = 0; l < message.level_size(); ++l) {
    const v1::SparseyLevel& from = message.level(l);
    SparseyRegionOptions& level = layout.levels.emplace_back();
    level.mac = layout.mac;
    level.mac.modules = SparseyOptions().modules;
    level.mac.cells = SparseyOptions().cells;
    level.mac.seed += static_cast<std::uint64_t>(l + 1) * 1'000'003;
    WEFT_TRY(ReadModules(context, from.modules(), from.cells(), level.mac));
    WEFT_TRY(graph::ReadBound(context, "level.window", from.window(), 1, kMostWindow,
                              level.grid.window_width));
    WEFT_TRY(graph::ReadBound(context, "level.window_step", from.window_step(), 1, kMostWindow,
                              level.grid.step));
    WEFT_TRY(graph::ReadBound(context, "level.persistence", from.persistence(), 1, kMostPersistence,
                              level.persistence));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadSparsey(const graph::OpenContext& context, SparseyLayout& layout) {
  const auto& message = context.Options<v1::Sparsey>();
  WEFT_TRY(ReadMac(context, message, layout.mac));
  WEFT_TRY(graph::ReadBound(context, "picture_width", message.picture_width(), 1, kMostSparseBits,
                            layout.picture_width));
  WEFT_TRY(graph::ReadBound(context, "window", message.window(), 1, kMostWindow, layout.window));
  WEFT_TRY(graph::ReadBound(context, "window_step", message.window_step(), 1, kMostWindow,
                            layout.window_step));
  if (layout.picture_width == 0 && message.level_size() > 0)
    return context.OptionError("level", "expected none without picture_width");
  layout.hears_above = message.hears_above();
  return ReadLevels(context, message, layout);
}

std::optional<SparseyNetworkOptions> SparseyLayout::NetworkOf(std::int64_t inputs) const {
  constexpr double kMostBytes = 1 << 30;
  SparseyNetworkOptions network;
  if (picture_width == 0) {
    SparseyOptions all = mac;
    all.inputs = inputs;
    network = SparseyNetwork::OneMac(all);
  } else {
    if (inputs % picture_width != 0) return std::nullopt;
    network.hears_above = hears_above;
    network.levels.push_back({.grid = {.width = picture_width,
                                       .height = inputs / picture_width,
                                       .window_width = window,
                                       .window_height = window,
                                       .step = window_step},
                              .mac = mac});
  }
  for (SparseyRegionOptions level : levels) {
    const SparseyRegionOptions& below = network.levels.back();
    if (!below.grid.has_windows()) return std::nullopt;
    level.unit_bits = std::int64_t{below.mac.modules} * below.mac.cells;
    level.grid.width = below.grid.columns();
    level.grid.height = below.grid.rows();
    const bool looks_at_all = level.grid.window_width == 0;
    level.grid.window_height = looks_at_all ? level.grid.height : level.grid.window_width;
    if (looks_at_all) level.grid.window_width = level.grid.width;
    network.levels.push_back(level);
  }
  if (!network.levels.back().grid.has_windows()) return std::nullopt;
  if (SparseyNetwork::WeightBytes(network) > kMostBytes) return std::nullopt;
  return network;
}

}  // namespace weft::operators::sequence
