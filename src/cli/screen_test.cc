#include "cli/screen.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <cstdlib>

#include "io/file.h"

namespace tidemark::cli {
namespace {

// A real terminal: the far end of a pseudo terminal.
class Terminal : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_GE(near_.get(), 0);
    ASSERT_EQ(::grantpt(near_.get()), 0);
    ASSERT_EQ(::unlockpt(near_.get()), 0);
    far_ = io::Fd(::open(::ptsname(near_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_GE(far_.get(), 0);
  }
  void resize(unsigned short columns) const {
    winsize size{};
    size.ws_col = columns;
    ASSERT_EQ(::ioctl(far_.get(), TIOCSWINSZ, &size), 0);
  }
  io::Fd near_{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)}, far_;
  io::Fd null_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
};

TEST_F(Terminal, DrawsUnlessItIsDumb) {
  struct Row {
    const char* term;
    bool draws;
  };
  for (const Row& row : {Row{"xterm-256color", true}, Row{"linux", true}, Row{"vt100", true}, Row{"dumb", false},
                         Row{"", false}, Row{nullptr, false}}) {
    EXPECT_EQ(can_draw(far_.get(), row.term), row.draws) << (row.term == nullptr ? "unset" : row.term);
    EXPECT_FALSE(can_draw(null_.get(), row.term)) << "no terminal";
  }
  EXPECT_FALSE(can_draw(-1, "xterm"));
}

TEST_F(Terminal, KnowsItsWidth) {
  struct Row {
    unsigned short terminal;  // 0: it does not say
    const char* variable;
    std::size_t columns;
  };
  const Row rows[] = {{132, nullptr, 132},
                      {132, "40", 40},
                      {40, "9999", 9999},
                      {0, nullptr, 80},
                      {0, "50", 50},
                      {132, "", 132},
                      {132, "0", 132},
                      {132, "-5", 132},
                      {132, "wide", 132},
                      {132, "50x", 132},
                      {132, " 50", 132},
                      {0, "10000", 80},
                      {0, "99999999999999999999", 80}};
  for (const Row& row : rows) {
    resize(row.terminal);
    EXPECT_EQ(columns_of(far_.get(), row.variable), row.columns) << (row.variable == nullptr ? "unset" : row.variable);
  }
  EXPECT_EQ(columns_of(null_.get(), nullptr), 80U);
  EXPECT_EQ(columns_of(-1, nullptr), 80U);
}

}  // namespace
}  // namespace tidemark::cli
