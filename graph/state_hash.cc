#include "graph/state_hash.h"

#include "graph/check.h"
#include "graph/text.h"

namespace weft::graph {

StateHasher::StateHasher() : state_(XXH3_createState()) {
  WEFT_CHECK(state_ != nullptr);
  XXH3_64bits_reset(state_.get());
}

void StateHasher::Add(std::string_view section, std::span<const std::byte> bytes) {
  if (!in_section_ || section != section_) {
    EndSection();
    section_ = std::string(section);
    in_section_ = true;
  }
  XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
  section_bytes_ += bytes.size();
  total_bytes_ += bytes.size();
}

void StateHasher::EndSection() {
  if (!in_section_) return;
  const std::uint64_t name_bytes = section_.size();
  XXH3_64bits_update(state_.get(), &section_bytes_, sizeof(section_bytes_));
  XXH3_64bits_update(state_.get(), section_.data(), section_.size());
  XXH3_64bits_update(state_.get(), &name_bytes, sizeof(name_bytes));
  section_bytes_ = 0;
  in_section_ = false;
}

std::uint64_t StateHasher::Finish() {
  EndSection();
  return XXH3_64bits_digest(state_.get());
}

absl::Status HashingSink::Write(std::string_view section, std::span<const std::byte> bytes) {
  hasher_.Add(section, bytes);
  return next_ == nullptr ? absl::OkStatus() : next_->Write(section, bytes);
}

absl::Status HashingSource::Read(std::string_view section, std::span<std::byte> bytes) {
  if (from_ == nullptr) {
    return absl::DataLossError(Concat("the checkpoint has no section \"", section, "\""));
  }
  WEFT_TRY(from_->Read(section, bytes));
  hasher_.Add(section, bytes);
  return absl::OkStatus();
}

std::uint64_t HashingSource::Remaining(std::string_view section) const {
  return from_ == nullptr ? 0 : from_->Remaining(section);
}

}  // namespace weft::graph
