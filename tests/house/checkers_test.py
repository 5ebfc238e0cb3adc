#!/usr/bin/env python3
"""The checkers of tools/ on small bad trees: each must see what it is there for, and let good ones pass."""
import pathlib
import subprocess
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent.parent.parent / "tools"
LAYERS = "# comment\nbase:\nio: base\nbolt: base io\ncli: *\n"
GOOD = {
    "src/LAYERS": LAYERS,
    "src/base/a.h": "#pragma once\n",
    "src/base/b_internal.h": "#pragma once\n",
    "src/base/testing/kit.h": "#pragma once\n",
    "src/io/a.cc": '#include "base/a.h"\n#include <vector>\n',
    "src/io/a_test.cc": '#include "base/testing/kit.h"\n#include "io/a.h"\n',
    "src/cli/main.cc": '#include "bolt/a.h"\n#include "rpc.pb.h"\n',
    "tests/drill_a.cc": '#include "bolt/a.h"\n#include "kit/x.h"\n#include "base/testing/kit.h"\n',
}


def check(tool, files, track=False):
    """(exit code, output) of a checker on a tree of these files."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if track:
            subprocess.run(["git", "init", "-q", root], check=True)
            subprocess.run(["git", "-C", root, "add", "."], check=True)
        done = subprocess.run([TOOLS / tool, root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class Layers(unittest.TestCase):
    def test_good_tree(self):
        code, text = check("check_layers", GOOD)
        self.assertEqual(code, 0, text)

    def test_bad_trees(self):
        rows = [
            ({"src/io/a.cc": '#include "bolt/a.h"\n'}, "src/io/a.cc:1: ", "does not let io/ include bolt/"),
            ({"src/base/a.cc": '#include <a>\n  #  include "io/a.h"\n'}, "src/base/a.cc:2: ", "does not let base/"),
            ({"src/new/a.cc": "\n"}, "src/new: ", "no line"),
            ({"src/io/a.cc": '#include "new/a.h"\n'}, "src/io/a.cc:1: ", "no folder 'new'"),
            ({"src/io/a.cc": '#include "a.h"\n'}, "src/io/a.cc:1: ", 'write it as "io/a.h"'),
            ({"src/io/a.cc": '#include "base/b_internal.h"\n'}, "src/io/a.cc:1: ", "internal to base/"),
            ({"tests/drill_a.cc": '#include "base/b_internal.h"\n'}, "tests/drill_a.cc:1: ", "internal to base/"),
            ({"src/io/a.cc": '#include "base/testing/kit.h"\n'}, "src/io/a.cc:1: ", "test kit in the product"),
            ({"src/LAYERS": "base: io\nio: base\nbolt:\ncli:\n"}, "src/LAYERS:1: ", "stands on no line above"),
            ({"src/LAYERS": LAYERS + "io: base\n"}, "src/LAYERS:6: ", "a second line for 'io'"),
            ({"src/LAYERS": LAYERS + "store base\n"}, "src/LAYERS:6: ", "not '<folder>: <folders>'"),
        ]
        for change, where, what in rows:
            with self.subTest(change=change):
                code, text = check("check_layers", GOOD | change)
                self.assertEqual(code, 1, text)
                self.assertTrue(any(where in line and what in line for line in text.splitlines()), text)

    def test_an_empty_tree_is_no_success(self):
        code, text = check("check_layers", {"src/LAYERS": LAYERS})
        self.assertEqual(code, 1, text)


class Banned(unittest.TestCase):
    def test_good_sources(self):
        lines = [
            "// a new file; rand() and system_clock::now in a comment are fine",
            'const char* s = "throw new std::thread, using namespace std;";',
            "const auto n = 1'000'000; auto x = R\"(catch (...) \" {)\";",
            "Thing(const Thing&) = delete;",
            "return std::unique_ptr<Thing>(new Thing(1));",
            "std::jthread worker; auto cores = std::thread::hardware_concurrency();",
            "throw std::bad_alloc();",
            "EXPECT_LT(steps, 5);",
        ]
        code, text = check("check_banned", {"src/io/a.cc": "\n".join(lines) + "\n"}, track=True)
        self.assertEqual(code, 0, text)

    def test_bad_sources(self):
        rows = [
            ("src/io/a.cc", "auto t = std::chrono::system_clock::now();", "wall-clock"),
            ("tests/a.cc", "auto t = time(nullptr);", "wall-clock"),
            ("src/io/a.cc", "auto* p = new Thing(1);", "raw-new"),
            ("src/io/a.cc", "take(new Thing);", "raw-new"),
            ("src/io/a.cc", "  delete p;", "raw-new"),
            ("src/io/a.cc", "worker.detach();", "detach"),
            ("src/io/a.cc", "std::thread worker(run);", "std-thread"),
            ("src/io/a.cc", "std::this_thread::sleep_for(1s);", "sleep"),
            ("src/io/a.cc", "::usleep(10);", "sleep"),
            ("src/io/a.cc", "int r = std::rand();", "rand"),
            ("src/io/a.cc", "sprintf(buffer, format);", "printf-buffer"),
            ("src/io/a.cc", "std::system(command);", "shell"),
            ("src/io/a.cc", "using namespace std;", "using-namespace"),
            ("src/io/a.cc", "} catch (...) {", "catch-all"),
            ("src/io/a.cc", "throw Failure();", "throw"),
            ("src/io/a_test.cc", "EXPECT_LT(elapsed, 5s);", "timed-assert"),
            ("src/bolt/a.cc", "auto* p = reinterpret_cast<const std::uint64_t*>(raw);", "reinterpreted-integers"),
            ("src/bolt/a.cc", "#include <thread>", "format-purity"),
            ("src/etcd/a.h", '#include "base/log.h"', "format-purity"),
            ("src/store/a.cc", "#include <grpcpp/grpcpp.h>", "grpc-corner"),
            ("doc/a.md", "TO" "DO: more", "open-ends"),
            ("doc/a.md", "see /wo" "rk/main/src", "machine-path"),
            ("src/io/a.cc", "// a \u201cquote\u201d", "ascii"),
            ("src/io/a.h", "class StoreManager {};", "names"),
            ("src/io/string_util.h", "#pragma once", "names"),
            ("src/io/a.cc", "\n" * 800, "size"),
        ]
        for name, line, rule in rows:
            with self.subTest(line=line[:60]):
                code, text = check("check_banned", {name: line + "\n"}, track=True)
                self.assertEqual(code, 1, text)
                self.assertIn(f"{rule}: ", text)

    def test_an_empty_tree_is_no_success(self):
        code, text = check("check_banned", {}, track=True)
        self.assertEqual(code, 1, text)


class Counts(unittest.TestCase):
    def test_what_did_not_run_is_a_failure(self):
        cases = ('<testcase name="a" status="run"/><testcase name="b" status="fail"><failure/><system-out>expected 1\nwas 2</system-out></testcase>'
                 '<testcase name="c" status="notrun"><skipped/></testcase><testcase name="d" status="disabled"/>')
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(f"<testsuite>{cases}</testsuite>")
            file.flush()
            run = lambda *a: subprocess.run([TOOLS / "junit_counts", *a], capture_output=True, text=True, check=True).stdout
            self.assertEqual(run(file.name), "1 3\n")
            self.assertEqual(run("--failed", file.name), "b (failed)\nc (notrun)\nd (disabled)\n")
            self.assertEqual(run("--words", file.name),
                             "::: b (failed)\nexpected 1\nwas 2\n::: c (notrun)\n::: d (disabled)\n")

    def test_a_program_of_several_tests_counts_as_many(self):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write('<testsuite><testcase name="a" status="run"><system-out>[==========] 7 tests from 2 test suites ran.\n'
                       '[  PASSED  ] 7 tests.</system-out></testcase><testcase name="b" status="run"/></testsuite>')
            file.flush()
            counted = subprocess.run([TOOLS / "junit_counts", file.name], capture_output=True, text=True, check=True)
            self.assertEqual(counted.stdout, "8 0\n")


if __name__ == "__main__":
    unittest.main()
