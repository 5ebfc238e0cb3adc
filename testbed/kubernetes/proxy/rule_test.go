package proxy

import (
	"testing"
	"time"
)

func TestRuleCheck(t *testing.T) {
	for _, row := range []struct {
		rule         Rule
		seesRequests bool
		fine         bool
	}{
		{Rule{BlackHole: true}, false, true},
		{Rule{Refuse: true, Times: 3}, false, true},
		{Rule{CutAfter: 1}, true, true},
		{Rule{Delay: time.Second, BytesPerSecond: 1}, false, true},
		{Rule{Status: 400}, true, true},
		{Rule{Status: 599, Share: 1, Path: "^/api", Method: "GET", RetryAfter: 1, Times: 1}, true, true},
		{Rule{}, true, false},
		{Rule{Status: 429}, false, false},
		{Rule{Status: 399}, true, false},
		{Rule{Status: 600}, true, false},
		{Rule{Status: 500, Share: -0.1}, true, false},
		{Rule{Status: 500, Share: 1.1}, true, false},
		{Rule{Status: 500, Path: "["}, true, false},
		{Rule{Refuse: true, Method: "GET"}, true, false},
		{Rule{BlackHole: true, Times: 1}, false, false},
		{Rule{Delay: -1}, false, false},
		{Rule{CutAfter: -1}, false, false},
	} {
		if err := row.rule.Check(row.seesRequests); (err == nil) != row.fine {
			t.Errorf("%+v: %v", row.rule, err)
		}
	}
}
