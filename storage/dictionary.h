// RocksDictionary: graph::Dictionary on the column families nodes and feeds. Internal to storage/;
// reached through DataDirectory. Thread rule: any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "graph/state.h"
#include "storage/database.h"

namespace weft::storage {

class RocksDictionary final : public graph::Dictionary {
 public:
  // Feeds that one data directory may have.
  static constexpr std::size_t kMaxFeeds = 1024;

  // `database` outlives the dictionary.
  static absl::StatusOr<std::unique_ptr<RocksDictionary>> Open(Database* database);

  absl::Status ReadNodes(
      const std::function<void(graph::NodeId, std::string_view)>& visit) const override;
  absl::StatusOr<std::string> Key(graph::NodeId node) const override;
  // RESOURCE_EXHAUSTED beyond kMaxFeeds, INVALID_ARGUMENT for an empty name.
  absl::StatusOr<std::uint32_t> FeedNumber(std::string_view name) override;
  std::vector<std::string> Feeds() const override;

 private:
  explicit RocksDictionary(Database* database) : database_(database) {}

  Database* const database_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint32_t, std::less<>> feeds_;  // guarded by mutex_
};

}  // namespace weft::storage
