// What VisitState of the classes in cache/ and operators/ writes to and reads from: one section of
// a checkpoint.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "graph/section.h"
#include "graph/state.h"
#include "graph/text.h"

namespace weft::graph {

// The first error stays; nothing is written or read after it.
class SavingArchive {
 public:
  static constexpr bool kLoads = false;

  SavingArchive(std::string_view section, CheckpointSink& sink) : section_(section), sink_(sink) {}

  template <class T>
  void Value(const T& value) {
    if (status_.ok()) status_ = WriteValue(section_, value, sink_);
  }
  // As many as a loading object has of its own.
  template <class T>
  void Fixed(const std::vector<T>& values) {
    if (status_.ok()) status_ = sink_.Write(section_, std::as_bytes(std::span(values)));
  }
  template <class T>
  void Fixed(std::span<const T> values) {
    if (status_.ok()) status_ = sink_.Write(section_, std::as_bytes(values));
  }
  template <class T>
  void Array(const std::vector<T>& values, std::uint64_t) {
    if (status_.ok()) status_ = WriteArray(section_, std::span(values), sink_);
  }
  const absl::Status& status() const { return status_; }

 private:
  std::string_view section_;
  CheckpointSink& sink_;
  absl::Status status_;
};

class LoadingArchive {
 public:
  static constexpr bool kLoads = true;

  LoadingArchive(std::string_view section, CheckpointSource& source)
      : section_(section), source_(source) {}

  template <class T>
  void Value(T& value) {
    if (ok()) status_ = ReadValue(section_, value, source_);
  }
  template <class T>
  void Fixed(std::vector<T>& values) {
    if (ok()) status_ = source_.Read(section_, std::as_writable_bytes(std::span(values)));
  }
  template <class T>
  void Fixed(std::span<T> values) {
    if (ok()) status_ = source_.Read(section_, std::as_writable_bytes(values));
  }
  template <class T>
  void Array(std::vector<T>& values, std::uint64_t most) {
    if (ok()) status_ = ReadArray(section_, most, values, source_);
  }
  void Check(bool holds, std::string_view expected) {
    if (ok() && !holds)
      status_ = absl::DataLossError(Concat("section ", section_, ": expected ", expected));
  }
  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }

 private:
  std::string_view section_;
  CheckpointSource& source_;
  absl::Status status_;
};

// An object's VisitState, as an operator's Save and Load.
template <class T>
absl::Status SaveState(std::string_view section, const T& object, CheckpointSink& sink) {
  SavingArchive archive(section, sink);
  T::VisitState(object, archive);
  return archive.status();
}
template <class T>
absl::Status LoadState(std::string_view section, T& object, CheckpointSource& source) {
  LoadingArchive archive(section, source);
  T::VisitState(object, archive);
  return archive.status();
}

}  // namespace weft::graph
