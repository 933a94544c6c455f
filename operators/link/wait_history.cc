#include "operators/link/wait_history.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::link {
namespace {

std::uint64_t PairKey(graph::NodeId source, graph::NodeId target) {
  return std::uint64_t{source} << 32 | target;
}

double SecondsBetween(graph::TimeUs from_us, graph::TimeUs to_us) {
  // Without sign: the distance may be wider than int64.
  return 1e-6 * static_cast<double>(static_cast<std::uint64_t>(to_us) -
                                    static_cast<std::uint64_t>(from_us));
}

void AddWait(double seconds, WaitRecord& record) {
  const double log = std::log(seconds);
  std::copy_backward(record.last, record.last + kLastWaits - 1, record.last + kLastWaits);
  record.last[0] = log;
  for (int r = 0; r < kWaitRates; ++r)
    record.average[r] =
        record.count == 0 ? log : record.average[r] + kWaitRateSteps[r] * (log - record.average[r]);
  ++record.count;
  record.seconds += seconds;
  record.log += log;
  record.log_square += log * log;
}

void AddMoment(graph::TimeUs time_us, WaitRecord& record, WaitRecord& all) {
  if (record.moments > 0 && time_us <= record.last_us) return;
  if (record.moments > 0) {
    const double seconds = SecondsBetween(record.last_us, time_us);
    AddWait(seconds, record);
    AddWait(seconds, all);
  }
  ++record.moments;
  record.last_us = time_us;
}

// The record of a key that has just become active; empty if the row is new.
template <class Index, class Records>
typename Records::value_type& Admit(Index& index, typename Index::Key key, Records& records) {
  const auto [row, fresh] = index.Admit(key);
  if (row >= records.size()) records.resize(row + 1);
  if (fresh) records[row] = {};
  return records[row];
}

}  // namespace

WaitHistory::WaitHistory(const Options& options)
    : nodes_(options.max_nodes), pairs_(options.max_pairs), node_(1), pair_(1) {}

double SmoothedMeanSeconds(const WaitRecord& record, const WaitRecord& all, double prior) {
  const double mean = all.count == 0 ? 1.0 : all.seconds / all.count;
  return (record.seconds + prior * mean) / (record.count + prior);
}

LogWait SmoothedLogWait(const WaitRecord& record, const WaitRecord& all, double prior) {
  constexpr double kLeastVariance = 1e-4;
  const double count = record.count;
  const double all_mean = all.count == 0 ? 0.0 : all.log / all.count;
  const double all_square = all.count == 0 ? 1.0 : all.log_square / all.count;
  const double mean = (record.log + prior * all_mean) / (count + prior);
  const double square = (record.log_square + prior * all_square) / (count + prior);
  return {.mean = mean, .variance = std::max(kLeastVariance, square - mean * mean)};
}

const WaitRecord& WaitHistory::Of(WaitOwner owner, graph::NodeId source,
                                  graph::NodeId target) const {
  switch (owner) {
    case WaitOwner::kSourceSent:
      return node_[nodes_.Find(source)].sent;
    case WaitOwner::kSourceReceived:
      return node_[nodes_.Find(source)].received;
    case WaitOwner::kTargetSent:
      return node_[nodes_.Find(target)].sent;
    case WaitOwner::kTargetReceived:
      return node_[nodes_.Find(target)].received;
    case WaitOwner::kPair:
      return pair_[pairs_.Find(PairKey(source, target))];
    default:
      return pair_[pairs_.Find(PairKey(target, source))];
  }
}

const WaitRecord& WaitHistory::AllOf(WaitOwner owner) const {
  switch (owner) {
    case WaitOwner::kSourceSent:
    case WaitOwner::kTargetSent:
      return all_nodes_.sent;
    case WaitOwner::kSourceReceived:
    case WaitOwner::kTargetReceived:
      return all_nodes_.received;
    default:
      return all_pairs_;
  }
}

void WaitHistory::Read(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us,
                       float* columns) const {
  const double never = std::log1p(empty_ ? 0.0 : SecondsBetween(first_us_, time_us)) + 1.0;
  for (std::int32_t o = 0; o < static_cast<std::int32_t>(WaitOwner::kCount); ++o) {
    const auto owner = static_cast<WaitOwner>(o);
    const WaitRecord& record = Of(owner, source, target);
    const LogWait usual = SmoothedLogWait(record, AllOf(owner), 1.0);
    const auto set = [&](std::int32_t column, double value) {
      columns[column] = static_cast<float>(value);
    };
    set(kWaitMoments, std::log1p(record.moments));
    set(kWaitAge,
        record.moments == 0 ? never : std::log1p(SecondsBetween(record.last_us, time_us)));
    set(kWaitMean, usual.mean);
    set(kWaitDeviation, std::sqrt(usual.variance));
    for (int i = 0; i < kLastWaits; ++i)
      set(kWaitLastFirst + i,
          i < static_cast<int>(std::min<std::uint32_t>(record.count, kLastWaits)) ? record.last[i]
                                                                                  : usual.mean);
    for (int r = 0; r < kWaitRates; ++r)
      set(kWaitAverageFirst + r, record.count == 0 ? usual.mean : record.average[r]);
    columns += kWaitRecordColumns;
  }
}

void WaitHistory::Observe(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us) {
  if (empty_) first_us_ = time_us;
  empty_ = false;
  AddMoment(time_us, Admit(nodes_, source, node_).sent, all_nodes_.sent);
  AddMoment(time_us, Admit(nodes_, target, node_).received, all_nodes_.received);
  AddMoment(time_us, Admit(pairs_, PairKey(source, target), pair_), all_pairs_);
}

}  // namespace weft::operators::link
