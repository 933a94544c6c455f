#include "graph/spec_text.h"

#include <utility>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "graph/suggestion.h"
#include "graph/text.h"

namespace weft::graph {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::TextFormat;

constexpr int kNestingMax = 64;

// Cuts the text between `before` and the next `"` out of `message`; empty if `before` does not
// occur.
std::string_view Quoted(std::string_view message, std::string_view before) {
  const std::size_t begin = message.find(before);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = message.substr(begin + before.size());
  return rest.substr(0, rest.find('"'));
}

// Messages in any pool prefix: "type.url/", "type.googleapis.com/", ...
class OptionsFinder : public TextFormat::Finder {
 public:
  const Descriptor* FindAnyType(const Message&, const std::string&,
                                const std::string& name) const override {
    return DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  }
};

// Keeps errors, each with the suggestion that fits it.
class Collector : public google::protobuf::io::ErrorCollector {
 public:
  Collector(const Catalog& catalog, std::vector<SpecError>& errors)
      : catalog_(catalog), errors_(errors) {}

  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    errors_.push_back({{line + 1, column + 1}, Concat(message, Hint(message))});
  }
  void AddWarning(int, google::protobuf::io::ColumnNumber, const std::string&) override {}

 private:
  std::string Hint(std::string_view message) const {
    if (message.find("has no field named") != std::string_view::npos) {
      const auto* type = DescriptorPool::generated_pool()->FindMessageTypeByName(
          std::string(Quoted(message, "Message type \"")));
      if (type == nullptr) return "";
      std::vector<std::string_view> fields;
      fields.reserve(static_cast<std::size_t>(type->field_count()));
      for (int i = 0; i < type->field_count(); ++i) fields.push_back(type->field(i)->name());
      return DidYouMean(Quoted(message, "has no field named \""), fields);
    }
    if (message.find("stored in google.protobuf.Any") != std::string_view::npos) {
      std::string_view name = Quoted(message, "Could not find type \"");
      name = name.substr(name.find('/') + 1);
      std::vector<std::string_view> types;
      for (const auto& [operator_name, entry] : catalog_.entries()) {
        if (!entry.contract.options_type.empty()) types.push_back(entry.contract.options_type);
      }
      return DidYouMean(name, types);
    }
    return "";
  }

  const Catalog& catalog_;
  std::vector<SpecError>& errors_;
};

}  // namespace

SpecText ParseSpecText(std::string_view text, const Catalog& catalog) {
  SpecText parsed;
  parsed.proto = std::make_shared<weft::graph::v1::GraphSpec>();
  parsed.locations = std::make_shared<TextFormat::ParseInfoTree>();
  if (text.size() > kSpecBytesMax) {
    parsed.errors.push_back(
        {{},
         Concat("a graph spec may have ", kSpecBytesMax, " bytes, this one has ", text.size())});
    return parsed;
  }
  Collector collector(catalog, parsed.errors);
  OptionsFinder finder;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(parsed.locations.get());
  parser.SetFinder(&finder);
  parser.SetRecursionLimit(kNestingMax);
  google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  if (!parser.Parse(&stream, parsed.proto.get()) && parsed.errors.empty()) {
    parsed.errors.push_back({{}, "not the text form of a weft.graph.v1.GraphSpec"});
  }
  return parsed;
}

}  // namespace weft::graph
