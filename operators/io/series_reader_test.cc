#include "operators/io/series_reader.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::operators::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SeriesReader : public testing::Test {
 protected:
  std::string Write(const std::string& text) {
    const std::string path = testing::TempDir() + "series_" +
                             testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv";
    std::ofstream(path) << text;
    return path;
  }
  std::string ErrorOf(const std::string& text, const SeriesColumns& columns = {}) {
    const auto series = LoadSeries(Write(text), columns);
    return series.ok() ? "none" : std::string(series.status().message());
  }
};

TEST_F(SeriesReader, FindsTimeAndValue) {
  const auto series =
      LoadSeries(Write("timestamp,host,value\n2014-04-01 00:00:00,a,3\n2014-04-01 00:05:00,b,\n"
                       "2014-04-01 00:10:00,a,NaN\n2014-04-01 00:15:00,a,-1.5e2\n"),
                 {});
  ASSERT_TRUE(series.ok()) << series.status();
  EXPECT_EQ(series->value_column, "value");
  EXPECT_EQ(series->time_us[1] - series->time_us[0], 300'000'000);
  EXPECT_EQ(series->time_text[3], "2014-04-01 00:15:00");
  EXPECT_EQ(series->missing(), 2);
  EXPECT_EQ(series->value[3], -150.0);
}

TEST_F(SeriesReader, ReadsFilesOfNupicAndFilesWithoutAHeader) {
  const auto nupic = LoadSeries(
      Write("timestamp,count,kind\ndatetime,int,int\nT,,\n2014-07-01 00:00:00,7,1\n"), {});
  ASSERT_TRUE(nupic.ok()) << nupic.status();
  EXPECT_THAT(nupic->value, ElementsAre(7.0));
  EXPECT_EQ(nupic->value_column, "count");
  const auto bare = LoadSeries(Write("0,15,9\n1,16,8\n2,17,7\n"), {.value = "3"});
  ASSERT_TRUE(bare.ok()) << bare.status();
  EXPECT_THAT(bare->value, ElementsAre(9.0, 8.0, 7.0));
  EXPECT_THAT(bare->time_us, ElementsAre(0, 1'000'000, 2'000'000));
}

TEST_F(SeriesReader, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorOf("timestamp,value\n1,2\n2,much\n"),
              HasSubstr(".csv:3: value: expected a number, got \"much\""));
  EXPECT_THAT(ErrorOf("timestamp,value\n1,2\nlater,3\n"),
              HasSubstr(".csv:3: timestamp: expected a number of s or an ISO-8601 time"));
  EXPECT_THAT(ErrorOf("timestamp,value\n1,2,3\n"), HasSubstr(":2: expected 2 fields, got 3"));
  EXPECT_THAT(
      ErrorOf("timestamp,load\n1,2\n", {.value = "laod"}),
      HasSubstr("expected a column laod (did you mean load?), got columns timestamp, load"));
  EXPECT_THAT(ErrorOf("timestamp,name\n1,x\n"),
              HasSubstr("expected a column of numbers, got none"));
  EXPECT_THAT(ErrorOf("timestamp,value\n"), HasSubstr("expected rows, got none"));
  EXPECT_THAT(std::string(LoadSeries("/nothing.csv", {}).status().message()),
              HasSubstr("/nothing.csv"));
}

TEST_F(SeriesReader, ReadsWholeNumbers) {
  const auto columns =
      LoadIntegers(Write("i,symbol,target\n0,5,-1\n1,6,7\n"), {"symbol", "target?", "end?"});
  ASSERT_TRUE(columns.ok()) << columns.status();
  EXPECT_THAT(*columns, ElementsAre(ElementsAre(5, 6), ElementsAre(-1, 7), testing::IsEmpty()));
}

}  // namespace
}  // namespace weft::operators::io
