// tidemark man: the manual pages, printed or written into a directory. For packagers; not in the list of verbs.
#include <CLI/CLI.hpp>
#include <ostream>

#include "cli/man_page.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "io/file.h"

namespace tidemark::cli {
namespace {

struct ManWish {
  std::string page = "tidemark";
  std::string dir;
};

Result<Exit> man(Program& program, const ManWish& wish) {
  const auto pages = man_pages(program, program.root());
  if (!wish.dir.empty()) {
    TM_CHECK(io::make_dirs(wish.dir, 0755));
    for (const ManPage& page : pages) {
      TM_CHECK(io::write_file_durably(io::Path(wish.dir) / (page.name + ".1"), as_bytes(page.text), 0644));
    }
    return Exit::done;
  }
  for (const ManPage& page : pages) {
    if (page.name != wish.page) continue;
    program.out() << page.text;
    return Exit::done;
  }
  return hinted<Exit>(fail(Errc::not_found, "no page '{}'", wish.page), "tidemark-restore-etcd for `restore etcd`");
}

}  // namespace

void add_man(Program& program) {
  auto wish = std::make_shared<ManWish>();
  CLI::App& app = program.verb("man", "print a manual page", "tidemark man tidemark-restore-etcd | man -l -\n",
                               [wish](Program& p) { return man(p, *wish); });
  app.add_option("PAGE", wish->page, "tidemark, tidemark-list, tidemark-restore-etcd ...")->capture_default_str();
  app.add_option("--dir", wish->dir, "write all pages into this directory")->type_name("D");
  app.group("");
}

}  // namespace tidemark::cli
