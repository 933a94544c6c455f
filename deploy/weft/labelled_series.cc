#include "deploy/weft/labelled_series.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/series_reader.h"

namespace weft::deploy {
namespace {

using graph::Concat;
using operators::sequence::LabelledWindow;
using operators::sequence::NamedSeries;

}  // namespace

absl::StatusOr<WindowsOfFiles> LoadWindows(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(path + ": expected a JSON file of windows, got none");
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    return absl::InvalidArgumentError(path + ": expected a JSON object of files, got none");
  WindowsOfFiles windows;
  for (const auto& [name, list] : json.items()) {
    auto& of_file = windows[name];
    for (const auto& window : list) {
      graph::TimeUs times[2] = {};
      const bool is_pair = window.is_array() && window.size() == 2;
      for (std::size_t i = 0; i < 2; ++i) {
        const bool is_time = is_pair && window[i].is_string() &&
                             operators::io::ParseTime(window[i].get<std::string>(),
                                                      operators::io::TimeUnit::kSeconds, times[i]);
        if (!is_time)
          return absl::InvalidArgumentError(
              Concat(path, ": ", name, ": expected windows of two times, got ", window.dump()));
      }
      of_file.emplace_back(times[0], times[1]);
    }
    std::ranges::sort(of_file);
  }
  return windows;
}

std::vector<LabelledWindow> RecordsOf(
    const std::vector<std::pair<graph::TimeUs, graph::TimeUs>>& windows,
    const std::vector<graph::TimeUs>& time_us) {
  std::vector<LabelledWindow> records;
  for (const auto& [from_us, to_us] : windows) {
    const auto begin = std::ranges::lower_bound(time_us, from_us) - time_us.begin();
    const auto end = std::ranges::upper_bound(time_us, to_us) - time_us.begin();
    if (begin < end) records.push_back({begin, end});
  }
  return records;
}

absl::StatusOr<std::vector<NamedSeries>> LoadLabelledSeries(const std::string& folder,
                                                            const WindowsOfFiles& windows) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  std::filesystem::recursive_directory_iterator entry(folder, error), end;
  for (; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".csv") paths.push_back(entry->path());
  if (error) return absl::NotFoundError(Concat(folder, ": ", error.message()));
  if (paths.empty())
    return absl::NotFoundError(folder + ": expected CSV files in the folder, got none");
  std::ranges::sort(paths);
  std::vector<NamedSeries> all;
  for (const std::filesystem::path& path : paths) {
    WEFT_ASSIGN(operators::io::Series series, operators::io::LoadSeries(path.string(), {}));
    NamedSeries& one = all.emplace_back();
    one.name = std::filesystem::relative(path, folder).generic_string();
    if (const auto found = windows.find(one.name); found != windows.end())
      one.windows = RecordsOf(found->second, series.time_us);
    one.time_us = std::move(series.time_us);
    one.value = std::move(series.value);
  }
  return all;
}

}  // namespace weft::deploy
