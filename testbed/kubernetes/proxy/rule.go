// Package proxy stands between the outside and the servers of a bed, and misbehaves when told to.
package proxy

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

// A Rule says how to misbehave; the zero Rule does not. It acts on connections that are open already, too.
type Rule struct {
	// For any listener.
	BlackHole      bool          `json:"black_hole,omitempty"` // connections open, and no byte goes either way
	Refuse         bool          `json:"refuse,omitempty"`     // connections are reset as they come
	CutAfter       int64         `json:"cut_after,omitempty"`  // a connection is reset after this many bytes to the client
	Delay          time.Duration `json:"delay,omitempty"`      // each piece of data is held this long, either way
	BytesPerSecond int64         `json:"bytes_per_second,omitempty"`

	// For a listener whose requests are seen: they are answered by this status, and do not get through.
	Status     int     `json:"status,omitempty"`
	RetryAfter int     `json:"retry_after,omitempty"` // seconds, in the answer's header
	Share      float64 `json:"share,omitempty"`       // of the requests; 0 is all
	Method     string  `json:"method,omitempty"`
	Path       string  `json:"path,omitempty"` // a regular expression, on path and query

	// How often: connections cut or refused, or requests answered. 0 is until healed.
	Times int `json:"times,omitempty"`

	path *regexp.Regexp
}

// Check says what is wrong with a rule, and makes it ready for use.
func (r *Rule) Check(seesRequests bool) error {
	if r.Status != 0 && !seesRequests {
		return errors.New("only the listeners 'front' and 's3' can answer by a status: the others pass bytes on unseen")
	}
	if r.Status != 0 && (r.Status < 400 || r.Status > 599) {
		return fmt.Errorf("status %d is not an error (400 to 599)", r.Status)
	}
	if r.Status == 0 && (r.RetryAfter != 0 || r.Share != 0 || r.Method != "" || r.Path != "") {
		return errors.New("retry-after, share, method and path go with a status")
	}
	if r.Share < 0 || r.Share > 1 {
		return fmt.Errorf("share %g is not between 0 and 1", r.Share)
	}
	if r.CutAfter < 0 || r.Delay < 0 || r.BytesPerSecond < 0 || r.RetryAfter < 0 || r.Times < 0 {
		return errors.New("a number is negative")
	}
	if r.Times > 0 && r.Status == 0 && r.CutAfter == 0 && !r.Refuse {
		return errors.New("times goes with a cut, a refusal or a status")
	}
	if *r == (Rule{}) {
		return errors.New("the rule says nothing; to undo one, heal")
	}
	if r.Path != "" {
		var err error
		if r.path, err = regexp.Compile(r.Path); err != nil {
			return fmt.Errorf("path: %w", err)
		}
	}
	return nil
}
