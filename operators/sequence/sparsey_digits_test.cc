// Specification (d): handwritten digits as skeletons, stored once each. Freezing is what makes it
// work: cells whose weights are full answer to everything.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

#include "operators/sequence/sparsey_network.h"

namespace weft::operators::sequence {
namespace {

constexpr int kSide = 28, kWidth = 16, kHeight = 24;
constexpr std::size_t kDigits = 10;

using Gray = std::vector<double>;           // [kSide x kSide], 0 to 255
using Picture = std::vector<std::uint8_t>;  // [kHeight x kWidth], 0 or 1

struct Labelled {
  std::vector<Picture> picture;
  std::vector<std::size_t> digit;
};

std::filesystem::path Folder() {
  const char* const folder = std::getenv("WEFT_DATA");
  return std::filesystem::path(folder != nullptr ? folder : "../shared/data") / "images/mnist";
}

// zlib reads what is not compressed as it is.
std::vector<std::uint8_t> ReadBytes(const std::filesystem::path& path, std::size_t most) {
  std::vector<std::uint8_t> bytes(most);
  const gzFile file = gzopen(path.c_str(), "rb");
  const int count = file == nullptr ? 0 : gzread(file, bytes.data(), static_cast<unsigned>(most));
  if (file != nullptr) gzclose(file);
  bytes.resize(static_cast<std::size_t>(std::max(count, 0)));
  return bytes;
}

double At(const Gray& gray, int x, int y) {
  return x < 0 || y < 0 || x >= kSide || y >= kSide ? 0.0
                                                    : gray[static_cast<std::size_t>(y * kSide + x)];
}

// Between pixels.
double Between(const Gray& gray, double x, double y) {
  const int left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
  const double dx = x - left, dy = y - top;
  const auto row = [&](int of) {
    return At(gray, left, of) * (1.0 - dx) + At(gray, left + 1, of) * dx;
  };
  return row(top) * (1.0 - dy) + row(top + 1) * dy;
}

// Shears it so that it stands upright.
Gray Upright(const Gray& gray) {
  double all = 0.0, x_mean = 0.0, y_mean = 0.0, both = 0.0, y_square = 0.0;
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      all += At(gray, x, y);
      x_mean += At(gray, x, y) * x;
      y_mean += At(gray, x, y) * y;
    }
  x_mean /= all;
  y_mean /= all;
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      both += At(gray, x, y) * (x - x_mean) * (y - y_mean);
      y_square += At(gray, x, y) * (y - y_mean) * (y - y_mean);
    }
  Gray upright(gray.size());
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x)
      upright[static_cast<std::size_t>(y * kSide + x)] =
          Between(gray, x + both / y_square * (y - y_mean), y);
  return upright;
}

// What is inked, stretched over the picture, by no more than twice as much one way as the other.
Picture Stretched(const Gray& gray) {
  constexpr double kInk = 128.0, kOn = 110.0;
  constexpr int kParts = 4;
  int left = kSide, right = -1, top = kSide, bottom = -1;
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      if (At(gray, x, y) < kInk) continue;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = std::max(bottom, y);
    }
  double x_scale = static_cast<double>(right - left + 1) / kWidth;
  double y_scale = static_cast<double>(bottom - top + 1) / kHeight;
  const double least = std::max(x_scale, y_scale) / 2.0;
  x_scale = std::max(x_scale, least);
  y_scale = std::max(y_scale, least);
  const double x_middle = (left + right) / 2.0, y_middle = (top + bottom) / 2.0;
  Picture picture(kWidth * kHeight);
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      double sum = 0.0;
      for (int part = 0; part < kParts * kParts; ++part) {
        const double u = x + (part % kParts + 0.5) / kParts - kWidth / 2.0;
        const double v = y + (part / kParts + 0.5) / kParts - kHeight / 2.0;
        sum += Between(gray, x_middle + u * x_scale, y_middle + v * y_scale);
      }
      picture[static_cast<std::size_t>(y * kWidth + x)] = sum >= kOn * kParts * kParts ? 1 : 0;
    }
  return picture;
}

// Thins lines to one pixel (Zhang and Suen 1984).
void Thin(Picture& picture) {
  const auto at = [&picture](int x, int y) {
    return x >= 0 && y >= 0 && x < kWidth && y < kHeight &&
           picture[static_cast<std::size_t>(y * kWidth + x)] != 0;
  };
  const auto goes = [&at](int x, int y, bool is_second) {
    const std::array<bool, 8> around = {at(x, y - 1),     at(x + 1, y - 1), at(x + 1, y),
                                        at(x + 1, y + 1), at(x, y + 1),     at(x - 1, y + 1),
                                        at(x - 1, y),     at(x - 1, y - 1)};
    int count = 0, rises = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      count += around[k] ? 1 : 0;
      rises += !around[k] && around[(k + 1) % 8] ? 1 : 0;
    }
    if (count < 2 || count > 6 || rises != 1) return false;
    const auto all = [&around](std::size_t a, std::size_t b, std::size_t c) {
      return around[a] && around[b] && around[c];
    };
    return is_second ? !all(0, 2, 6) && !all(0, 4, 6) : !all(0, 2, 4) && !all(2, 4, 6);
  };
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (const bool is_second : {false, true}) {
      std::vector<std::size_t> going;
      for (int y = 0; y < kHeight; ++y)
        for (int x = 0; x < kWidth; ++x)
          if (at(x, y) && goes(x, y, is_second))
            going.push_back(static_cast<std::size_t>(y * kWidth + x));
      for (const std::size_t one : going) picture[one] = 0;
      has_changed |= !going.empty();
    }
  }
}

// The first `of_each` of each digit, as skeletons.
Labelled Skeletons(const std::string& set, std::size_t of_each) {
  constexpr std::size_t kImages = 3000, kImageHeader = 16, kLabelHeader = 8;
  constexpr std::size_t kPixels = kSide * kSide;
  const auto images =
      ReadBytes(Folder() / (set + "-images-idx3-ubyte.gz"), kImageHeader + kImages * kPixels);
  const auto labels = ReadBytes(Folder() / (set + "-labels-idx1-ubyte"), kLabelHeader + kImages);
  Labelled all;
  std::array<std::size_t, kDigits> count = {};
  for (std::size_t i = 0; kLabelHeader + i < labels.size(); ++i) {
    const std::size_t digit = labels[kLabelHeader + i];
    if (count[digit]++ >= of_each) continue;
    const auto* const first = images.data() + kImageHeader + i * kPixels;
    Picture picture = Stretched(Upright(Gray(first, first + kPixels)));
    Thin(picture);
    all.picture.push_back(std::move(picture));
    all.digit.push_back(digit);
  }
  return all;
}

std::vector<std::uint32_t> OnBits(const Picture& picture) {
  std::vector<std::uint32_t> bits;
  for (std::uint32_t i = 0; i < picture.size(); ++i)
    if (picture[i] != 0) bits.push_back(i);
  return bits;
}

// 45 macrocolumns over windows of 8 x 8.
SparseyNetwork Network(double saturation) {
  return SparseyNetwork({.levels = {{.grid = {.width = kWidth,
                                              .height = kHeight,
                                              .window_width = 8,
                                              .window_height = 8,
                                              .step = 2},
                                     .mac = {.modules = 16,
                                             .cells = 128,
                                             .sigmoid = SparseySigmoid::kSteep,
                                             .saturation = saturation}}}});
}

// Share of `test` that is told by a field of classes: each cell votes for the digits that it ever
// was in a code of, the codes being those that the stored pictures have in the end.
double Accuracy(double saturation, const Labelled& train, const Labelled& test) {
  SparseyNetwork network = Network(saturation);
  for (const Picture& picture : train.picture) network.Frame(OnBits(picture), true, true);
  std::vector<std::array<bool, kDigits>> field(45 * 16 * 128);
  for (std::size_t i = 0; i < train.picture.size(); ++i) {
    network.Frame(OnBits(train.picture[i]), false, true);
    for (const std::uint32_t bit : network.bits()) field[bit][train.digit[i]] = true;
  }
  double right = 0.0;
  for (std::size_t i = 0; i < test.picture.size(); ++i) {
    network.Frame(OnBits(test.picture[i]), false, true);
    std::array<int, kDigits> votes = {};
    for (const std::uint32_t bit : network.bits())
      for (std::size_t d = 0; d < kDigits; ++d) votes[d] += field[bit][d] ? 1 : 0;
    const auto best = static_cast<std::size_t>(std::ranges::max_element(votes) - votes.begin());
    right += best == test.digit[i] ? 1.0 : 0.0;
  }
  return right / static_cast<double>(test.picture.size());
}

// Share of `test` whose digit is that of the stored picture that it shares most pixels with.
double NearestPicture(const Labelled& train, const Labelled& test) {
  double right = 0.0;
  for (std::size_t i = 0; i < test.picture.size(); ++i) {
    int most = -1;
    std::size_t digit = 0;
    for (std::size_t j = 0; j < train.picture.size(); ++j) {
      int shared = 0;
      for (std::size_t p = 0; p < test.picture[i].size(); ++p)
        shared += test.picture[i][p] & train.picture[j][p];
      if (shared > most) digit = train.digit[j];
      most = std::max(most, shared);
    }
    right += digit == test.digit[i] ? 1.0 : 0.0;
  }
  return right / static_cast<double>(test.picture.size());
}

TEST(SparseyDigits, AreToldByWhatWasStoredOnceIfCellsFreeze) {
  if (!std::filesystem::exists(Folder())) GTEST_SKIP() << Folder() << " is not here";
  const Labelled train = Skeletons("train", 80), test = Skeletons("t10k", 100);
  ASSERT_EQ(train.picture.size(), 800u);
  ASSERT_EQ(test.picture.size(), 1000u);
  const double freezing = Accuracy(0.2, train, test), free = Accuracy(1.0, train, test);
  const double nearest = NearestPicture(train, test);
  std::printf("freezing %.3f, without %.3f, nearest picture %.3f\n", freezing, free, nearest);
  EXPECT_GE(freezing, 0.75);
  EXPECT_GT(freezing, nearest);
  EXPECT_LT(free, freezing - 0.1);
}

}  // namespace
}  // namespace weft::operators::sequence
