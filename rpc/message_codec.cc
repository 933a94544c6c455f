#include "rpc/message_codec.h"

#include "absl/strings/string_view.h"
#include "google/protobuf/util/json_util.h"
#include "graph/text.h"

namespace weft::rpc {

using google::protobuf::Message;

absl::StatusOr<std::unique_ptr<Message>> DecodeMessage(MessageCodec codec, std::string_view bytes,
                                                       const Message& prototype) {
  std::unique_ptr<Message> message(prototype.New());
  const std::string& type = prototype.GetDescriptor()->full_name();
  if (codec == MessageCodec::kBinary) {
    if (message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return message;
    return absl::InvalidArgumentError(graph::Concat("the body is not the binary form of a ", type));
  }
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(bytes.data(), bytes.size()), message.get());
  if (parsed.ok()) return message;
  return absl::InvalidArgumentError(
      graph::Concat("the body is not the JSON of a ", type, ": ", parsed.message()));
}

absl::StatusOr<std::string> EncodeMessage(MessageCodec codec, const Message& message) {
  if (codec == MessageCodec::kBinary) return message.SerializeAsString();
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  const auto printed = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!printed.ok()) return absl::InternalError(std::string(printed.message()));
  return text;
}

}  // namespace weft::rpc
