#include "storage/dictionary.h"

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/bytes.h"
#include "storage/keys.h"

namespace weft::storage {

absl::StatusOr<std::unique_ptr<RocksDictionary>> RocksDictionary::Open(Database* database) {
  auto dictionary = std::unique_ptr<RocksDictionary>(new RocksDictionary(database));
  const auto iterator = database->Iterate(Family::kFeeds);
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    ByteReader key(ToView(iterator->key()));
    key.KeyPart<std::uint16_t>();
    const auto feed = key.KeyPart<std::uint32_t>();
    const auto name = StripChecksum(ToView(iterator->value()));
    if (!key.finished() || !name) return absl::DataLossError("feed entry that is damaged");
    if (feed != dictionary->feeds_.size() + 1) {
      return absl::DataLossError(absl::StrCat("feed ", feed, " follows feed ",
                                              dictionary->feeds_.size(), " in the dictionary"));
    }
    dictionary->feeds_.emplace(*name, feed);
  }
  WEFT_TRY(ToStatus(iterator->status(), "feeds"));
  return dictionary;
}

absl::Status RocksDictionary::ReadNodes(
    const std::function<void(graph::NodeId, std::string_view)>& visit) const {
  const auto iterator = database_->Iterate(Family::kNodes);
  graph::NodeId expected = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++expected) {
    const auto node = DecodeNodeKey(ToView(iterator->key()));
    const std::string_view value = ToView(iterator->value());
    if (!node || *node != expected || value.empty()) {
      return absl::DataLossError(absl::StrCat("the dictionary is damaged at node ", expected));
    }
    visit(*node, value.substr(1));
  }
  return ToStatus(iterator->status(), "nodes");
}

absl::StatusOr<std::string> RocksDictionary::Key(graph::NodeId node) const {
  absl::StatusOr<std::string> value = database_->Get(Family::kNodes, EncodeNodeKey(node));
  if (absl::IsNotFound(value.status())) {
    return absl::NotFoundError(absl::StrCat("there is no node ", node));
  }
  WEFT_TRY(value.status());
  if (value->empty()) {
    return absl::DataLossError(absl::StrCat("the dictionary is damaged at node ", node));
  }
  return value->substr(1);
}

absl::StatusOr<std::uint32_t> RocksDictionary::FeedNumber(std::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("the name of a feed must not be empty");
  const std::scoped_lock lock(mutex_);
  if (const auto found = feeds_.find(name); found != feeds_.end()) return found->second;
  if (feeds_.size() >= kMaxFeeds) {
    return absl::ResourceExhaustedError(absl::StrCat("there are already ", kMaxFeeds, " feeds"));
  }
  const auto feed = static_cast<std::uint32_t>(feeds_.size() + 1);
  std::string value(name);
  AppendChecksum(value);
  rocksdb::WriteBatch batch;
  batch.Put(database_->handle(Family::kFeeds), FeedPrefix(feed), value);
  WEFT_TRY(database_->Write(batch, Durability::kSynced));
  feeds_.emplace(name, feed);
  return feed;
}

std::vector<std::string> RocksDictionary::Feeds() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> names(feeds_.size());
  for (const auto& [name, feed] : feeds_) names[feed - 1] = name;
  return names;
}

}  // namespace weft::storage
