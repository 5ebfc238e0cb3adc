package fault

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	name, got, err := Parse("slow-ready:seconds=2.5,match=pvc-1,times=3,code=INTERNAL,method=CreateSnapshot")
	if err != nil || name != SlowReady || got.Seconds != 2.5 || got.Match != "pvc-1" || got.Times != 3 || got.Code != "INTERNAL" || len(got.Methods) != 1 {
		t.Errorf("%q, %+v, %v", name, got, err)
	}
	for _, bad := range []string{"slow-ready:seconds", "slow-ready:seconds=", "slow-ready:seconds=x", "slow-ready:times=1.5", "slow-ready:speed=1"} {
		if _, _, err := Parse(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestControl(t *testing.T) {
	switches := New()
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"PUT", "/faults/slow-ready", "", 204},
		{"PUT", "/faults/error-then-ok", `{"times": 5, "code": "ABORTED"}`, 204},
		{"GET", "/faults", "", 200},
		{"DELETE", "/faults/slow-ready", "", 204},
		{"DELETE", "/faults/never-ready", "", 204},
		{"PUT", "/faults/bogus", "", 400},
		{"PUT", "/faults/slow-ready", `{`, 400},
		{"PUT", "/faults/slow-ready", `{"second": 1}`, 400},
		{"PUT", "/faults/error-then-ok", `{"code": "FINE"}`, 400},
		{"PUT", "/faults", "", 405},
		{"POST", "/faults/slow-ready", "", 405},
	} {
		answer := httptest.NewRecorder()
		switches.Handler().ServeHTTP(answer, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		if answer.Code != c.want {
			t.Errorf("%+v: %d %s", c, answer.Code, answer.Body)
		}
	}
	all := switches.All()
	if len(all) != 1 || all[ErrorThenOK].Times != 5 || all[ErrorThenOK].Code != "ABORTED" {
		t.Errorf("%+v", all)
	}
}
