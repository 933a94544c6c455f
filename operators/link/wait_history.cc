#include "operators/link/wait_history.h"

#include <algorithm>
#include <cmath>

namespace weft::operators::link {
namespace {

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

}  // namespace

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

const WaitRecord& WaitHistory::AllOf(RecordOwner owner) const {
  switch (owner) {
    case RecordOwner::kSourceSent:
    case RecordOwner::kTargetSent:
      return all_sent_;
    case RecordOwner::kSourceReceived:
    case RecordOwner::kTargetReceived:
      return all_received_;
    default:
      return all_pairs_;
  }
}

void WaitHistory::Read(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us,
                       float* columns) const {
  const double never = std::log1p(empty_ ? 0.0 : SecondsBetween(first_us_, time_us)) + 1.0;
  for (std::int32_t o = 0; o < static_cast<std::int32_t>(RecordOwner::kCount); ++o) {
    const auto owner = static_cast<RecordOwner>(o);
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
  AddMoment(time_us, records_.Sent(source), all_sent_);
  AddMoment(time_us, records_.Received(target), all_received_);
  AddMoment(time_us, records_.Pair(source, target), all_pairs_);
}

}  // namespace weft::operators::link
