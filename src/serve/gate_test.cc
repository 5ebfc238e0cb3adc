#include "serve/gate.h"

#include <gtest/gtest.h>

namespace tidemark::serve {
namespace {

TEST(Gate, LetsIn) {
  const Gate gate({"127.0.0.1", "localhost", "::1", "Past.Example"}, 8001, "secret");
  struct Row {
    const char* host;
    const char* authorization;
    int code;  // 0: may pass
  };
  const Row rows[] = {
      {"127.0.0.1:8001", "Bearer secret", 0},
      {"localhost:8001", "bearer secret", 0},
      {"LOCALHOST:8001", "BEARER secret", 0},
      {"[::1]:8001", "Bearer secret", 0},
      {"past.example:8001", "Bearer secret", 0},
      {"", "Bearer secret", 421},
      {"127.0.0.1", "Bearer secret", 421},
      {"127.0.0.1:8002", "Bearer secret", 421},
      {"127.0.0.1:8001.evil.example", "Bearer secret", 421},
      {"evil.example:8001", "Bearer secret", 421},
      {"localhost:8001 ", "Bearer secret", 421},
      {"::1:8001", "Bearer secret", 421},
      {"127.0.0.1:8001", "", 401},
      {"127.0.0.1:8001", "Bearer", 401},
      {"127.0.0.1:8001", "Bearer ", 401},
      {"127.0.0.1:8001", "Bearer secre", 401},
      {"127.0.0.1:8001", "Bearer secret2", 401},
      {"127.0.0.1:8001", "Bearer Secret", 401},
      {"127.0.0.1:8001", "Basic secret", 401},
      {"127.0.0.1:8001", "secret", 401},
      {"evil.example:8001", "", 421},
  };
  for (const Row& row : rows) {
    const auto stopped = gate.stopped(row.host, row.authorization);
    EXPECT_EQ(stopped ? stopped->code : 0, row.code) << row.host << ", " << row.authorization;
  }
}

TEST(Gate, WithoutATokenTheHostStillCounts) {
  const Gate gate({"127.0.0.1"}, 443, "");
  EXPECT_FALSE(gate.stopped("127.0.0.1", ""));
  EXPECT_FALSE(gate.stopped("127.0.0.1:443", "Bearer x"));
  EXPECT_EQ(gate.stopped("evil.example", "")->code, 421);
}

TEST(Token, IsLongAndAnotherEachTime) {
  EXPECT_EQ(make_token().size(), 64U);
  EXPECT_NE(make_token(), make_token());
}

}  // namespace
}  // namespace tidemark::serve
