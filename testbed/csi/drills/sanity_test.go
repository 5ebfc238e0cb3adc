package drills

import (
	"encoding/xml"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// What csi-sanity 5.6 skips with this driver, each with its reason. Anything else that it skips fails the test.
var excused = map[string]string{
	"VolumeHealth":               "the specification has these calls since 1.13; up to 1.12 there is the volume condition, which we answer",
	"StorageHealth":              "likewise",
	"accessibility requirements": "SNAPSHOT_ACCESSIBILITY_CONSTRAINTS is of 1.13",
}

// In these modes it skips more, for a reason that lies in the mode.
var modes = []struct {
	name  string
	flags []string // the driver's
	tests []string // csi-sanity's
	skips []string // excused besides
}{
	{"btrfs, mount, attached", []string{"--fs", "btrfs", "--attach", "--max-volumes", "8"}, []string{"--csi.testnodevolumeattachlimit"}, nil},
	{"xfs, block, attached", []string{"--fs", "xfs", "--attach", "--max-volumes", "8"},
		[]string{"--csi.testnodevolumeattachlimit", "--csi.testvolumeaccesstype=block"}, nil},
	{"copying, mount", []string{"--fs", "none"}, nil, []string{"ControllerPublishVolume", "ControllerUnpublishVolume", "volume lifecycle", "attach"}},
}

type report struct {
	Suites []struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Status  string `xml:"status,attr"`
			Skipped *said  `xml:"skipped"`
			Failure *said  `xml:"failure"`
			Error   *said  `xml:"error"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

type said struct {
	Message string `xml:"message,attr"`
}

func TestSanity(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			b := start(t, mode.flags...)
			put(t, b.path("mutable.yaml"), "iops: \"100\"\n")
			arguments := append([]string{"--csi.endpoint=unix://" + b.path("csi.sock"), "--csi.mountdir=" + b.path("mount"),
				"--csi.stagingdir=" + b.path("stage"), "--csi.testvolumesize=33554432", "--csi.testvolumeexpandsize=67108864",
				"--csi.testvolumemutableparameters=" + b.path("mutable.yaml"), "--ginkgo.no-color",
				"--ginkgo.junit-report=" + b.path("junit.xml")}, mode.tests...)
			started := time.Now()
			out, err := exec.Command(sanityProgram(), arguments...).CombinedOutput()
			text := string(out)
			t.Logf("csi-sanity: %s", lastLines(text, 4))
			if err != nil {
				t.Errorf("csi-sanity after %s: %v\n%s", time.Since(started), err, lastLines(text, 30))
			}
			wantSkips(t, b.path("junit.xml"), append(slices.Collect(maps.Keys(excused)), mode.skips...))
			b.wantSnapshots(0)
		})
	}
}

func wantSkips(t *testing.T, path string, excused []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	var found report
	must(t, xml.Unmarshal(text, &found))
	passed := 0
	for _, suite := range found.Suites {
		if suite.Failures+suite.Errors > 0 {
			t.Errorf("%d failures", suite.Failures+suite.Errors)
		}
		for _, test := range suite.Cases {
			switch {
			case test.Failure != nil || test.Error != nil:
				for _, word := range []*said{test.Failure, test.Error} {
					if word != nil {
						t.Errorf("%s: %s: %s", test.Status, test.Name, word.Message)
					}
				}
			case test.Status == "passed":
				passed++
			case test.Skipped != nil && slices.ContainsFunc(excused, func(word string) bool { return strings.Contains(test.Name, word) }):
				t.Logf("%s: %s (%s)", test.Status, test.Name, test.Skipped.Message)
			case test.Status == "pending":
				t.Logf("pending in csi-sanity itself: %s", test.Name)
			default:
				t.Errorf("%s: %s", test.Status, test.Name)
			}
		}
	}
	t.Logf("%d passed", passed)
	if passed < 70 {
		t.Errorf("only %d passed", passed)
	}
}
