#include "inspect/data_dir.h"

#include <algorithm>
#include <filesystem>

#include "inspect/parts.h"

namespace tidemark::inspect {
namespace {

Status check_place(const etcd::DataDir& dir) {
  std::error_code error;
  if (!std::filesystem::exists(dir.root, error)) return fail(Errc::not_found, "'{}' does not exist", dir.root.native());
  if (std::filesystem::exists(dir.member(), error)) return {};
  const bool inside =
      std::filesystem::exists(dir.root / "snap", error) || std::filesystem::exists(dir.root / "wal", error);
  if (error == std::errc::permission_denied) return fail(Errc::denied, "look into '{}': denied", dir.root.native());
  auto none = fail(Errc::not_found, "'{}' holds no data of etcd: there is no folder 'member' in it", dir.root.native());
  if (inside) none.error().hint = fmt::format("--data-dir {}", dir.root.parent_path().native());
  return none;
}

}  // namespace

void Notebook::add(Finding finding) {
  if (finding.help.empty() && finding.weight == Verdict::corrupt) {
    finding.help = fmt::format(
        "tidemark restore etcd --store STORE --data-dir {} --replace; or, when other members are healthy: etcdctl "
        "member remove, then member add with an empty directory",
        dir_.root.native());
  }
  report_.findings.push_back(std::move(finding));
}

void Notebook::note(const io::Path& file, std::string reason, std::string help) {
  add({Verdict::healthy, Starts::yes, below(file), {}, std::move(reason), std::move(help)});
}

void Notebook::repairable(const io::Path& file, std::string reason, std::string help) {
  add({Verdict::repairable, Starts::yes, below(file), {}, std::move(reason), std::move(help)});
}

void Notebook::corrupt(const io::Path& file, Starts etcd, std::string reason, std::optional<std::uint64_t> offset) {
  add({Verdict::corrupt, etcd, below(file), offset, std::move(reason), {}});
}

std::string Notebook::below(const io::Path& file) const {
  return file.empty() ? std::string() : file.lexically_relative(dir_.root).native();
}

std::string Notebook::without_path(std::string text, const io::Path& file) const {
  for (const std::string& name : {"'" + file.native() + "'", file.native()}) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name)) {
      std::size_t end = at + name.size();
      while (end < text.size() && (text[end] == ':' || text[end] == ' ')) ++end;
      text.erase(at, end - at);
    }
  }
  return text;
}

Result<DataDirReport> inspect_data_dir(const io::Path& root) {
  // "/var/lib/etcd/" and "/var/lib/etcd" are one directory.
  const etcd::DataDir dir{root.has_filename() ? root : root.parent_path()};
  TM_CHECK(check_place(dir));
  TM_LET(const bool held, etcd::held_by_etcd(dir));
  if (held) {
    return hinted(Result<DataDirReport>(fail(Errc::conflict, "an etcd is running on '{}'", dir.root.native())),
                  "stop it first, or look at a copy; a living member answers 'etcdctl endpoint status'");
  }
  DataDirReport report;
  report.data_dir = dir.root.native();
  Notebook notebook(dir, report);
  inspect_files(notebook);
  const DatabaseView database = inspect_database(notebook);
  const LogView log = inspect_log(notebook);
  inspect_agreement(notebook, log, database);
  std::ranges::stable_sort(report.findings, std::ranges::greater{}, &Finding::weight);
  return report;
}

}  // namespace tidemark::inspect
