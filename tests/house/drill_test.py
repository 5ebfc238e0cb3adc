#!/usr/bin/env python3
"""testbed/drill on what a `go test -json` of ours says: what it shows of it, and what counts as a failure."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

DRILL = pathlib.Path(__file__).resolve().parent.parent.parent / "testbed" / "drill"


def says(test, *lines):
    return [{"Action": "output", "Test": test, "Output": line + "\n"} for line in lines]


def ends(test, how):
    return [{"Action": how, "Test": test, "Elapsed": 1.5}]


PASSES = says("TestGood", "=== RUN   TestGood", "    good_test.go:7: up in 9.0 s", "--- PASS: TestGood (1.50s)") + ends("TestGood", "pass")
SKIPS = says("TestNode", "    needs.go:19: a node needs root", "--- SKIP: TestNode (0.00s)") + ends("TestNode", "skip")


def drill(events, code=0, test=(), ci="", does=""):
    """(exit code, what it shows, what it keeps, what go was told) with a `go` that does this and says these events."""
    with tempfile.TemporaryDirectory() as folder:
        words = pathlib.Path(folder, "words")
        words.write_text("".join(event if isinstance(event, str) else json.dumps(event) + "\n" for event in events))
        go = pathlib.Path(folder, "go")
        go.write_text(f"#!/bin/sh\necho \"$@\" >{folder}/told\n{does}\ncat {words}\nexit {code}\n")
        go.chmod(0o755)
        env = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}", CI=ci)
        done = subprocess.run([DRILL, "--brief", "--no-build", "--results", folder, "clusters", *test], env=env,
                              capture_output=True, text=True, check=False)
        told = pathlib.Path(folder, "told").read_text()
        kept = "".join(path.read_text() for path in sorted(pathlib.Path(folder).rglob("*.log")))
        return done.returncode, done.stdout + done.stderr, kept, told


class Drill(unittest.TestCase):
    def test_what_passes(self):
        code, shown, kept, _ = drill(PASSES)
        self.assertEqual(code, 0, shown)
        self.assertIn("pass     1.5 s  TestGood", shown)
        self.assertIn("1 passed, 0 failed, 0 left out", shown)
        self.assertIn("up in 9.0 s", kept)

    def test_the_reason_stands_at_the_end(self):
        noise = [f"    bed_test.go:90: step {number} took 1.0 s" for number in range(500)]
        logs = ["    bed_test.go:88: /tmp/bed/logs/etcd.log:", *[f"        line {number}" for number in range(500)],
                "    bed_test.go:99: its logs are kept: /results/logs/TestBad"]
        events = PASSES + says("TestBad", *noise) + says("TestBad/part", "    bad_test.go:12: 7 is not 8", "        but 9")
        events += ends("TestBad/part", "fail") + says("TestBad", *logs) + ends("TestBad", "fail")
        code, shown, kept, _ = drill(events, code=1)
        self.assertEqual(code, 1)
        end = shown.splitlines()[-12:]
        for line in ("FAILED TestBad/part  (1.5 s)", "    bad_test.go:12: 7 is not 8", "        but 9",
                     "  its logs are kept: /results/logs/TestBad", "  again: testbed/drill clusters 'TestBad/part'"):
            self.assertIn(line, end)
        self.assertNotIn("line 499", shown)
        self.assertIn("line 499", kept)
        self.assertIn("1 passed, 1 failed", shown)

    def test_many_failures_fit_into_sixty_lines(self):
        events = []
        for number in range(20):
            events += says(f"Test{number}", *["    a_test.go:1: wrong"] * 9, *["      more"] * 99) + ends(f"Test{number}", "fail")
        code, shown, _, _ = drill(events, code=1)
        self.assertEqual(code, 1)
        end = "\n".join(shown.splitlines()[-60:])
        for number in range(20):
            self.assertIn(f"Test{number}", end)
        self.assertIn("0 passed, 20 failed", end)

    def test_what_did_not_run_or_end(self):
        panic = ["panic: test timed out after 24m0s", "\trunning tests:", "\t\tTestHangs (23m0s)"]
        rows = [
            ("no tests", [], 0, "0 passed, 0 failed"),
            ("a program that does not build", [{"Action": "build-output", "Output": "x.go:3:1: undefined: y\n"}], 1, "undefined: y"),
            ("a start that fails", [{"Action": "output", "Output": "testbed/csi-sanity/build: exit status 1\n"}], 1, "csi-sanity/build: exit"),
            ("no JSON", ["go: updates to go.mod needed\n"], 1, "updates to go.mod needed"),
            ("a hang", PASSES + says("TestHangs", "    a_test.go:4: it waits", *panic), 1, "panic: test timed out after 24m0s"),
        ]
        for name, events, exit_code, says_so in rows:
            with self.subTest(name):
                code, shown, _, _ = drill(events, code=exit_code)
                self.assertEqual(code, 1, shown)
                self.assertIn(says_so, shown)
        self.assertIn("DID NOT END TestHangs", shown)

    def test_what_a_desk_lacks_is_named_and_fails_in_ci(self):
        csi = [{"Action": "output", "Output": "the CSI driver's drills need root: not run\n"}]
        code, shown, _, _ = drill(PASSES + SKIPS + csi)
        self.assertEqual(code, 0, shown)
        self.assertIn("left out: TestNode: a node needs root", shown)
        self.assertIn("left out: the CSI driver's drills need root", shown)
        self.assertIn("1 passed, 0 failed, 2 left out", shown)
        code, shown, _, _ = drill(PASSES + SKIPS, ci="true")
        self.assertEqual(code, 1, shown)

    def test_a_bed_whose_test_was_ended_is_waited_for_and_its_logs_are_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            bed = 'B="$TMPDIR/TestHangs12/001/bed"; mkdir -p $B/logs; echo last words >$B/logs/etcd.log; '
            # It lives for a second longer than its test, and writes to its end.
            bed += f'(exec 9>$B/lock; flock 9; touch {folder}/locked; sleep 1; echo $TMPDIR >{folder}/tmp; cat $B/logs/* >{folder}/said) >&- 2>&- & '
            bed += f'until [ -e {folder}/locked ]; do sleep 0.01; done'
            code, shown, kept, _ = drill(PASSES + says("TestHangs", "    a_test.go:4: it waits"), code=1, does=bed)
            self.assertEqual(code, 1)
            self.assertIn("last words", kept)
            self.assertEqual(pathlib.Path(folder, "said").read_text(), "last words\n", shown)
            self.assertRegex(shown, "logs of beds whose tests did not end: .*/logs/TestHangs12/001")
            self.assertFalse(pathlib.Path(folder, "tmp").read_text().strip() in map(str, pathlib.Path(tempfile.gettempdir()).iterdir()))

    def test_one_test_is_asked_for(self):
        rows = [
            (["TestBad"], "-skip=^$ -run=^(TestBad)$"),
            (["TestBad/a_part"], "-skip=^$ -run=^TestBad$/^a_part$"),
            (["TestA", "TestB"], "-skip=^$ -run=^(TestA|TestB)$"),
        ]
        for test, told in rows:
            self.assertTrue(drill(PASSES, test=test)[3].strip().endswith(told))


if __name__ == "__main__":
    unittest.main()
