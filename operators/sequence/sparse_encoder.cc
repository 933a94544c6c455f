#include "operators/sequence/sparse_encoder.h"

#include <bit>
#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/sequence/encoders.h"
#include "operators/sequence/feature_value.h"
#include "operators/sequence/series_settings.h"
#include "operators/sequence/sparse_batch.h"
#include "weft/operators/sequence/v1/htm.pb.h"

namespace weft::operators::sequence {
namespace {

using graph::Concat;
using Encode = std::function<void(const graph::EventBatch&, std::size_t, SparseBits&)>;

// Reads the options of one field.
class FieldReader {
 public:
  FieldReader(const graph::OpenContext& context, std::string path)
      : context_(context), path_(std::move(path)) {}

  absl::StatusOr<Encode> Read(const v1::EncodedField& field) {
    switch (field.encoder_case()) {
      case v1::EncodedField::kScalar:
        return Scalar(field.scalar());
      case v1::EncodedField::kRandomScalar:
        return RandomScalar(field.random_scalar());
      case v1::EncodedField::kDateTime:
        return DateTime(field.date_time());
      case v1::EncodedField::kCategory:
        return Category(field.category());
      case v1::EncodedField::kCoordinate:
        return Coordinate(field.coordinate());
      case v1::EncodedField::ENCODER_NOT_SET:
        break;
    }
    return context_.OptionError(path_, "expected one encoder, got none");
  }
  // That gives the record its value.
  std::optional<std::int32_t> feature() const { return feature_; }

 private:
  absl::Status Wrong(const char* field, std::string_view problem) const {
    return context_.OptionError(Concat(path_, ".", field), problem);
  }
  absl::Status CheckFeature(std::int32_t feature) {
    if (feature < 0 || feature > SeriesSettings::kMostFeature)
      return Wrong("feature",
                   Concat("expected 0 to ", SeriesSettings::kMostFeature, ", got ", feature));
    if (!feature_) feature_ = feature;
    return absl::OkStatus();
  }
  // Sets those that are given.
  absl::Status CheckBits(std::int64_t bits, std::int64_t active, std::int64_t& to_bits,
                         std::int64_t& to_active) const {
    if (bits != 0) to_bits = bits;
    if (active != 0) to_active = active;
    if (to_bits < 2 || to_bits > kMostSparseBits)
      return Wrong("bits", Concat("expected 2 to ", kMostSparseBits, ", got ", bits));
    if (to_active < 1 || to_active >= to_bits)
      return Wrong("active", Concat("expected 1 to ", to_bits - 1, ", got ", to_active));
    return absl::OkStatus();
  }

  absl::StatusOr<Encode> Scalar(const v1::ScalarField& field) {
    WEFT_TRY(CheckFeature(field.feature()));
    ScalarEncoder::Options options;
    WEFT_TRY(CheckBits(field.bits(), field.active(), options.bits, options.active));
    if (!(field.most() > field.least()) || !std::isfinite(field.most() - field.least()))
      return Wrong("most",
                   Concat("expected more than least, ", field.least(), ", got ", field.most()));
    options.least = field.least();
    options.most = field.most();
    options.periodic = field.periodic();
    return [encoder = ScalarEncoder(options), feature = field.feature()](
               const graph::EventBatch& events, std::size_t row, SparseBits& to) {
      encoder.Encode(FeatureValue(events, row, feature), to);
    };
  }
  absl::StatusOr<Encode> RandomScalar(const v1::RandomScalarField& field) {
    WEFT_TRY(CheckFeature(field.feature()));
    if (!(field.resolution() > 0.0) || !std::isfinite(field.resolution()))
      return Wrong("resolution", Concat("expected more than 0, got ", field.resolution()));
    RandomScalarEncoder::Options options;
    options.resolution = field.resolution();
    if (field.seed() != 0) options.seed = field.seed();
    return [encoder = RandomScalarEncoder(options), feature = field.feature()](
               const graph::EventBatch& events, std::size_t row, SparseBits& to) {
      encoder.Encode(FeatureValue(events, row, feature), to);
    };
  }
  absl::StatusOr<Encode> DateTime(const v1::DateTimeField& field) {
    DateTimeEncoder::Options options;
    if (field.has_day_active()) options.day_active = field.day_active();
    if (field.day_radius_hours() != 0.0) options.day_radius_hours = field.day_radius_hours();
    options.week_active = field.week_active();
    options.weekend_active = field.weekend_active();
    options.year_active = field.year_active();
    constexpr std::int64_t kMostActive = 1000;
    for (const std::int64_t active :
         {options.day_active, options.week_active, options.weekend_active, options.year_active})
      if (active < 0 || active > kMostActive)
        return Wrong("day_active", Concat("expected 0 to ", kMostActive, " of each, got ", active));
    if (!(options.day_radius_hours >= 0.1 && options.day_radius_hours <= 24.0))
      return Wrong("day_radius_hours",
                   Concat("expected 0.1 to 24, got ", options.day_radius_hours));
    return [encoder = DateTimeEncoder(options)](const graph::EventBatch& events, std::size_t row,
                                                SparseBits& to) {
      encoder.Encode(events.time_us[row], to);
    };
  }
  absl::StatusOr<Encode> Category(const v1::CategoryField& field) {
    WEFT_TRY(CheckFeature(field.feature()));
    CategoryEncoder::Options options;
    WEFT_TRY(CheckBits(field.bits(), field.active(), options.bits, options.active));
    if (field.seed() != 0) options.seed = field.seed();
    return [encoder = CategoryEncoder(options), feature = field.feature()](
               const graph::EventBatch& events, std::size_t row, SparseBits& to) {
      const double value = FeatureValue(events, row, feature);
      if (std::isfinite(value)) return encoder.Encode(std::bit_cast<std::uint64_t>(value), to);
      to.size += encoder.size();
    };
  }
  absl::StatusOr<Encode> Coordinate(const v1::CoordinateField& field) {
    constexpr int kMostDimensions = 3;
    constexpr std::int64_t kMostRadius = 20;
    if (field.feature_size() < 1 || field.feature_size() > kMostDimensions)
      return Wrong("feature", Concat("expected 1 to ", kMostDimensions, " features, got ",
                                     field.feature_size()));
    for (const std::int32_t feature : field.feature()) WEFT_TRY(CheckFeature(feature));
    CoordinateEncoder::Options options;
    WEFT_TRY(CheckBits(field.bits(), field.active(), options.bits, options.active));
    if (field.radius() != 0) options.radius = field.radius();
    if (options.radius < 1 || options.radius > kMostRadius)
      return Wrong("radius", Concat("expected 1 to ", kMostRadius, ", got ", field.radius()));
    if (field.seed() != 0) options.seed = field.seed();
    const std::vector<std::int32_t> features(field.feature().begin(), field.feature().end());
    return [encoder = CoordinateEncoder(options), features](const graph::EventBatch& events,
                                                            std::size_t row, SparseBits& to) {
      constexpr double kFar = 1e15;
      std::vector<std::int64_t> place;
      for (const std::int32_t feature : features) {
        const double value = FeatureValue(events, row, feature);
        if (!(std::abs(value) < kFar)) {
          to.size += encoder.size();
          return;
        }
        place.push_back(static_cast<std::int64_t>(std::floor(value + 0.5)));
      }
      encoder.Encode(place, to);
    };
  }

  const graph::OpenContext& context_;
  const std::string path_;
  std::optional<std::int32_t> feature_;
};

}  // namespace

graph::Contract SparseEncoder::contract() {
  graph::Contract contract;
  contract.Input(kEvents).Output(kSparse);
  contract.options_type = v1::SparseEncoder::descriptor()->full_name();
  contract.stateful = false;
  return contract;
}

absl::Status SparseEncoder::Open(graph::OpenContext& context) {
  constexpr int kMostFields = 32;
  const auto& message = context.Options<v1::SparseEncoder>();
  if (message.field_size() < 1 || message.field_size() > kMostFields)
    return context.OptionError(
        "field", Concat("expected 1 to ", kMostFields, " fields, got ", message.field_size()));
  std::optional<std::int32_t> value_feature;
  for (int i = 0; i < message.field_size(); ++i) {
    FieldReader reader(context, Concat("field[", i, "]"));
    WEFT_ASSIGN(Encode encode, reader.Read(message.field(i)));
    encoders_.push_back(std::move(encode));
    if (!value_feature) value_feature = reader.feature();
  }
  value_feature_ = value_feature.value_or(0);
  return absl::OkStatus();
}

absl::Status SparseEncoder::Process(graph::ProcessContext& context) {
  const graph::EventBatch& events = context.Get(kEvents);
  auto batch = std::make_shared<SparseBatch>();
  for (auto i = static_cast<std::size_t>(context.begin());
       i < static_cast<std::size_t>(context.end()); ++i) {
    SparseBits record;
    for (const Encode& encode : encoders_) encode(events, i, record);
    batch->width = record.size;
    batch->Add(events.source[i], events.time_us[i], FeatureValue(events, i, value_feature_), 0.0,
               record.bits);
  }
  if (batch->size() > 0) context.Emit<SparseBatch>(kSparse, std::move(batch));
  return absl::OkStatus();
}

}  // namespace weft::operators::sequence
