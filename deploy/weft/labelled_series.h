// Series of a folder with the windows in which they are anomalous, as the Numenta Anomaly Benchmark
// keeps them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/time.h"
#include "operators/sequence/anomaly_evaluation.h"

namespace weft::deploy {

// By file, relative to the folder: {"folder/file.csv": [["2014-04-10 07:15:00", "2014-04-11 ..."]]}
using WindowsOfFiles = std::map<std::string, std::vector<std::pair<graph::TimeUs, graph::TimeUs>>>;

// INVALID_ARGUMENT that names the file and what was expected.
absl::StatusOr<WindowsOfFiles> LoadWindows(const std::string& path);

// Records whose times lie in the windows of a series.
std::vector<operators::sequence::LabelledWindow> RecordsOf(
    const std::vector<std::pair<graph::TimeUs, graph::TimeUs>>& windows,
    const std::vector<graph::TimeUs>& time_us);

// Every CSV file below `folder`, by name. NOT_FOUND if there is none.
absl::StatusOr<std::vector<operators::sequence::NamedSeries>> LoadLabelledSeries(
    const std::string& folder, const WindowsOfFiles& windows);

}  // namespace weft::deploy
