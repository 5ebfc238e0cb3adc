// Layout, leftovers and permissions of a data directory.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "inspect/parts.h"

namespace tidemark::inspect {
namespace {

struct Known {
  enum class Place { root, member, snap, wal };
  Place place;
  std::string_view begins, ends;
  std::string_view meaning;  // empty: belongs there
};

constexpr Known kKnown[] = {
    {Known::Place::root, "member", "", ""},
    {Known::Place::root, ".tidemark-partial", "",
     "an unfinished restore; the next 'tidemark restore etcd' ends or undoes it"},
    {Known::Place::root, "member.before-", "", "a former member that a restore has put aside"},
    {Known::Place::root, "tidemark-restore-report.", "", ""},
    {Known::Place::member, "snap", "", ""},
    {Known::Place::member, "wal.tmp", "", "an unfinished log; etcd removes it"},
    {Known::Place::member, "wal", "", ""},
    {Known::Place::snap, "db.tmp", "", "left by a defragmentation that was cut short; etcd removes it"},
    {Known::Place::snap, "tmp", "", "an unfinished snapshot; etcd removes it"},
    {Known::Place::snap, "db", "", ""},
    {Known::Place::snap, "", ".snap.db", "a database that another member sent"},
    {Known::Place::snap, "", ".snap", ""},
    {Known::Place::snap, "", ".broken", "pushed aside by etcd as damaged"},
    {Known::Place::wal, "", ".wal", ""},
    {Known::Place::wal, "", ".tmp", ""},
    {Known::Place::wal, "", ".broken", "a torn segment as it was before etcd cut it"},
};

const Known* find_known(Known::Place place, std::string_view name) {
  for (const Known& known : kKnown) {
    const bool exact = known.ends.empty() && (known.begins == "db" || known.begins == "member" ||
                                              known.begins == "snap" || known.begins == "wal");
    const bool fits = exact ? name == known.begins : name.starts_with(known.begins) && name.ends_with(known.ends);
    if (known.place == place && fits) return &known;
  }
  return nullptr;
}

void inspect_folder(Notebook& notebook, const io::Path& folder, Known::Place place, const struct stat& owner) {
  struct stat about{};
  if (::stat(folder.c_str(), &about) != 0) return;  // the parts that need it tell
  if ((about.st_mode & 0077U) != 0) {
    notebook.note(folder, fmt::format("mode {:o}: others can get in; etcd warns", about.st_mode & 0777U),
                  fmt::format("chmod 700 {}", folder.native()));
  }
  std::vector<io::Path> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    entries.push_back(it->path());
  }
  std::ranges::sort(entries);
  for (const io::Path& entry : entries) {
    const Known* known = find_known(place, entry.filename().native());
    if (known == nullptr) {
      notebook.note(entry, "it does not belong here");
    } else if (!known->meaning.empty()) {
      notebook.note(entry, std::string(known->meaning));
    }
    // A restore run by root under an etcd that is not: it starts and cannot write.
    if (::lstat(entry.c_str(), &about) == 0 && about.st_uid != owner.st_uid && known != nullptr) {
      notebook.add(
          {Verdict::repairable,
           Starts::unknown,
           notebook.below(entry),
           {},
           fmt::format("it belongs to user {}, the directory to user {}", about.st_uid, owner.st_uid),
           fmt::format("chown -R --reference={} {}", notebook.dir().root.native(), notebook.dir().member().native())});
    }
  }
}

}  // namespace

void inspect_files(Notebook& notebook) {
  const etcd::DataDir& dir = notebook.dir();
  struct stat owner{};
  if (::stat(dir.root.c_str(), &owner) != 0) return;
  inspect_folder(notebook, dir.root, Known::Place::root, owner);
  inspect_folder(notebook, dir.member(), Known::Place::member, owner);
  inspect_folder(notebook, dir.snap(), Known::Place::snap, owner);
  inspect_folder(notebook, dir.wal(), Known::Place::wal, owner);
}

}  // namespace tidemark::inspect
