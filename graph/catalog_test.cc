#include "graph/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::graph {
namespace {

class Sample final : public Operator {
 public:
  static constexpr In<EventBatch> kEvents{"EVENTS"};
  static Contract contract() {
    Contract contract;
    contract.Input(kEvents);
    contract.micro_batch = 7;
    return contract;
  }
  absl::Status Open(OpenContext&) override { return absl::OkStatus(); }
  absl::Status Process(ProcessContext&) override { return absl::OkStatus(); }
};

TEST(Catalog, MakesOperatorsThatKnowTheirContract) {
  Catalog catalog;
  catalog.Add<Sample>("sample");
  const auto entry = catalog.Find("sample");
  ASSERT_TRUE(entry.ok());
  const std::unique_ptr<Operator> made = (*entry)->Make();
  EXPECT_EQ(made->micro_batch(), 7);
  EXPECT_EQ(&made->declared(), &(*entry)->contract);
  EXPECT_EQ((*entry)->OptionsPrototype()->GetTypeName(), "google.protobuf.Empty");
}

TEST(Catalog, IsSortedAndSuggests) {
  Catalog catalog;
  catalog.Add<Sample>("zebra");
  catalog.Add<Sample>("aardvark");
  EXPECT_EQ(catalog.entries().begin()->first, "aardvark");
  EXPECT_EQ(catalog.Find("zebre").status(),
            absl::NotFoundError("unknown operator \"zebre\"; did you mean \"zebra\"?"));
  EXPECT_EQ(catalog.Find("x").status(), absl::NotFoundError("unknown operator \"x\""));
  EXPECT_THAT(catalog.PacketTypes(), testing::ElementsAre("EventBatch"));
}

TEST(Catalog, HasNoPrototypeForAMessageThatIsNotLinked) {
  Catalog::Entry entry;
  entry.contract.options_type = "no.such.Message";
  EXPECT_EQ(entry.OptionsPrototype(), nullptr);
}

TEST(CatalogDeathTest, NamesAreGivenOnce) {
  Catalog catalog;
  catalog.Add<Sample>("a");
  EXPECT_DEATH(catalog.Add<Sample>("a"), "check failed: added");
}

}  // namespace
}  // namespace weft::graph
