#include "graph/catalog.h"

#include <set>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/empty.pb.h"
#include "graph/check.h"
#include "graph/suggestion.h"
#include "graph/text.h"

namespace weft::graph {

std::unique_ptr<Operator> Catalog::Entry::Make() const {
  std::unique_ptr<Operator> made = make();
  made->set_contract(&contract);
  return made;
}

const google::protobuf::Message* Catalog::Entry::OptionsPrototype() const {
  if (contract.options_type.empty()) return &google::protobuf::Empty::default_instance();
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
          std::string(contract.options_type));
  if (descriptor == nullptr) return nullptr;
  return google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor);
}

void Catalog::AddEntry(Entry entry) {
  std::string name = entry.name;
  WEFT_CHECK(!name.empty());
  const bool added = entries_.emplace(std::move(name), std::move(entry)).second;
  WEFT_CHECK(added);
}

absl::StatusOr<const Catalog::Entry*> Catalog::Find(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found != entries_.end()) return &found->second;
  std::vector<std::string_view> names;
  names.reserve(entries_.size());
  for (const auto& [known, entry] : entries_) names.push_back(known);
  return absl::NotFoundError(Concat("unknown operator \"", name, "\"", DidYouMean(name, names)));
}

std::vector<std::string_view> Catalog::PacketTypes() const {
  std::set<std::string_view> types;
  for (const auto& [name, entry] : entries_) {
    for (const PortInfo& port : entry.contract.inputs) types.insert(port.type);
    for (const PortInfo& port : entry.contract.outputs) types.insert(port.type);
  }
  return {types.begin(), types.end()};
}

}  // namespace weft::graph
