#include "rpc/json_message.h"

#include "absl/strings/string_view.h"
#include "google/protobuf/util/json_util.h"
#include "graph/text.h"

namespace weft::rpc {

using google::protobuf::Message;

absl::StatusOr<std::unique_ptr<Message>> ParseJson(std::string_view json,
                                                   const Message& prototype) {
  std::unique_ptr<Message> message(prototype.New());
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), message.get());
  if (parsed.ok()) return message;
  return absl::InvalidArgumentError(graph::Concat("the body is not the JSON of a ",
                                                  prototype.GetDescriptor()->full_name(), ": ",
                                                  parsed.message()));
}

absl::StatusOr<std::string> PrintJson(const Message& message) {
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  const auto printed = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!printed.ok()) return absl::InternalError(std::string(printed.message()));
  return text;
}

}  // namespace weft::rpc
