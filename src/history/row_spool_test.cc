// A spool gives back what was put into it, whether its values are in memory or in the file.
#include "history/row_spool.h"

#include <gtest/gtest.h>

#include <random>

#include "base/testing/scale.h"

namespace tidemark::history {
namespace {

Row row_of_value(std::string value, std::int64_t mod) {
  return {
      .value = std::move(value), .create = Revision(1), .mod = Revision(mod), .version = mod, .lease = LeaseId(mod)};
}

TEST(RowSpool, GivesBackWhatWasPutLast) {
  std::mt19937_64 random(tidemark::testing::seed());
  const io::TempDir dir = io::TempDir::create().value();
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1000}, std::size_t{50'000}, RowSpool::kNoLimit}) {
    RowSpool spool(dir.path(), limit);
    std::map<std::string, std::optional<std::string>> wanted;
    for (int i = 0; i < tidemark::testing::scaled(500); i++) {
      const std::string key = fmt::format("k{}", random() % 60);
      if (random() % 5 == 0) {
        spool.put_gone(key);
        wanted[key].reset();
        continue;
      }
      const std::string value(random() % 4 == 0 ? 0 : random() % 400, static_cast<char>(random()));
      ASSERT_TRUE(spool.put(key, row_of_value(value, i + 1)));
      wanted[key] = value;
    }
    for (const auto& [key, value] : wanted) EXPECT_TRUE(spool.knows(key)) << limit;
    EXPECT_FALSE(spool.knows("k"));
    spool.forget_gone();
    std::erase_if(wanted, [](const auto& one) { return !one.second; });
    ASSERT_EQ(spool.entries().size(), wanted.size());
    auto at = wanted.begin();
    for (const auto& [key, entry] : spool.entries()) {
      EXPECT_EQ(key, at->first);
      const auto row = spool.row(entry);
      ASSERT_TRUE(row) << row.error().what;
      EXPECT_EQ(row->value, *at->second) << limit << " " << key;
      EXPECT_EQ(row->mod, entry.mod());
      ++at;
    }
    spool.clear();
    EXPECT_TRUE(spool.entries().empty());
    ASSERT_TRUE(spool.put("again", row_of_value("value", 3)));
    EXPECT_EQ(spool.row(spool.entries().begin()->second)->value, "value");
  }
}

TEST(RowSpool, WithoutALimitNothingIsWritten) {
  RowSpool spool("/nowhere", RowSpool::kNoLimit);
  ASSERT_TRUE(spool.put("a", row_of_value(std::string(100'000, 'x'), 1)));
  ASSERT_TRUE(spool.put("b", row_of_value("y", 2)));
  const Rows rows = spool.take_rows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.at("a").value.size(), 100'000U);
  EXPECT_EQ(rows.at("b").mod, Revision(2));
  EXPECT_TRUE(spool.entries().empty());
}

TEST(RowSpool, TellsWhenThereIsNoPlaceForItsFile) {
  RowSpool spool("/nowhere", 10);
  ASSERT_TRUE(spool.put("a", row_of_value("0123456789", 1)));
  const Status put = spool.put("b", row_of_value("x", 2));
  ASSERT_FALSE(put);
  EXPECT_NE(put.error().what.find("/nowhere"), std::string::npos) << put.error().what;
}

}  // namespace
}  // namespace tidemark::history
