#include "storage/checkpoint_streams.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/checkpoint_store.h"

namespace weft::storage {

PageSink::PageSink(Database* database, std::uint64_t id, std::uint32_t index,
                   std::string_view node_name, std::function<absl::Status()> admit)
    : database_(database),
      id_(id),
      index_(index),
      admit_(std::move(admit)),
      hash_(XXH3_createState()) {
  WEFT_CHECK(hash_ != nullptr);
  pages_.node_name = node_name;
  XXH3_64bits_reset(hash_.get());
}

absl::Status PageSink::Write(std::string_view section, std::span<const std::byte> bytes) {
  if (pages_.sections.empty() || pages_.sections.back().name != section) {
    pages_.sections.push_back({std::string(section), 0});
  }
  pages_.sections.back().bytes += bytes.size();
  pages_.bytes += bytes.size();
  XXH3_64bits_update(hash_.get(), bytes.data(), bytes.size());
  while (!bytes.empty()) {
    const std::size_t room = RocksCheckpointStore::kPageBytes - page_.size();
    const std::size_t taken = std::min(room, bytes.size());
    page_.append(reinterpret_cast<const char*>(bytes.data()), taken);
    bytes = bytes.subspan(taken);
    if (page_.size() == RocksCheckpointStore::kPageBytes) WEFT_TRY(WritePage());
  }
  return absl::OkStatus();
}

absl::Status PageSink::WritePage() {
  WEFT_TRY(admit_());
  const std::string key = PageKey(id_, index_, pages_.page_count);
  rocksdb::WriteBatch batch;
  batch.Put(database_->handle(Family::kCheckpoints), key, EncodePage(key, page_));
  WEFT_TRY(database_->Write(batch, Durability::kUnlogged));
  ++pages_.page_count;
  page_.clear();
  return absl::OkStatus();
}

absl::Status PageSink::Finish() {
  if (!page_.empty()) WEFT_TRY(WritePage());
  pages_.hash = XXH3_64bits_digest(hash_.get());
  return absl::OkStatus();
}

PageSource::PageSource(const Database* database, std::uint64_t id, std::uint32_t index,
                       const OperatorPages* pages)
    : database_(database), id_(id), index_(index), pages_(pages) {}

absl::Status PageSource::NextPage() {
  const std::string key = PageKey(id_, index_, next_page_);
  absl::StatusOr<std::string> value = database_->Get(Family::kCheckpoints, key);
  if (absl::IsNotFound(value.status())) {
    return absl::DataLossError(absl::StrCat("checkpoint ", id_, " node ", pages_->node_name,
                                            ": page ", next_page_, " is missing"));
  }
  WEFT_TRY(value.status());
  WEFT_ASSIGN(page_, DecodePage(key, *std::move(value)));
  page_used_ = 0;
  ++next_page_;
  return absl::OkStatus();
}

absl::Status PageSource::Read(std::string_view section, std::span<std::byte> bytes) {
  // Skips sections that were read to their end; among them empty ones.
  while (section_ < pages_->sections.size() && section_used_ == pages_->sections[section_].bytes &&
         (pages_->sections[section_].name != section || !bytes.empty())) {
    ++section_;
    section_used_ = 0;
  }
  if (section_ >= pages_->sections.size() || pages_->sections[section_].name != section) {
    return absl::DataLossError(absl::StrCat(
        "checkpoint ", id_, " node ", pages_->node_name, ": expected section ",
        std::string(section), ", found ",
        section_ < pages_->sections.size() ? pages_->sections[section_].name : "the end"));
  }
  const std::uint64_t left = pages_->sections[section_].bytes - section_used_;
  if (bytes.size() > left) {
    return absl::DataLossError(absl::StrCat("checkpoint ", id_, " node ", pages_->node_name,
                                            " section ", std::string(section), ": ", left,
                                            " bytes left, ", bytes.size(), " asked for"));
  }
  section_used_ += bytes.size();
  while (!bytes.empty()) {
    if (page_used_ == page_.size()) WEFT_TRY(NextPage());
    const std::size_t taken = std::min(bytes.size(), page_.size() - page_used_);
    std::memcpy(bytes.data(), page_.data() + page_used_, taken);
    page_used_ += taken;
    bytes = bytes.subspan(taken);
  }
  return absl::OkStatus();
}

std::uint64_t PageSource::Remaining(std::string_view section) const {
  for (std::size_t i = section_; i < pages_->sections.size(); ++i) {
    if (pages_->sections[i].name != section) continue;
    return pages_->sections[i].bytes - (i == section_ ? section_used_ : 0);
  }
  return 0;
}

absl::Status PageSource::Verify() {
  XXH3_state_t* const hash = XXH3_createState();
  WEFT_CHECK(hash != nullptr);
  XXH3_64bits_reset(hash);
  std::uint64_t bytes = 0;
  absl::Status status;
  for (std::uint32_t i = 0; i < pages_->page_count && status.ok(); ++i) {
    status = NextPage();
    if (!status.ok()) break;
    bytes += page_.size();
    XXH3_64bits_update(hash, page_.data(), page_.size());
  }
  const std::uint64_t digest = XXH3_64bits_digest(hash);
  XXH3_freeState(hash);
  WEFT_TRY(status);
  if (bytes == pages_->bytes && digest == pages_->hash) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("checkpoint ", id_, " node ", pages_->node_name, ": not what was written"));
}

}  // namespace weft::storage
