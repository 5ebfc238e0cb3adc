// The parts of the check of a data directory. Only for src/inspect.
#pragma once

#include <optional>

#include "etcd/data_dir.h"
#include "etcd/database.h"
#include "etcd/wal.h"
#include "inspect/report.h"

namespace tidemark::inspect {

// Where findings and facts are put together; knows what is always the same about them.
class Notebook {
 public:
  Notebook(const etcd::DataDir& dir, DataDirReport& report) : dir_(dir), report_(report) {}

  const etcd::DataDir& dir() const { return dir_; }
  DataDirFacts& facts() { return report_.facts; }

  // Without help of its own a corrupt finding gets the command that brings a backup back.
  void add(Finding finding);
  void note(const io::Path& file, std::string reason, std::string help = "");
  void repairable(const io::Path& file, std::string reason, std::string help);
  void corrupt(const io::Path& file, Starts etcd, std::string reason, std::optional<std::uint64_t> offset = {});
  std::string below(const io::Path& file) const;  // its name in findings
  // An error's words without the file's name, which the finding has itself.
  std::string without_path(std::string text, const io::Path& file) const;

 private:
  const etcd::DataDir& dir_;
  DataDirReport& report_;
};

struct DatabaseView {
  bool there = false;                        // the file exists
  std::optional<etcd::DatabaseState> state;  // nullopt: it cannot be read
};
DatabaseView inspect_database(Notebook& notebook);

// Which etcd wrote it last, as far as the database knows: 3.7 and later start from the log's snapshot record alone.
bool ignores_snap_files(const DatabaseView& database);

struct LogView {
  bool there = false;                       // it has a segment
  std::optional<etcd::WalContents> log;     // nullopt: it cannot be read
  std::optional<std::uint64_t> snap_index;  // of the newest .snap that etcd would take
  bool damaged_snap = false;                // one that it would push aside
};
LogView inspect_log(Notebook& notebook);

// What log, .snap and database say of each other.
void inspect_agreement(Notebook& notebook, const LogView& log, const DatabaseView& database);

// Layout, leftovers, permissions.
void inspect_files(Notebook& notebook);

}  // namespace tidemark::inspect
