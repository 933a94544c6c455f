// A moment of the past at which a series went as it goes now.
#pragma once

#include <cstdint>

namespace weft::operators::sequence {

struct AlikeMoment {
  std::int64_t records_ago = 0;
  double distance = 0.0;  // root mean square difference of the records up to it and up to now
};

}  // namespace weft::operators::sequence
