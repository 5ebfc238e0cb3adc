#include "kit/goldens.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "kit/golden_reader.h"

namespace tidemark::testing {
namespace {

Result<std::vector<Golden>> read_goldens(Bytes file) {
  TM_LET(GoldenReader reader, GoldenReader::open(file));
  const std::vector<std::string>& columns = reader.header().columns;
  std::vector<Golden> all;
  for (std::vector<Bytes> record;;) {
    TM_LET(const bool more, reader.next(record));
    if (!more) return all;
    Golden& golden = all.emplace_back();
    for (std::size_t i = 0; i < columns.size(); i++) golden[columns[i]] = as_text(record[i]);
  }
}

Result<std::vector<std::string>> command_of(const std::string& program, const std::vector<std::string>& arguments,
                                            const io::Path& file) {
  const io::Path path = io::Path(TM_TESTBED_DIR) / "goldens" / program;
  if (!std::filesystem::exists(path)) {
    return hinted(Result<std::vector<std::string>>(fail(Errc::not_found, "'{}' is not there", path.string())),
                  "testbed/goldens/build " + program.substr(program.find('-') + 1));
  }
  std::vector<std::string> command{path.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--out", file.string()});
  return command;
}

Result<std::vector<Golden>> read_file(const io::Path& file) {
  TM_LET(const Buffer bytes, io::read_file(file, 1UL << 30U));
  return read_goldens(bytes);
}

}  // namespace

Result<std::vector<Golden>> make_goldens(const std::string& program, const std::vector<std::string>& arguments,
                                         const io::Path& file) {
  TM_LET(const auto command, command_of(program, arguments, file));
  TM_CHECK(output_of(command));
  return read_file(file);
}

Result<GoldensService> GoldensService::start(const std::string& program, const std::vector<std::string>& arguments,
                                             const io::Path& file) {
  TM_LET(std::vector<std::string> command, command_of(program, arguments, file));
  command.emplace_back("--serve");
  const io::Path input = file.string() + ".stdin";
  if (::mkfifo(input.c_str(), 0600) != 0) return sys_fail("make", input.string());
  // For reading too, so that it opens before the program does.
  TM_LET(io::Fd held, io::open_file(input, O_RDWR));
  command.insert(command.begin(), {"/bin/sh", "-c", "input=$0; exec \"$@\" <\"$input\"", input.string()});
  TM_LET(Child child, Child::start(command, file.string() + ".log"));
  GoldensService service(std::move(child), std::move(held), file);
  for (int i = 0; i < 600; i++) {
    // It prints its one line when everything is written.
    const auto log = io::read_file(service.child_.log(), 1UL << 20U);
    if (log && as_text(*log).find(" values, seed ") != std::string_view::npos) return service;
    if (!service.child_.running()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return fail(Errc::timeout, "'{}' does not serve: {}", program, service.child_.log_tail());
}

Result<std::vector<Golden>> GoldensService::goldens() const { return read_file(file_); }

}  // namespace tidemark::testing
