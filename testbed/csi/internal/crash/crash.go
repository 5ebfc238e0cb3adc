// Package crash kills the program at a named step, as a node's power or the kernel's memory killer would: the tests go
// through every step and look at what a restart finds.
package crash

import (
	"os"
	"syscall"
)

// The steps between which an operation leaves something on disk, or a file system frozen.
const (
	VolumeImageBegun    = "volume-image-begun"
	VolumeImageMade     = "volume-image-made"
	VolumeRecorded      = "volume-recorded"
	VolumeGrown         = "volume-grown"
	VolumeRecordDropped = "volume-record-dropped"
	Frozen              = "frozen"
	Copied              = "copied"
	Thawed              = "thawed"
	SnapshotImageMade   = "snapshot-image-made"
	SnapshotRecorded    = "snapshot-recorded"
	SnapshotDropped     = "snapshot-record-dropped"
	GroupHalfCopied     = "group-half-copied"
	GroupImagesMade     = "group-images-made"
	GroupRecorded       = "group-recorded"
	GroupDropped        = "group-record-dropped"
	RecordWritten       = "record-written"
	Staged              = "staged"
	Published           = "published"
	Unpublished         = "unpublished"
	Unstaged            = "unstaged"
)

// Steps are all of them, for a test that goes through them.
var Steps = []string{
	VolumeImageBegun, VolumeImageMade, VolumeRecorded, VolumeGrown, VolumeRecordDropped, Frozen, Copied, Thawed,
	SnapshotImageMade, SnapshotRecorded, SnapshotDropped, GroupHalfCopied, GroupImagesMade, GroupRecorded, GroupDropped,
	RecordWritten, Staged, Published, Unpublished, Unstaged,
}

var chosen string

// Choose sets the step to die at. Call it before serving.
func Choose(step string) { chosen = step }

// At dies if this is the chosen step.
func At(step string) {
	if chosen == step {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
}
