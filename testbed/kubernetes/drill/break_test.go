package drill

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// One request on a connection of its own.
func health(etcd string, patience time.Duration) (time.Duration, error) {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	started := time.Now()
	answer, err := client.Get(etcd + "/health")
	if err != nil {
		return time.Since(started), err
	}
	defer answer.Body.Close()
	_, err = io.ReadAll(answer.Body)
	return time.Since(started), err
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestEachRuleIsSeenByAClient(t *testing.T) {
	t.Parallel()
	bed := start(t, "--only-etcd")
	for _, row := range []struct {
		rule string
		seen func(took time.Duration, err error) bool
	}{
		{"--black-hole", func(_ time.Duration, err error) bool { return isTimeout(err) }},
		// Whether the reset is met by the reader or by the writer of the request, is a race.
		{"--refuse", func(_ time.Duration, err error) bool {
			return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
		}},
		{"--cut-after 20", func(_ time.Duration, err error) bool { return err != nil && !isTimeout(err) }},
		{"--delay 300ms", func(took time.Duration, err error) bool { return err == nil && took > 600*time.Millisecond }},
		{"--slow 200", func(took time.Duration, err error) bool { return err == nil && took > time.Second }},
	} {
		bed.must("break", append([]string{"etcd"}, strings.Fields(row.rule)...)...)
		patience := time.Minute
		if row.rule == "--black-hole" {
			patience = 2 * time.Second
		}
		if took, err := health(bed.ready.Etcd, patience); !row.seen(took, err) {
			t.Errorf("%s: after %v: %v", row.rule, took, err)
		}
		if bed.status().Listeners["etcd"].Rule == nil {
			t.Errorf("%s: not in the status", row.rule)
		}
		bed.must("heal", "etcd")
		if took, err := health(bed.ready.Etcd, time.Minute); err != nil {
			t.Errorf("%s: healed, after %v: %v", row.rule, took, err)
		}
	}
}

func TestARuleActsSoManyTimes(t *testing.T) {
	t.Parallel()
	bed := start(t, "--only-etcd")
	bed.must("break", "etcd", "--refuse", "--times", "2")
	for number, fails := range []bool{true, true, false, false} {
		if _, err := health(bed.ready.Etcd, time.Minute); (err != nil) != fails {
			t.Errorf("request %d: %v", number, err)
		}
	}
	if broken := bed.status().Listeners["etcd"].Broken; broken != 2 {
		t.Errorf("broken: %d", broken)
	}
}

// An answer that is held in a black hole arrives when that is healed.
func TestHealingFreesWhatIsHeld(t *testing.T) {
	t.Parallel()
	bed := start(t, "--only-etcd")
	bed.must("break", "etcd", "--black-hole")
	answered := make(chan error)
	go func() {
		_, err := health(bed.ready.Etcd, time.Minute)
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("answered: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	bed.must("heal", "etcd")
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestBreakRefuses(t *testing.T) {
	t.Parallel()
	bed := start(t, "--only-etcd")
	for _, row := range []struct{ args, says string }{
		{"etcd", "the rule says nothing"},
		{"direct --refuse", "no listener 'direct' that can be broken"},
		{"etcd --status 503", "only the listeners 'front' and 's3'"},
		{"front --status 200", "is not an error"},
		{"front --path /api --refuse", "go with a status"},
		{"front --status 429 --share 2", "not between 0 and 1"},
		{"front --status 429 --path (", "error parsing regexp"},
		{"etcd --delay 1s --times 2", "times goes with"},
		{"etcd --cut-after -1", "negative"},
	} {
		_, err := bed.run("break", strings.Fields(row.args)...)
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: said %v, not '%s'", row.args, err, row.says)
		}
	}
}
