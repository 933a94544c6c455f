#include "rpc/read_hierarchy.h"

#include <string>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/position.h"
#include "rpc/wait_position.h"

namespace weft::rpc {
namespace {

using cache::kMostLevels;
using graph::Concat;
using operators::hierarchy::HierarchyReader;

absl::Status CheckKept(const EpisodeView& view, std::int64_t as_of_us) {
  if (view.level_count() > 0 || as_of_us <= view.tree().begin_us()) return absl::OkStatus();
  if (view.tree().snapshot_count() == 0) return absl::OkStatus();
  const auto& leaves = view.tree().closed(1);
  return absl::OutOfRangeError(Concat("as_of_us: expected a time from ",
                                      leaves[leaves.first()].decided_us, " us on, as no earlier ",
                                      "leaf is kept; got ", as_of_us, " us"));
}

}  // namespace

absl::Status ReadHierarchy(
    GraphHost& host, const CallContext& context, const v1::TreeQuestion& question,
    v1::TreeState& state,
    const std::function<absl::Status(const EpisodeView&, const HierarchyReader&)>& read) {
  WEFT_TRY(host.CheckServing());
  if (question.has_min_position()) {
    if (question.has_as_of_us())
      return InvalidField("tree.min_position", "expected none together with as_of_us");
    WEFT_TRY(WaitForPosition(host, context, question.min_position()));
  }
  const std::vector<std::string>& nodes = host.hierarchy_nodes();
  if (question.node().empty() && nodes.empty())
    return absl::FailedPreconditionError("the graph keeps no hierarchy of episodes");
  const std::string& name = question.node().empty() ? nodes.front() : question.node();
  bool reads = false;
  absl::Status answer;
  const absl::Status status = host.graph().Read(
      name, context.left_us(), [&](const graph::Operator& candidate, graph::LogPosition applied) {
        const auto* const reader = dynamic_cast<const HierarchyReader*>(&candidate);
        if (reader == nullptr) return;
        reads = true;
        const EpisodeView view = question.has_as_of_us()
                                     ? EpisodeView(reader->tree(), question.as_of_us())
                                     : EpisodeView(reader->tree());
        if (question.has_as_of_us()) answer = CheckKept(view, question.as_of_us());
        if (answer.ok()) answer = read(view, *reader);
        *state.mutable_position() = EncodePosition(applied);
        state.set_level_count(view.level_count());
        state.set_known_until_us(view.level_count() > 0 ? view.known_until_us() : 0);
        if (!view.is_past()) state.set_snapshot_count(view.tree().snapshot_count());
      });
  if (absl::IsNotFound(status))
    return WithReason(status, v1::ERROR_REASON_UNKNOWN_NODE, {{"node", name}});
  WEFT_TRY(status);
  if (!reads)
    return InvalidField("tree.node", Concat("\"", name, "\" keeps no hierarchy; these do: ",
                                            graph::JoinNames(nodes, ", ", "none")));
  state.set_node(name);
  return answer;
}

absl::StatusOr<std::int32_t> CheckedLevel(std::int32_t level, std::int32_t otherwise) {
  if (level == 0) return otherwise;
  if (level >= 1 && level <= kMostLevels) return level;
  return InvalidField("level", Concat("expected 1 to ", kMostLevels, ", got ", level));
}

absl::Status CheckLevels(const google::protobuf::RepeatedField<std::int32_t>& levels) {
  for (const std::int32_t level : levels)
    if (level < 1 || level > kMostLevels)
      return InvalidField("level", Concat("expected 1 to ", kMostLevels, ", got ", level));
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> CheckedCount(std::string_view field, std::int64_t count,
                                          std::int64_t otherwise, std::int64_t most,
                                          std::int64_t least) {
  if (count == 0) return otherwise;
  if (count >= least && count <= most) return count;
  return InvalidField(field, Concat("expected ", least, " to ", most, ", got ", count));
}

EpisodeRange RangeOf(const EpisodeView& view, std::int32_t level, Stretch stretch) {
  if (level > view.level_count()) return {level, 0, 0};
  return view.Overlapping(level, stretch.from_us, stretch.to_us);
}

absl::StatusOr<EpisodeRange> FindEpisode(const EpisodeView& view, std::uint64_t id) {
  if (const auto found = view.Find(id)) return *found;
  return absl::NotFoundError(Concat("there is no episode ", id, " then, or it is no longer kept"));
}

}  // namespace weft::rpc
