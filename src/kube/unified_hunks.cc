// Lines are compared by numbers that stand for them; the shortest edit is found by Myers' greedy method, and given up
// beyond a bound: then what is left in the middle is one block.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <unordered_map>

#include "kube/json_diff.h"

namespace tidemark::kube {
namespace {

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// A stretch of lines that differ: [a, a_end) of the one became [b, b_end) of the other.
struct Block {
  std::size_t a, a_end, b, b_end;
};

constexpr std::int64_t kMostEdits = 2000;  // kMostEdits^2 / 2 numbers are kept: 8 MiB

class Edits {
 public:
  Edits(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) : a_(a), b_(b) {}

  std::vector<Block> find() {
    std::size_t head = 0;
    while (head < a_.size() && head < b_.size() && a_[head] == b_[head]) head++;
    std::size_t tail = 0;
    while (tail < a_.size() - head && tail < b_.size() - head && a_[a_.size() - 1 - tail] == b_[b_.size() - 1 - tail]) {
      tail++;
    }
    head_ = head;
    a_ = a_.subspan(head, a_.size() - head - tail);
    b_ = b_.subspan(head, b_.size() - head - tail);
    if (a_.empty() && b_.empty()) return {};
    if (a_.empty() || b_.empty() || !search()) blocks_ = {{head, head + a_.size(), head, head + b_.size()}};
    return std::move(blocks_);
  }

 private:
  // False: more than kMostEdits are needed.
  bool search() {
    const auto n = static_cast<std::int64_t>(a_.size()), m = static_cast<std::int64_t>(b_.size());
    const std::int64_t most = std::min(n + m, kMostEdits);
    std::vector<std::int64_t> reach(static_cast<std::size_t>(2 * most + 3), 0);
    const auto at = [&](std::int64_t k) -> std::int64_t& { return reach[static_cast<std::size_t>(k + most + 1)]; };
    for (std::int64_t d = 0; d <= most; d++) {
      trace_.emplace_back().reserve(static_cast<std::size_t>(d + 1));
      for (std::int64_t k = -d; k <= d; k += 2) {
        const bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
        std::int64_t x = down ? at(k + 1) : at(k - 1) + 1;
        // Off the edge: a diagonal on which nothing more can be found.
        while (x >= 0 && x < n && x - k >= 0 && x - k < m &&
               a_[static_cast<std::size_t>(x)] == b_[static_cast<std::size_t>(x - k)]) {
          x++;
        }
        at(k) = x;
        trace_.back().push_back(static_cast<std::int32_t>(x));
        if (x >= n && x - k >= m) {
          walk_back(d, k);
          return true;
        }
      }
    }
    return false;
  }

  // How far one came with d edits on diagonal k.
  std::int64_t reached(std::int64_t d, std::int64_t k) const {
    return trace_[static_cast<std::size_t>(d)][static_cast<std::size_t>((k + d) / 2)];
  }

  void walk_back(std::int64_t d, std::int64_t k) {
    std::vector<Block> backwards;
    for (; d > 0; d--) {
      const bool down = k == -d || (k != d && reached(d - 1, k - 1) < reached(d - 1, k + 1));
      const std::int64_t before = down ? k + 1 : k - 1;
      const std::int64_t x = reached(d - 1, before), y = x - before;
      const auto ux = static_cast<std::size_t>(x) + head_, uy = static_cast<std::size_t>(y) + head_;
      const Block edit{ux, down ? ux : ux + 1, uy, down ? uy + 1 : uy};
      if (!backwards.empty() && backwards.back().a == edit.a_end && backwards.back().b == edit.b_end) {
        backwards.back().a = edit.a;
        backwards.back().b = edit.b;
      } else {
        backwards.push_back(edit);
      }
      k = before;
    }
    blocks_.assign(backwards.rbegin(), backwards.rend());
  }

  std::span<const std::uint32_t> a_, b_;
  std::size_t head_ = 0;
  std::vector<std::vector<std::int32_t>> trace_;
  std::vector<Block> blocks_;
};

// "-3,2": as diff prints a range: one line without its count, an empty one by the line before it.
std::string range(char sign, std::size_t from, std::size_t count) {
  if (count == 1) return fmt::format("{}{}", sign, from + 1);
  return fmt::format("{}{},{}", sign, count == 0 ? from : from + 1, count);
}

}  // namespace

std::string unified_hunks(std::string_view before, std::string_view after, std::size_t context) {
  const Lines a = lines_of(before), b = lines_of(after);
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  const auto numbered = [&](const Lines& lines) {
    std::vector<std::uint32_t> result;
    result.reserve(lines.size());
    for (const std::string_view line : lines) {
      result.push_back(numbers.emplace(line, static_cast<std::uint32_t>(numbers.size())).first->second);
    }
    return result;
  };
  const auto numbered_a = numbered(a), numbered_b = numbered(b);
  const std::vector<Block> blocks = Edits(numbered_a, numbered_b).find();
  std::string text;
  for (std::size_t first = 0; first < blocks.size();) {
    std::size_t last = first;
    while (last + 1 < blocks.size() && blocks[last + 1].a - blocks[last].a_end <= 2 * context) last++;
    const std::size_t lead = std::min({context, blocks[first].a, blocks[first].b});
    const std::size_t trail = std::min(context, a.size() - blocks[last].a_end);
    const std::size_t from_a = blocks[first].a - lead, from_b = blocks[first].b - lead;
    text += fmt::format("@@ {} {} @@\n", range('-', from_a, blocks[last].a_end + trail - from_a),
                        range('+', from_b, blocks[last].b_end + trail - from_b));
    std::size_t at = from_a;
    const auto equal_to = [&](std::size_t end) {
      for (; at < end; at++) text += fmt::format(" {}\n", a[at]);
    };
    for (; first <= last; first++) {
      equal_to(blocks[first].a);
      for (std::size_t i = blocks[first].a; i < blocks[first].a_end; i++) text += fmt::format("-{}\n", a[i]);
      for (std::size_t i = blocks[first].b; i < blocks[first].b_end; i++) text += fmt::format("+{}\n", b[i]);
      at = blocks[first].a_end;
    }
    equal_to(blocks[last].a_end + trail);
  }
  return text;
}

}  // namespace tidemark::kube
