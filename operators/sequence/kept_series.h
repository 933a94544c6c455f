// KeptSeries: something that is kept for each of many series: of those that came lately in memory,
// of those that gave way to them in a ColdStore, from which they come back when their next record
// does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "graph/bytes_state.h"
#include "graph/check.h"
#include "graph/cold_store.h"
#include "graph/event_batch.h"
#include "graph/log_record.h"
#include "graph/text.h"
#include "operators/sequence/latest_series.h"

namespace weft::operators::sequence {

struct KeptSeriesOptions {
  std::int64_t most = kUsualSeries;
  // Outside of memory; the one that gave way first is forgotten then.
  std::int64_t most_stored = kUsualStoredSeries;
  // Outlives the series; may be null where none ever gives way.
  graph::ColdStore* cold = nullptr;
};

// What is kept has VisitState. Thread-compatible. Exact.
template <class Kept>
class KeptSeries {
 public:
  using Make = std::function<Kept(graph::NodeId)>;

  // `make(series)` makes what is kept of a series that is new.
  KeptSeries(const KeptSeriesOptions& options, Make make)
      : options_(options),
        make_(std::move(make)),
        latest_(options.most),
        stored_(options.most_stored) {}

  // What is kept of a series that comes now, valid until the next call; the log up to `end` has
  // what comes. The series that was quiet longest gives way if there is no room. If what was stored
  // of this one is gone or damaged, it begins anew and is counted; other errors are the store's.
  absl::StatusOr<Kept*> Latest(graph::NodeId series, graph::LogPosition end) {
    if (const auto found = latest_.Find(series); found != nullptr) return &Now(series);
    std::optional<Kept> back;
    if (const std::uint64_t* const number = stored_.Find(series)) {
      absl::StatusOr<Kept> stored = Stored(series, *number);
      if (stored.ok()) {
        back.emplace(*std::move(stored));
      } else if (absl::IsDataLoss(stored.status())) {
        ++lost_count_;
      } else {
        return stored.status();
      }
      Forget(series, end);
    }
    if (latest_.size() >= options_.most) StoreOldest(end);
    return &latest_.Latest(series, [&] { return back ? *std::move(back) : make_(series); });
  }
  void Remove(graph::NodeId series, graph::LogPosition end) {
    latest_.Remove(series);
    Forget(series, end);
  }

  // Calls read(kept) with what is kept of a series, and returns what that returns; nothing for a
  // series of which nothing is. DATA_LOSS if what was stored of it is gone or damaged.
  template <class Read>
  std::optional<absl::Status> Look(graph::NodeId series, Read read) const {
    if (const Kept* const found = latest_.Find(series)) return read(*found);
    const std::uint64_t* const number = stored_.Find(series);
    if (number == nullptr) return std::nullopt;
    const absl::StatusOr<Kept> kept = Stored(series, *number);
    return kept.ok() ? read(*kept) : kept.status();
  }

  // Places of records, given by their series, in an order in which those of a series follow each
  // other: its state then comes from memory once, not with every record. Taken in this order they
  // leave what they leave in their own, which it is where one series would give way to another.
  std::vector<std::size_t> OrderOf(std::span<const graph::NodeId> series) const;

  // In memory.
  const LatestSeries<Kept>& latest() const { return latest_; }
  std::int64_t size() const { return latest_.size(); }
  // Outside of it.
  std::int64_t stored_count() const { return stored_.size(); }
  // That found no room there either.
  std::int64_t forgotten_count() const { return stored_.evicted_count(); }
  // That began anew because what was stored of them was gone or damaged.
  std::int64_t lost_count() const { return lost_count_; }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.lost_count_);
    const auto visit = [](auto& kept, Archive& to) { Kept::VisitState(kept, to); };
    const auto visit_number = [](auto& number, Archive& to) { to.Value(number); };
    if constexpr (Archive::kLoads) {
      self.latest_.Load(archive, self.make_, visit);
      self.stored_.Load(
          archive, [](graph::NodeId) { return std::uint64_t{0}; }, visit_number);
    } else {
      self.latest_.Save(archive, visit);
      self.stored_.Save(archive, visit_number);
    }
  }

 private:
  Kept& Now(graph::NodeId series) {
    return latest_.Latest(series, [&] { return make_(series); });
  }
  static std::string NameOf(graph::NodeId series, std::uint64_t number) {
    return graph::Concat(series, "/", number);
  }
  absl::StatusOr<Kept> Stored(graph::NodeId series, std::uint64_t number) const {
    const std::string name = NameOf(series, number);
    const absl::StatusOr<std::string> bytes = options_.cold->Get(name);
    if (absl::IsNotFound(bytes.status()) || absl::IsDataLoss(bytes.status()))
      return absl::DataLossError(
          graph::Concat("a series that was quiet is gone: ", name, ": ", bytes.status().message()));
    WEFT_TRY(bytes.status());
    Kept kept = make_(series);
    graph::BytesSource source(*bytes);
    WEFT_TRY(graph::LoadState(name, kept, source));
    return kept;
  }
  void StoreOldest(graph::LogPosition end) {
    WEFT_CHECK(options_.cold != nullptr);
    const auto& [series, kept] = latest_.entries().front();
    // How many gave way before.
    const auto number = static_cast<std::uint64_t>(latest_.evicted_count());
    graph::BytesSink sink;
    // Memory always takes it.
    WEFT_CHECK(graph::SaveState("series", kept, sink).ok());
    if (stored_.size() >= options_.most_stored) {
      const auto& [oldest, oldest_number] = stored_.entries().front();
      options_.cold->Forget(NameOf(oldest, oldest_number), end);
    }
    options_.cold->Put(NameOf(series, number), sink.Take());
    stored_.Latest(series, [number] { return number; }) = number;
  }
  void Forget(graph::NodeId series, graph::LogPosition end) {
    const std::uint64_t* const number = stored_.Find(series);
    if (number == nullptr) return;
    options_.cold->Forget(NameOf(series, *number), end);
    stored_.Remove(series);
  }

  KeptSeriesOptions options_;
  Make make_;
  LatestSeries<Kept> latest_;
  LatestSeries<std::uint64_t> stored_;  // what is in its name
  std::int64_t lost_count_ = 0;
};

template <class Kept>
std::vector<std::size_t> KeptSeries<Kept>::OrderOf(std::span<const graph::NodeId> series) const {
  std::vector<std::size_t> order(series.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  absl::flat_hash_map<graph::NodeId, std::size_t> last;
  std::int64_t new_count = 0;
  for (std::size_t i = 0; i < series.size(); ++i)
    if (last.insert_or_assign(series[i], i).second && latest_.Find(series[i]) == nullptr)
      ++new_count;
  if (size() + new_count > options_.most) return order;
  // By who comes last, because that is the order in which series give way later.
  std::vector<std::size_t> last_of(series.size());
  for (std::size_t i = 0; i < series.size(); ++i) last_of[i] = last.at(series[i]);
  std::ranges::stable_sort(order, {}, [&last_of](std::size_t i) { return last_of[i]; });
  return order;
}

}  // namespace weft::operators::sequence
