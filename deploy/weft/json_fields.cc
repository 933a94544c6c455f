#include "deploy/weft/json_fields.h"

#include "graph/text.h"
#include "operators/io/json_text.h"
#include "operators/io/time_text.h"

namespace weft::deploy {

using operators::io::AppendJsonNumber;
using operators::io::AppendJsonString;

void AppendTime(graph::TimeUs time_us, std::string& lines) {
  lines += "\"time\":\"";
  lines += operators::io::FormatTime(time_us);
  lines += graph::Concat("\",\"time_us\":", time_us);
}

void AppendKey(std::string_view name, graph::NodeId node, const KeyOf& key_of, std::string& lines) {
  lines += graph::Concat(",\"", name, "\":");
  if (node == graph::kNoNode) {
    lines += "null";
  } else {
    AppendJsonString(lines, key_of(node));
  }
}

void AppendNumberOrNull(std::string_view name, std::optional<double> number, std::string& lines) {
  lines += graph::Concat(",\"", name, "\":");
  if (number) {
    AppendJsonNumber(lines, *number);
  } else {
    lines += "null";
  }
}

}  // namespace weft::deploy
