package main

import (
	"fmt"
	"math/rand"
)

// style decides what a fill puts where. Leaves come from the edge lists when edge gives an index, else they are plain.
type style interface {
	present() bool        // is a pointer set?
	length() int          // entries of a slice or map; less than 0: nil
	edge(choices int) int // index into a list of edge values; less than 0: a plain value
	number() int64        // for plain values; 0 asks for the zero value
}

// full sets everything: two entries in each list and map, plain values that all differ.
type full struct{ next int64 }

func (*full) present() bool { return true }
func (*full) length() int   { return 2 }
func (*full) edge(int) int  { return -1 }
func (s *full) number() int64 {
	s.next++
	return s.next
}

// hollow sets everything to zero values: pointers to zero, and lists and maps of so many zero entries (none: not nil).
type hollow struct{ entries int }

func (hollow) present() bool { return true }
func (s hollow) length() int { return s.entries }
func (hollow) edge(int) int  { return -1 }
func (hollow) number() int64 { return 0 }

// edges walks through the lists of edge values; a set of cases that start at different places visits all of them.
type edges struct{ at int }

func (*edges) present() bool { return true }
func (s *edges) length() int { return 1 + s.edge(2) }
func (s *edges) edge(choices int) int {
	s.at++
	return s.at % choices
}
func (s *edges) number() int64 {
	s.at++
	return int64(s.at)
}

// chance throws dice for everything. Fields below depth are rarer so that objects end.
type chance struct{ *rand.Rand }

func (s chance) present() bool { return s.Intn(100) < 55 }
func (s chance) length() int   { return s.Intn(5) - 1 - s.Intn(2) }
func (s chance) number() int64 { return s.Int63() >> uint(s.Intn(63)) }
func (s chance) edge(choices int) int {
	if s.Intn(4) > 0 {
		return -1
	}
	return s.Intn(choices)
}

func plainString(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("text-%d", n)
}
