#include "io/write_behind.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

namespace tidemark::io {
namespace {

AlignedBuffer filled(std::size_t size, unsigned with) {
  AlignedBuffer memory(size);
  std::fill_n(memory.data(), size, static_cast<std::byte>(with));
  return memory;
}

class WriteBehindTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto made = open_file(path_, O_CREAT | O_RDWR);
    ASSERT_TRUE(made);
    auto opened = WriteBehind::open(path_, 64UL * 1024);
    ASSERT_TRUE(opened) << opened.error().what;
    behind_ = *std::move(opened);
  }
  TempDir dir_ = *TempDir::create();
  Path path_ = dir_.path() / "file";
  std::unique_ptr<WriteBehind> behind_;
};

TEST_F(WriteBehindTest, PiecesOfManyThreadsAreInTheirPlaces) {
  constexpr unsigned kPieces = 64;
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; t++)
      threads.emplace_back([&, t] {
        for (unsigned i = t; i < kPieces; i += 4) {
          AlignedBuffer memory = behind_->recycled(2 * kDirectBlock);
          if (memory.capacity() == 0) memory = AlignedBuffer(2 * kDirectBlock);
          std::fill_n(memory.data(), 2 * kDirectBlock, static_cast<std::byte>(i));
          EXPECT_TRUE(behind_->write(i * 2UL * kDirectBlock, std::move(memory), 2 * kDirectBlock));
        }
      });
  }
  ASSERT_TRUE(behind_->drain());
  const Buffer all = *read_file(path_, 1UL << 20U);
  ASSERT_EQ(all.size(), kPieces * 2 * kDirectBlock);
  for (std::size_t i = 0; i < all.size(); i++)
    ASSERT_EQ(std::to_integer<unsigned>(all[i]), i / (2 * kDirectBlock)) << i;
}

TEST_F(WriteBehindTest, PartOfABufferLeavesItsNeighboursAlone) {
  ASSERT_TRUE(behind_->write(0, filled(4 * kDirectBlock, 1), 4 * kDirectBlock));
  ASSERT_TRUE(behind_->write(kDirectBlock, filled(4 * kDirectBlock, 2), kDirectBlock));
  ASSERT_TRUE(behind_->drain());
  const Buffer all = *read_file(path_, 1UL << 20U);
  ASSERT_EQ(all.size(), 4 * kDirectBlock);
  for (unsigned block = 0; block < 4; block++)
    EXPECT_EQ(std::to_integer<unsigned>(all[block * kDirectBlock]), block == 1 ? 2U : 1U) << block;
}

TEST_F(WriteBehindTest, NothingIsAFileToo) {
  ASSERT_TRUE(behind_->drain());
  EXPECT_EQ(*size_of_file(path_), 0U);
  EXPECT_FALSE(behind_->write(0, filled(kDirectBlock, 1), kDirectBlock)) << "after the end";
}

// The first failure is told by every later call, and nobody waits for room for ever.
TEST_F(WriteBehindTest, AFailureStays) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // the child starts threads
  const auto run = [&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{.rlim_cur = 8 * kDirectBlock, .rlim_max = 8 * kDirectBlock};
    ::setrlimit(RLIMIT_FSIZE, &small);
    auto opened = WriteBehind::open(path_, 64UL * 1024);  // its own thread: that of the other stayed in the parent
    Status status;
    for (std::size_t i = 0; i < 1000 && status; i++)
      status = (*opened)->write(i * kDirectBlock, filled(kDirectBlock, 1), kDirectBlock);
    const Status drained = (*opened)->drain();
    const bool told = !status && !drained && drained.error().what.find("write") != std::string::npos;
    std::filesystem::remove_all(dir_.path());  // the child made one of its own, and runs no destructors
    std::_Exit(told ? 0 : 1);
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(0), "");
}

TEST(WriteBehind, WhatCannotBeOpened) {
  const auto dir = TempDir::create();
  EXPECT_EQ(WriteBehind::open(dir->path() / "missing").error().code, Errc::not_found);
}

}  // namespace
}  // namespace tidemark::io
