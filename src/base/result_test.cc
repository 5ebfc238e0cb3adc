#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <set>

namespace tidemark {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Errc::invalid, "{} is odd", n);
  return n / 2;
}

Result<int> quarter(int n) {
  TM_LET(const int once, half(n));
  TM_LET(const int twice, named("second half", half(once)));  // two in one function: names must not clash
  return twice;
}

Status both_even(int a, int b) {
  TM_CHECK(half(a));
  TM_CHECK(half(b));
  return {};
}

TEST(Result, LetPassesValuesAndFailures) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(7).error().what, "7 is odd");
  EXPECT_EQ(quarter(6).error().what, "second half: 3 is odd");
  EXPECT_EQ(quarter(6).error().code, Errc::invalid);
}

TEST(Result, CheckStopsAtTheFirstFailure) {
  EXPECT_TRUE(both_even(2, 4));
  EXPECT_EQ(both_even(1, 3).error().what, "1 is odd");
  EXPECT_EQ(both_even(2, 3).error().what, "3 is odd");
}

TEST(Result, LetMovesWhatCannotBeCopied) {
  const auto unwrap = [](bool ok) -> Result<int> {
    auto make = [&]() -> Result<std::unique_ptr<int>> {
      if (!ok) return fail(Errc::io, "no");
      return std::make_unique<int>(7);
    };
    TM_LET(const std::unique_ptr<int> value, make());
    return *value;
  };
  EXPECT_EQ(unwrap(true).value(), 7);
  EXPECT_EQ(unwrap(false).error().code, Errc::io);
}

TEST(Result, TheFirstHintStays) {
  Result<int> r = hinted(half(1), "run this");
  r = hinted(std::move(r), "run that");
  EXPECT_EQ(r.error().hint, "run this");
  EXPECT_EQ(hinted(half(2), "unused").value(), 1);
}

TEST(Result, SystemErrorsKeepTheirMeaning) {
  struct Row {
    int number;
    Errc code;
    std::string_view text;
  };
  const Row rows[] = {
      {ENOSPC, Errc::no_space, "write '/a b': No space left on device"},
      {EDQUOT, Errc::no_space, "write '/a b': Disk quota exceeded"},
      {EACCES, Errc::denied, "write '/a b': Permission denied"},
      {EPERM, Errc::denied, "write '/a b': Operation not permitted"},
      {EROFS, Errc::denied, "write '/a b': Read-only file system"},
      {ENOENT, Errc::not_found, "write '/a b': No such file or directory"},
      {EEXIST, Errc::already_exists, "write '/a b': File exists"},
      {ENOTEMPTY, Errc::already_exists, "write '/a b': Directory not empty"},
      {EIO, Errc::io, "write '/a b': Input/output error"},
  };
  for (const Row& row : rows) {
    const Error error = sys_fail("write", "/a b", row.number).error();
    EXPECT_EQ(error.code, row.code) << row.text;
    EXPECT_EQ(error.what, row.text);
  }
  errno = ENOENT;
  EXPECT_EQ(sys_fail("open", "x").error().code, Errc::not_found);
}

TEST(Result, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Errc::cancelled); code++)
    names.insert(errc_name(static_cast<Errc>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Errc::cancelled) + 1);
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace tidemark
