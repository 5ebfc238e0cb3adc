#include "restore/swap.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <vector>

#include "restore/swap_journal.h"

namespace tidemark::restore {
namespace {

// A directory keeps its inode when it is renamed: that tells the new one from the old one whatever their names are.
std::optional<std::uint64_t> inode(const io::Path& path) {
  struct stat about{};
  if (::lstat(path.c_str(), &about) != 0) return std::nullopt;
  return about.st_ino;
}

Result<Journal> read_journal(const io::Path& path) {
  TM_LET(const Buffer bytes, io::read_file(path, 4096));
  return named(path.string(), parse_journal(as_text(bytes)));
}

// Former copies other than `keep`.
std::vector<io::Path> earlier_formers(const Places& places, const io::Path& keep) {
  std::vector<io::Path> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(places.root, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kFormerPrefix) || entry.path() == keep) continue;
    std::int64_t unix_s = 0;
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + kFormerPrefix.size(), end, unix_s);
    if (parsed.ec == std::errc{} && parsed.ptr == end) found.push_back(entry.path());  // others are not ours
  }
  return found;
}

Status sync_names(const Places& places) {
  TM_CHECK(io::fsync_dir(places.partial()));
  return io::fsync_dir(places.root);
}

// The new one is D/member. What is in partial()/member, if anything, is the former one.
Result<io::Path> clear_up(const Places& places, std::int64_t unix_s, Steps& steps) {
  const io::Path former = places.former(unix_s);
  if (inode(places.new_member())) {
    steps.about_to("name the former member");
    TM_CHECK(io::rename_path(places.new_member(), former));
    TM_CHECK(sync_names(places));
  }
  const bool there_is_one = inode(former).has_value();
  if (there_is_one) {
    for (const io::Path& earlier : earlier_formers(places, former)) {
      steps.about_to("remove an earlier former member");
      TM_CHECK(io::remove_tree(earlier));
    }
    // Before the journal goes: half of an earlier copy would be kept for good under a name that promises a whole one.
    TM_CHECK(io::fsync_dir(places.root));
  }
  steps.about_to("remove the journal");
  TM_CHECK(io::remove_tree(places.journal()));
  steps.about_to("remove the workplace");
  TM_CHECK(io::remove_tree(places.partial()));
  TM_CHECK(io::fsync_dir(places.root));
  return there_is_one ? former : io::Path{};
}

bool lacks_exchange(int error_number) {
  return error_number == EINVAL || error_number == ENOSYS || error_number == EOPNOTSUPP;
}

}  // namespace

io::Path Places::former(std::int64_t unix_s) const { return root / fmt::format("{}{}", kFormerPrefix, unix_s); }

Result<io::Path> swap_in(const Places& places, std::int64_t unix_s, Steps& steps, const SwapOptions& options) {
  const auto new_inode = inode(places.new_member());
  if (!new_inode) return fail(Errc::not_found, "'{}' is not there", places.new_member().string());
  while (inode(places.former(unix_s))) ++unix_s;  // two restores in one second
  const Journal journal{*new_inode, unix_s};
  steps.about_to("write the journal");
  TM_CHECK(io::write_file_durably(places.journal(), as_bytes(print_journal(journal))));

  bool exchanged = false;
  if (inode(places.member()) && options.exchange) {
    steps.about_to("exchange");
    if (::renameat2(AT_FDCWD, places.new_member().c_str(), AT_FDCWD, places.member().c_str(), RENAME_EXCHANGE) == 0) {
      exchanged = true;
    } else if (!lacks_exchange(errno)) {
      return sys_fail("exchange", places.member().string());
    }
  }
  if (!exchanged) {
    if (inode(places.member())) {
      steps.about_to("step aside");
      TM_CHECK(io::rename_path(places.member(), places.former(unix_s)));
      TM_CHECK(io::fsync_dir(places.root));
    }
    steps.about_to("step in");
    TM_CHECK(io::rename_path(places.new_member(), places.member()));
  }
  steps.about_to("make the names durable");
  TM_CHECK(sync_names(places));
  return clear_up(places, unix_s, steps);
}

Result<std::string> recover(const io::Path& root, Steps& steps) {
  const Places places{root};
  if (!inode(places.partial())) return std::string{};
  if (!inode(places.journal())) {
    steps.about_to("remove an unfinished build");
    TM_CHECK(io::remove_tree(places.partial()));
    TM_CHECK(io::fsync_dir(root));
    return std::string("an earlier restore was cut short while it was building; what it left was removed");
  }
  TM_LET(const Journal journal, read_journal(places.journal()));
  const auto current = inode(places.member());
  if (current && *current != journal.new_inode) {
    // The swap never began. The user may have gone on with the old one since, so it stays.
    steps.about_to("give up the swap");
    TM_CHECK(io::remove_tree(places.journal()));
    TM_CHECK(io::fsync_dir(places.partial()));
    TM_CHECK(io::remove_tree(places.partial()));
    TM_CHECK(io::fsync_dir(root));
    return std::string("an earlier restore was cut short before it changed anything; what it had built was removed");
  }
  if (!current) {
    if (inode(places.new_member()) != journal.new_inode) {
      return fail(Errc::corrupt, "'{}' is missing, and '{}' is not what the journal '{}' names",
                  places.member().string(), places.new_member().string(), places.journal().string());
    }
    steps.about_to("step in");
    TM_CHECK(io::rename_path(places.new_member(), places.member()));
    TM_CHECK(sync_names(places));
  }
  TM_LET(const io::Path former, clear_up(places, journal.unix_s, steps));
  return former.empty() ? std::string("an earlier restore was cut short; it is finished now")
                        : fmt::format("an earlier restore was cut short; it is finished now, the former member is '{}'",
                                      former.string());
}

}  // namespace tidemark::restore
