// Catalog: every operator that a graph may name. Filled once at start, explicitly, so that no
// linker can drop an operator; then only read. Thread rule: Add from one thread before any other
// use; everything else from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "graph/contract.h"
#include "graph/operator.h"

namespace weft::graph {

class Catalog {
 public:
  struct Entry {
    std::string name;
    Contract contract;
    std::function<std::unique_ptr<Operator>()> make;

    // A fresh operator that knows its contract; the entry must outlive it.
    std::unique_ptr<Operator> Make() const;
    // The default instance of the contract's options message; of google.protobuf.Empty where it
    // takes none. Null if the message is not linked into the program.
    const google::protobuf::Message* OptionsPrototype() const;
  };
  // Sorted by name; addresses of entries stay valid while the catalog lives.
  using Entries = std::map<std::string, Entry, std::less<>>;

  // Registers a class with a static `contract()` and a default constructor. A name may be given
  // once.
  template <class T>
  void Add(std::string_view name) {
    AddEntry({std::string(name), T::contract(), [] { return std::make_unique<T>(); }});
  }
  void AddEntry(Entry entry);

  const Entries& entries() const { return entries_; }
  // NOT_FOUND with the nearest name: `unknown operator "nta"; did you mean "nat"?`
  absl::StatusOr<const Entry*> Find(std::string_view name) const;
  // Every packet type that some port has, sorted.
  std::vector<std::string_view> PacketTypes() const;

 private:
  Entries entries_;
};

}  // namespace weft::graph
