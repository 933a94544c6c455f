// PageSink and PageSource: one operator's state into pages and back. Internal to storage/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <xxhash.h>

#include "graph/state.h"
#include "storage/checkpoint_format.h"
#include "storage/database.h"

namespace weft::storage {

// Cuts sections into pages of RocksCheckpointStore::kPageBytes and writes each when it is full.
class PageSink final : public graph::CheckpointSink {
 public:
  // `admit` is asked before each page whether it may be written.
  PageSink(Database* database, std::uint64_t id, std::uint32_t index, std::string_view node_name,
           std::function<absl::Status()> admit);

  absl::Status Write(std::string_view section, std::span<const std::byte> bytes) override;
  // Writes the last page; nothing may be written after it.
  absl::Status Finish();
  // Complete after Finish.
  const OperatorPages& pages() const { return pages_; }

 private:
  struct FreeHash {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  absl::Status WritePage();

  Database* const database_;
  const std::uint64_t id_;
  const std::uint32_t index_;
  const std::function<absl::Status()> admit_;
  OperatorPages pages_;
  std::string page_;
  std::unique_ptr<XXH3_state_t, FreeHash> hash_;
};

// Reads pages one after another, each checked before a byte of it is given out.
class PageSource final : public graph::CheckpointSource {
 public:
  // `pages` outlives the source.
  PageSource(const Database* database, std::uint64_t id, std::uint32_t index,
             const OperatorPages* pages);

  absl::Status Read(std::string_view section, std::span<std::byte> bytes) override;
  std::uint64_t Remaining(std::string_view section) const override;
  // Reads everything and compares with the manifest. DATA_LOSS if something differs. Uses the
  // source up.
  absl::Status Verify();

 private:
  absl::Status NextPage();

  const Database* const database_;
  const std::uint64_t id_;
  const std::uint32_t index_;
  const OperatorPages* const pages_;
  std::uint32_t next_page_ = 0;
  std::string page_;
  std::size_t page_used_ = 0;
  std::size_t section_ = 0;
  std::uint64_t section_used_ = 0;
};

}  // namespace weft::storage
