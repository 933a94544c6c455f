// Checkpoints of a running graph: barriers, manifests and restoring.

#include <span>
#include <utility>

#include <xxhash.h>

#include "graph/check.h"
#include "graph/running_graph.h"
#include "graph/state_hash.h"
#include "graph/text.h"

namespace weft::graph {
namespace {

// Where a graph with several inputs keeps how far the time of each has come. No node has such a
// name.
constexpr std::string_view kInputsEntry = "(inputs)";
constexpr std::string_view kTimesSection = "time_us";

}  // namespace

absl::StatusOr<CheckpointManifest> RunningGraph::Checkpoint(CheckpointStore& store) {
  const Visit visit(state_);
  WEFT_TRY(visit.status());
  const std::lock_guard lock(checkpoint_mutex_);
  WEFT_ASSIGN(const std::unique_ptr<CheckpointStore::Writer> writer, store.Begin());
  WEFT_ASSIGN(CheckpointManifest manifest, SendBarrier(writer.get()));
  WEFT_TRY(writer->Commit(manifest));
  WEFT_ASSIGN(const std::vector<CheckpointManifest> kept, store.List());
  if (!kept.empty()) manifest.id = kept.front().id;
  return manifest;
}

absl::StatusOr<CheckpointManifest> RunningGraph::StateHash() {
  const Visit visit(state_);
  WEFT_TRY(visit.status());
  const std::lock_guard lock(checkpoint_mutex_);
  return SendBarrier(nullptr);
}

absl::StatusOr<CheckpointManifest> RunningGraph::SendBarrier(CheckpointStore::Writer* writer) {
  const auto part_count = static_cast<int>(nodes_.size() + outputs_.size());
  const auto barrier =
      std::make_shared<Barrier>(writer, part_count, nodes_.size(), input_names_.size());
  {
    const std::lock_guard lock(barrier_mutex_);
    barrier_ = barrier;
  }
  for (const auto& ingress : ingresses_) ingress->SendBarrier(barrier);
  const absl::Status status = barrier->Wait(state_);
  {
    const std::lock_guard lock(barrier_mutex_);
    barrier_ = nullptr;
  }
  WEFT_TRY(status);
  if (writer != nullptr && input_names_.size() > 1) {
    WEFT_TRY(SaveInputs(*writer, barrier->inputs()));
  }
  return MakeManifest(*barrier);
}

absl::Status RunningGraph::SaveInputs(CheckpointStore::Writer& writer,
                                      const std::vector<Barrier::InputMark>& marks) const {
  CheckpointSink& sink = writer.Operator(kInputsEntry);
  for (const Barrier::InputMark& mark : marks) {
    WEFT_TRY(sink.Write(kTimesSection, std::as_bytes(std::span(&mark.time_us, 1))));
  }
  return absl::OkStatus();
}

CheckpointManifest RunningGraph::MakeManifest(const Barrier& barrier) const {
  CheckpointManifest manifest;
  manifest.spec_digest = spec_.digest();
  for (const Barrier::InputMark& mark : barrier.inputs()) manifest.applied.push_back(mark.applied);
  std::vector<std::uint64_t> exact_hashes;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Contract& contract = nodes_[i]->op().declared();
    const Barrier::Saved& saved = barrier.saved()[i];
    manifest.operators.push_back({nodes_[i]->name(), spec_.nodes()[i].entry->name,
                                  contract.state_version, saved.bytes, saved.hash});
    if (contract.exactness == Exactness::kExact) exact_hashes.push_back(saved.hash);
  }
  manifest.state_hash =
      XXH3_64bits(exact_hashes.data(), exact_hashes.size() * sizeof(std::uint64_t));
  return manifest;
}

absl::Status RunningGraph::Restore(CheckpointStore::Reader& checkpoint) {
  {
    const std::lock_guard lock(life_mutex_);
    if (started_ || closed_) {
      return absl::FailedPreconditionError("a graph is restored before it is started");
    }
  }
  absl::Status status = CheckManifest(checkpoint.manifest());
  for (std::size_t i = 0; status.ok() && i < nodes_.size(); ++i) {
    status = RestoreNode(i, checkpoint);
  }
  if (status.ok()) status = RestoreInputs(checkpoint);
  if (!status.ok()) state_.Stop(status);
  return status;
}

absl::Status RunningGraph::CheckManifest(const CheckpointManifest& manifest) const {
  if (manifest.spec_digest != spec_.digest()) {
    return absl::FailedPreconditionError(
        Concat("the checkpoint was written by a graph with spec digest ", manifest.spec_digest,
               ", this graph's is ", spec_.digest()));
  }
  if (manifest.operators.size() != nodes_.size() ||
      manifest.applied.size() != input_names_.size()) {
    return absl::DataLossError(Concat("the checkpoint has ", manifest.operators.size(),
                                      " operators and ", manifest.applied.size(),
                                      " inputs, the graph has ", nodes_.size(), " and ",
                                      input_names_.size()));
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const CheckpointManifest::OperatorEntry& entry = manifest.operators[i];
    const std::string& operator_name = spec_.nodes()[i].entry->name;
    if (entry.name != nodes_[i]->name() || entry.operator_name != operator_name) {
      return absl::DataLossError(Concat("the checkpoint has ", entry.name, " (",
                                        entry.operator_name, ") where the graph has ",
                                        nodes_[i]->name(), " (", operator_name, ")"));
    }
    const std::uint32_t version = nodes_[i]->op().declared().state_version;
    if (entry.state_version != version) {
      return absl::FailedPreconditionError(
          Concat("node \"", entry.name, "\": the checkpoint has state version ",
                 entry.state_version, ", operator ", operator_name, " has ", version));
    }
  }
  return absl::OkStatus();
}

absl::Status RunningGraph::RestoreNode(std::size_t node, CheckpointStore::Reader& checkpoint) {
  NodeRunner& runner = *nodes_[node];
  const CheckpointManifest& manifest = checkpoint.manifest();
  const CheckpointManifest::OperatorEntry& entry = manifest.operators[node];
  if (!runner.op().declared().stateful) return absl::OkStatus();
  const absl::StatusOr<CheckpointSource*> source = checkpoint.Operator(entry.name);
  const bool absent = absl::IsNotFound(source.status()) && entry.bytes == 0;
  if (!source.ok() && !absent) return source.status();
  HashingSource hashing(absent ? nullptr : *source);
  const absl::Status loaded = runner.op().Load(hashing);
  if (!loaded.ok()) {
    return absl::Status(loaded.code(),
                        Concat("node \"", entry.name, "\": loading: ", loaded.message()));
  }
  const std::uint64_t bytes = hashing.hasher().bytes();
  if (bytes != entry.bytes) {
    return absl::DataLossError(
        Concat("node \"", entry.name, "\": loaded ", bytes, " of ", entry.bytes, " bytes"));
  }
  const bool exact = runner.op().declared().exactness == Exactness::kExact;
  if (exact && hashing.hasher().Finish() != entry.hash) {
    return absl::DataLossError(
        Concat("node \"", entry.name, "\": its state has another hash than the manifest"));
  }
  return absl::OkStatus();
}

absl::Status RunningGraph::RestoreInputs(CheckpointStore::Reader& checkpoint) {
  const std::vector<LogPosition>& applied = checkpoint.manifest().applied;
  std::vector<Barrier::InputMark> marks(applied.size());
  CheckpointSource* times = nullptr;
  if (marks.size() > 1) {
    WEFT_ASSIGN(times, checkpoint.Operator(kInputsEntry));
  }
  for (std::size_t i = 0; i < marks.size(); ++i) {
    marks[i].applied = applied[i];
    if (times != nullptr) {
      WEFT_TRY(times->Read(kTimesSection, std::as_writable_bytes(std::span(&marks[i].time_us, 1))));
    }
    const InputRoute& route = input_routes_.find(input_names_[i])->second;
    route.ingress->Restore(route.index, marks[i]);
  }
  // Until it processes something, a node stands where the first input that feeds it stands.
  std::vector<LogPosition> positions(nodes_.size());
  for (std::size_t pass = 0; pass < nodes_.size(); ++pass) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const int stream_index = spec_.nodes()[i].inputs.front().stream;
      const ParsedSpec::Stream& stream = spec_.streams()[static_cast<std::size_t>(stream_index)];
      positions[i] = stream.node < 0 ? applied[static_cast<std::size_t>(stream.port)]
                                     : positions[static_cast<std::size_t>(stream.node)];
    }
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i]->RestorePosition(positions[i]);
  return absl::OkStatus();
}

}  // namespace weft::graph
