#include "deploy/weft/packet_json.h"

#include <cmath>

#include "deploy/weft/hierarchy_json.h"
#include "deploy/weft/json_fields.h"
#include "graph/text.h"
#include "operators/io/json_text.h"
#include "operators/io/time_text.h"
#include "operators/link/link_evaluation_reader.h"
#include "operators/link/link_types.h"
#include "operators/sequence/opinion_batch.h"
#include "operators/sequence/sequence_row.h"
#include "operators/sequence/sparse_batch.h"

namespace weft::deploy {
namespace {

using operators::hierarchy::EpisodeBatch;
using operators::hierarchy::ForecastBatch;
using operators::hierarchy::ReadoutBatch;
using operators::hierarchy::SalienceBatch;
using operators::io::AppendJsonNumber;
using operators::io::AppendJsonString;
using operators::link::LinkCandidates;
using operators::link::LinkEvaluationReport;
using operators::link::LinkScores;
using operators::sequence::OpinionBatch;
using operators::sequence::SequenceBatch;
using operators::sequence::SparseBatch;

// Of a row; none where the model gives none.
std::optional<double> At(const std::vector<float>& values, std::size_t row) {
  return values.empty() ? std::nullopt : std::optional(static_cast<double>(values[row]));
}

// {"position":"41","time":...,"source":...,"target":...  without the end.
void AppendEvent(const graph::EventBatch& events, std::size_t row, graph::LogPosition position,
                 const KeyOf& key_of, std::string& lines) {
  lines += graph::Concat("{\"position\":\"", position.offset + row, "\",");
  AppendTime(events.time_us[row], lines);
  AppendKey("source", events.source[row], key_of, lines);
  AppendKey("target", events.target[row], key_of, lines);
}

void AppendScores(const LinkScores& scores, graph::LogPosition position, const KeyOf& key_of,
                  std::string& lines) {
  for (std::size_t row = 0; row < scores.positive_score.size(); ++row) {
    AppendEvent(scores.events, row, position, key_of, lines);
    lines += ",\"score\":";
    AppendJsonNumber(lines, scores.positive_score[row]);
    AppendNumberOrNull("probability", At(scores.positive_probability, row), lines);
    if (!scores.negative.empty()) {
      const bool drawn = scores.negative[row] != graph::kNoNode;
      AppendKey("negative", scores.negative[row], key_of, lines);
      AppendNumberOrNull("negative_score", drawn ? At(scores.negative_score, row) : std::nullopt,
                         lines);
      AppendNumberOrNull("negative_probability",
                         drawn ? At(scores.negative_probability, row) : std::nullopt, lines);
    }
    const std::optional<double> rank = At(scores.rank, row);
    if (rank.value_or(0.0) > 0.0) AppendNumberOrNull("rank", rank, lines);
    lines += ",\"model\":";
    AppendJsonString(lines, scores.model);
    lines += graph::Concat(",\"model_version\":\"", scores.model_version, "\"}\n");
  }
}

void AppendReport(const LinkEvaluationReport& report, std::string& lines) {
  lines += "{\"node\":";
  AppendJsonString(lines, report.node);
  lines += ",\"model\":";
  AppendJsonString(lines, report.model);
  lines += graph::Concat(",\"model_version\":\"", report.model_version, "\",");
  AppendTime(report.time_us, lines);
  lines += graph::Concat(",\"events\":", report.event_count,
                         ",\"window_events\":", report.window_events, ",\"ap\":");
  AppendJsonNumber(lines, report.ap);
  lines += ",\"auc\":";
  AppendJsonNumber(lines, report.auc);
  AppendNumberOrNull("log_loss", report.log_loss, lines);
  lines += graph::Concat(",\"ranked_events\":", report.ranked_events);
  AppendNumberOrNull("mrr", report.mrr, lines);
  if (!report.log_loss) lines += ",\"reason\":\"the model gives no probabilities\"";
  lines += "}\n";
}

void AppendExperts(const operators::sequence::SequenceRow& row, std::string& lines) {
  lines += ",\"experts\":";
  if (row.kind != operators::sequence::SeriesKind::kWeft) {
    lines += "null";
    return;
  }
  for (std::size_t e = 0; e < row.said.by_expert.size(); ++e) {
    const auto expert = static_cast<operators::sequence::AnomalyExpert>(e);
    lines += graph::Concat(e == 0 ? "{\"" : ",\"", operators::sequence::NameOf(expert), "\":");
    AppendJsonNumber(lines, row.said.by_expert[e]);
  }
  lines += "}";
}

void AppendRecord(const operators::sequence::SequenceRow& row, const KeyOf& key_of,
                  std::string& lines) {
  lines += "{";
  AppendTime(row.time_us, lines);
  AppendKey("series", row.series, key_of, lines);
  AppendNumberOrNull("value", std::isfinite(row.value) ? std::optional(row.value) : std::nullopt,
                     lines);
  lines += ",\"score\":";
  AppendJsonNumber(lines, row.said.score);
  lines += ",\"alarm\":";
  AppendJsonNumber(lines, row.said.alarm);
  lines += graph::Concat(",\"field\":", row.said.field);
  AppendExperts(row, lines);
  lines += ",\"forecasts\":[";
  bool is_first = true;
  for (const operators::sequence::StepForecast& step : row.said.forecasts) {
    lines += graph::Concat(is_first ? "" : ",", "{\"horizon\":", step.horizon);
    is_first = false;
    const auto said = [&step](double number) {
      return step.is_known ? std::optional(number) : std::nullopt;
    };
    AppendNumberOrNull("mean", said(step.mean), lines);
    AppendNumberOrNull("p10", said(step.quantile[0]), lines);
    AppendNumberOrNull("p50", said(step.quantile[1]), lines);
    AppendNumberOrNull("p90", said(step.quantile[2]), lines);
    lines += "}";
  }
  lines += "]}\n";
}

void AppendOpinions(const OpinionBatch& batch, const KeyOf& key_of, std::string& lines) {
  const auto number = [](double one) {
    return std::isfinite(one) ? std::optional(one) : std::nullopt;
  };
  for (std::size_t row = 0; row < batch.series.size(); ++row) {
    lines += "{";
    AppendTime(batch.time_us[row], lines);
    AppendKey("series", batch.series[row], key_of, lines);
    AppendNumberOrNull("value", number(batch.value[row]), lines);
    lines += ",\"opinions\":[";
    for (std::size_t e = 0; e < batch.expert.size(); ++e) {
      lines += graph::Concat(e == 0 ? "" : ",", "{\"expert\":\"", batch.expert[e], "\"");
      AppendNumberOrNull("opinion", number(batch.opinion[e][row]), lines);
      lines += "}";
    }
    lines += "]}\n";
  }
}

void AppendSparse(const SparseBatch& batch, const KeyOf& key_of, std::string& lines) {
  for (std::size_t row = 0; row < batch.series.size(); ++row) {
    lines += "{";
    AppendTime(batch.time_us[row], lines);
    AppendKey("series", batch.series[row], key_of, lines);
    const double value = batch.value[row];
    AppendNumberOrNull("value", std::isfinite(value) ? std::optional(value) : std::nullopt, lines);
    lines += ",\"unpredicted\":";
    AppendJsonNumber(lines, batch.unpredicted[row]);
    lines += graph::Concat(",\"width\":", batch.width, ",\"bits\":[");
    bool is_first = true;
    for (const std::uint32_t bit : batch.Bits(row)) {
      lines += graph::Concat(is_first ? "" : ",", bit);
      is_first = false;
    }
    lines += "]}\n";
  }
}

}  // namespace

absl::Status AppendPacketJson(const graph::Packet& packet, const KeyOf& key_of,
                              std::string& lines) {
  const auto is = [&packet]<class T>(T*) {
    return packet.type() == graph::PacketTypeName<T>::kName;
  };
  if (is(static_cast<LinkScores*>(nullptr))) {
    AppendScores(packet.Get<LinkScores>(), packet.position(), key_of, lines);
  } else if (is(static_cast<LinkEvaluationReport*>(nullptr))) {
    AppendReport(packet.Get<LinkEvaluationReport>(), lines);
  } else if (is(static_cast<EpisodeBatch*>(nullptr))) {
    for (const auto& row : packet.Get<EpisodeBatch>().rows) AppendEpisodeJson(row, key_of, lines);
  } else if (is(static_cast<SalienceBatch*>(nullptr))) {
    for (const auto& row : packet.Get<SalienceBatch>().rows) AppendSalienceJson(row, lines);
  } else if (is(static_cast<ReadoutBatch*>(nullptr))) {
    for (const auto& row : packet.Get<ReadoutBatch>().rows) AppendReadoutJson(row, lines);
  } else if (is(static_cast<ForecastBatch*>(nullptr))) {
    for (const auto& row : packet.Get<ForecastBatch>().rows) AppendForecastJson(row, key_of, lines);
  } else if (is(static_cast<SequenceBatch*>(nullptr))) {
    for (const auto& row : packet.Get<SequenceBatch>().rows) AppendRecord(row, key_of, lines);
  } else if (is(static_cast<OpinionBatch*>(nullptr))) {
    AppendOpinions(packet.Get<OpinionBatch>(), key_of, lines);
  } else if (is(static_cast<SparseBatch*>(nullptr))) {
    AppendSparse(packet.Get<SparseBatch>(), key_of, lines);
  } else if (is(static_cast<LinkCandidates*>(nullptr))) {
    const auto& candidates = packet.Get<LinkCandidates>();
    for (std::size_t row = 0; row < candidates.negative.size(); ++row) {
      AppendEvent(candidates.events, row, packet.position(), key_of, lines);
      AppendKey("negative", candidates.negative[row], key_of, lines);
      lines += "}\n";
    }
  } else if (is(static_cast<graph::EventBatch*>(nullptr))) {
    const auto& events = packet.Get<graph::EventBatch>();
    for (std::size_t row = 0; row < events.source.size(); ++row) {
      AppendEvent(events, row, packet.position(), key_of, lines);
      lines += "}\n";
    }
  } else {
    return absl::UnimplementedError(
        graph::Concat("expected packets that can be written as JSON Lines, got ", packet.type()));
  }
  return absl::OkStatus();
}

}  // namespace weft::deploy
