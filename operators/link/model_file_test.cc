#include "operators/link/model_file.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/link/nat_model.h"

namespace weft::operators::link {
namespace {

using ::testing::HasSubstr;

class ModelFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "weft_" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".weft";
    ASSERT_TRUE(WriteModelFile(path_, model_).ok());
  }
  void TearDown() override { std::filesystem::remove(path_); }

  static NatModel Make(std::uint64_t seed, std::int32_t width = 72) {
    NatOptions options;
    options.seed = seed;
    options.dimensions.self_width = width;
    return NatModel(options, gpu::HostExec{});
  }
  std::string Contents() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Replace(const std::string& contents) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << contents;
  }

  NatModel model_ = Make(1);
  std::string path_;
};

TEST_F(ModelFileTest, GivesTheWeightsBack) {
  NatModel other = Make(2);
  ASSERT_TRUE(ReadModelFile(path_, other).ok());
  EXPECT_TRUE(
      std::equal(model_.weights().begin(), model_.weights().end(), other.weights().begin()));
  EXPECT_EQ(*ModelFileName(path_), "nat");
  EXPECT_EQ(ModelFileDigest(path_)->size(), 16u);
}

TEST_F(ModelFileTest, RefusesEveryPrefixAndEveryFlippedByteOfTheHeader) {
  const std::string whole = Contents();
  NatModel other = Make(2);
  for (std::size_t size = 0; size < whole.size(); size += size < 300 ? 1 : 9973) {
    Replace(whole.substr(0, size));
    EXPECT_FALSE(ReadModelFile(path_, other).ok()) << size;
  }
  for (std::size_t at = 0; at < 300; ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
    Replace(flipped);
    EXPECT_FALSE(ReadModelFile(path_, other).ok()) << at;
    EXPECT_FALSE(ModelFileName(path_).ok()) << at;
  }
}

TEST_F(ModelFileTest, NamesThePathAndWhatIsWrong) {
  NatModel narrow = Make(1, 36);
  EXPECT_THAT(std::string(ReadModelFile(path_, narrow).message()), HasSubstr("feature_count 0"));
  EXPECT_THAT(std::string(ReadModelFile(path_, narrow).message()), HasSubstr(path_));
  EXPECT_EQ(ReadModelFile("/nowhere/x.weft", narrow).code(), absl::StatusCode::kNotFound);
  Replace("src,dst,ts\n1,2,3\n and so on");
  EXPECT_THAT(std::string(ReadModelFile(path_, narrow).message()),
              HasSubstr("expected a weft model file"));
  EXPECT_THAT(std::string(WriteModelFile("/nowhere/x.weft", narrow).message()),
              HasSubstr("/nowhere/x.weft"));
}

}  // namespace
}  // namespace weft::operators::link
