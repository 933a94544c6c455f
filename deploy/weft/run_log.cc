#include <algorithm>

#include "deploy/weft/packet_json.h"
#include "deploy/weft/progress.h"
#include "deploy/weft/run_source.h"
#include "graph/check.h"
#include "rpc/log_replay.h"

namespace weft::deploy {
namespace {

class LogSource final : public RunSource {
 public:
  explicit LogSource(std::string data_dir) : data_dir_(std::move(data_dir)) {}

  absl::Status Open(const std::vector<std::string>& inputs) override {
    WEFT_ASSIGN(replay_, rpc::LogReplay::Open(data_dir_));
    for (const std::string& input : inputs) {
      WEFT_ASSIGN(const std::int32_t count, replay_->FeatureCount(input));
      feature_count_ = std::max(feature_count_, count);
    }
    return absl::OkStatus();
  }
  std::int32_t feature_count() const override { return feature_count_; }
  absl::Status PushAll(graph::Graph& graph) override {
    ProgressBar bar;
    return replay_->Run(graph, [&bar](std::uint64_t applied, std::uint64_t total) {
      bar.Show("entries", static_cast<std::int64_t>(applied), static_cast<std::int64_t>(total));
    });
  }
  absl::Status AppendJson(const graph::Packet& packet, std::string& lines) override {
    return AppendPacketJson(
        packet, [this](graph::NodeId node) { return replay_->Key(node); }, lines);
  }
  std::uint64_t event_count() const override { return replay_->event_count(); }
  std::uint64_t node_count() override { return replay_->node_count(); }

 private:
  const std::string data_dir_;
  std::unique_ptr<rpc::LogReplay> replay_;
  std::int32_t feature_count_ = 0;
};

}  // namespace

std::unique_ptr<RunSource> MakeLogSource(std::string data_dir) {
  return std::make_unique<LogSource>(std::move(data_dir));
}

}  // namespace weft::deploy
