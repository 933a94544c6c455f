#include "tests/harness/memory_checkpoints.h"

#include <algorithm>
#include <cstring>

#include "graph/check.h"
#include "graph/text.h"

namespace weft::tests {
namespace {

using graph::CheckpointManifest;
using graph::CheckpointSink;
using graph::CheckpointSource;
using graph::Concat;

// Reads sections in order.
class SectionSource final : public CheckpointSource {
 public:
  explicit SectionSource(const MemoryCheckpoints::Sections& sections) : sections_(sections) {}

  absl::Status Read(std::string_view section, std::span<std::byte> bytes) override {
    if (next_ < sections_.size() && offset_ == sections_[next_].second.size() &&
        sections_[next_].first != section) {
      ++next_;
      offset_ = 0;
    }
    if (bytes.empty()) return absl::OkStatus();
    if (Remaining(section) < bytes.size()) {
      return absl::DataLossError(Concat("section \"", section, "\": ", bytes.size(),
                                        " bytes wanted, ", Remaining(section), " left"));
    }
    std::memcpy(bytes.data(), sections_[next_].second.data() + offset_, bytes.size());
    offset_ += bytes.size();
    return absl::OkStatus();
  }

  std::uint64_t Remaining(std::string_view section) const override {
    for (std::size_t i = next_; i < sections_.size(); ++i) {
      if (sections_[i].first == section) {
        return sections_[i].second.size() - (i == next_ ? offset_ : 0);
      }
    }
    return 0;
  }

 private:
  const MemoryCheckpoints::Sections& sections_;
  std::size_t next_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace

class MemoryCheckpoints::MemoryWriter final : public Writer {
 public:
  explicit MemoryWriter(MemoryCheckpoints& store) : store_(store) {}

  CheckpointSink& Operator(std::string_view node_name) override {
    sinks_.push_back(std::make_unique<Sink>(store_, stored_.operators[std::string(node_name)]));
    return *sinks_.back();
  }

  absl::Status Commit(const CheckpointManifest& manifest) override {
    WEFT_TRY(store_.write_status());
    const std::lock_guard lock(store_.mutex_);
    stored_.manifest = manifest;
    stored_.manifest.id = store_.checkpoints_.empty() ? 1 : store_.checkpoints_.rbegin()->first + 1;
    store_.checkpoints_[stored_.manifest.id] = std::move(stored_);
    return absl::OkStatus();
  }

 private:
  class Sink final : public CheckpointSink {
   public:
    Sink(MemoryCheckpoints& store, Sections& sections) : store_(store), sections_(sections) {}
    absl::Status Write(std::string_view section, std::span<const std::byte> bytes) override {
      WEFT_TRY(store_.write_status());
      if (sections_.empty() || sections_.back().first != section) {
        sections_.emplace_back(std::string(section), "");
      }
      sections_.back().second.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return absl::OkStatus();
    }

   private:
    MemoryCheckpoints& store_;
    Sections& sections_;
  };

  MemoryCheckpoints& store_;
  Stored stored_;
  std::vector<std::unique_ptr<Sink>> sinks_;
};

class MemoryCheckpoints::MemoryReader final : public Reader {
 public:
  explicit MemoryReader(Stored stored) : stored_(std::move(stored)) {}

  const CheckpointManifest& manifest() const override { return stored_.manifest; }

  absl::StatusOr<CheckpointSource*> Operator(std::string_view node_name) override {
    const auto found = stored_.operators.find(node_name);
    if (found == stored_.operators.end()) {
      return absl::NotFoundError(Concat("no state of \"", node_name, "\""));
    }
    sources_.push_back(std::make_unique<SectionSource>(found->second));
    return sources_.back().get();
  }

 private:
  const Stored stored_;
  std::vector<std::unique_ptr<SectionSource>> sources_;
};

absl::StatusOr<std::unique_ptr<graph::CheckpointStore::Writer>> MemoryCheckpoints::Begin() {
  return std::make_unique<MemoryWriter>(*this);
}

absl::StatusOr<std::vector<CheckpointManifest>> MemoryCheckpoints::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<CheckpointManifest> manifests;
  for (const auto& [id, stored] : checkpoints_) manifests.push_back(stored.manifest);
  std::reverse(manifests.begin(), manifests.end());
  return manifests;
}

absl::StatusOr<std::unique_ptr<graph::CheckpointStore::Reader>> MemoryCheckpoints::Open(
    std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = checkpoints_.find(id);
  if (found == checkpoints_.end()) return absl::NotFoundError(Concat("no checkpoint ", id));
  return std::make_unique<MemoryReader>(found->second);
}

void MemoryCheckpoints::set_write_status(absl::Status status) {
  const std::lock_guard lock(mutex_);
  write_status_ = std::move(status);
}

absl::Status MemoryCheckpoints::write_status() const {
  const std::lock_guard lock(mutex_);
  return write_status_;
}

MemoryCheckpoints::Stored& MemoryCheckpoints::stored(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = checkpoints_.find(id);
  WEFT_CHECK(found != checkpoints_.end());
  return found->second;
}

std::unique_ptr<graph::CheckpointStore::Reader> MemoryCheckpoints::OpenNewest() const {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    WEFT_CHECK(!checkpoints_.empty());
    id = checkpoints_.rbegin()->first;
  }
  auto reader = Open(id);
  WEFT_CHECK_OK(reader.status());
  return *std::move(reader);
}

}  // namespace weft::tests
