// ExpertSet: some of the experts of an ensemble, by their places in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft::operators::sequence {

class ExpertSet {
 public:
  // Experts of an ensemble.
  static constexpr std::size_t kMost = 32;

  void Add(std::size_t expert) { bits_ |= std::uint32_t{1} << expert; }
  bool Has(std::size_t expert) const { return (bits_ >> expert & 1) != 0; }

 private:
  std::uint32_t bits_ = 0;
};

// The names of `Expert`s, of which there are `count`, for options.
template <class Expert>
std::vector<std::string> ExpertNames(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t e = 0; e < count; ++e) names.emplace_back(NameOf(static_cast<Expert>(e)));
  return names;
}
// Those of them that are named.
template <class Expert>
ExpertSet ExpertsNamed(std::span<const std::string> names, std::size_t count) {
  ExpertSet set;
  for (std::size_t e = 0; e < count; ++e)
    for (const std::string& name : names)
      if (name == NameOf(static_cast<Expert>(e))) set.Add(e);
  return set;
}

}  // namespace weft::operators::sequence
