package driver

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What sizes a volume may have. An ext4 below the smallest has no room for its journal.
const (
	smallest = 16 << 20
	largest  = 4 << 40
	usual    = 64 << 20 // where nobody says
	grain    = 1 << 20
)

// size chooses one in the range; it is never below the floor, which is a source's size.
func size(r *csi.CapacityRange, floor int64) (int64, error) {
	required, limit := r.GetRequiredBytes(), r.GetLimitBytes()
	if required < 0 || limit < 0 || limit > 0 && required > limit {
		return 0, status.Errorf(codes.InvalidArgument, "no size fits required_bytes %d and limit_bytes %d", required, limit)
	}
	chosen := required
	if chosen == 0 {
		if chosen = max(floor, usual); limit > 0 {
			chosen = max(floor, min(chosen, limit/grain*grain))
		}
	}
	if chosen < floor {
		return 0, status.Errorf(codes.OutOfRange, "the source has %d bytes, more than the %d asked for", floor, required)
	}
	chosen = max((chosen+grain-1)/grain*grain, smallest)
	if chosen > largest || limit > 0 && chosen > limit {
		return 0, status.Errorf(codes.OutOfRange, "a volume has %d to %d bytes in steps of %d; limit_bytes is %d", smallest, int64(largest), grain, limit)
	}
	return chosen, nil
}

// access reads the capabilities that are asked of a volume: all for a device, or all for a file system.
func access(capabilities []*csi.VolumeCapability) (block bool, err error) {
	if len(capabilities) == 0 {
		return false, status.Error(codes.InvalidArgument, "volume capabilities are missing")
	}
	for i, capability := range capabilities {
		if err := supported(capability); err != nil {
			return false, err
		}
		if this := capability.GetBlock() != nil; i > 0 && this != block {
			return false, status.Error(codes.InvalidArgument, "a volume is a block device or a file system, not both")
		} else {
			block = this
		}
	}
	return block, nil
}

func supported(capability *csi.VolumeCapability) error {
	mode := capability.GetAccessMode().GetMode()
	switch {
	case capability == nil:
		return status.Error(codes.InvalidArgument, "the volume capability is missing")
	case capability.GetBlock() == nil && capability.GetMount() == nil:
		return status.Error(codes.InvalidArgument, "the access type is missing: mount or block")
	case mode == csi.VolumeCapability_AccessMode_UNKNOWN:
		return status.Error(codes.InvalidArgument, "the access mode is missing")
	case capability.GetMount() != nil && writers(mode) > 1:
		return status.Errorf(codes.InvalidArgument, "an ext4 has one node that writes, so no %s", mode)
	}
	if fs := capability.GetMount().GetFsType(); fs != "" && fs != "ext4" {
		return status.Errorf(codes.InvalidArgument, "no file system '%s', only ext4", fs)
	}
	return nil
}

// writers is how many nodes may write.
func writers(mode csi.VolumeCapability_AccessMode_Mode) int {
	switch mode {
	case csi.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER, csi.VolumeCapability_AccessMode_MULTI_NODE_SINGLE_WRITER:
		return 2
	case csi.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY, csi.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY:
		return 0
	}
	return 1
}

func manyNodes(mode csi.VolumeCapability_AccessMode_Mode) bool {
	return writers(mode) > 1 || mode == csi.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY
}

// modifiable checks the parameters that a VolumeAttributesClass may set: they are remembered, as a storage system's
// service levels are.
func modifiable(parameters map[string]string) error {
	for key, value := range parameters {
		if strings.HasPrefix(key, "csi.storage.k8s.io/") {
			continue
		}
		if key != "iops" && key != "throughput" {
			return status.Errorf(codes.InvalidArgument, "no mutable parameter '%s' (iops, throughput)", key)
		}
		if number, err := strconv.ParseUint(value, 10, 32); err != nil || number == 0 {
			return status.Errorf(codes.InvalidArgument, "%s: '%s' is no number above 0", key, value)
		}
	}
	return nil
}

func missing(field, value string) error {
	if value == "" {
		return status.Errorf(codes.InvalidArgument, "%s is missing", field)
	}
	return nil
}

func newID(kind string) string {
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	return kind + "-" + hex.EncodeToString(random)
}

func noRoom(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// page cuts a list at its token, which is the sequence number of the last entry given: what is made or deleted between
// two pages neither repeats nor hides another.
func page[T any](all []T, seq func(T) int64, token string, most int32) (entries []T, next string, err error) {
	if most < 0 {
		return nil, "", status.Errorf(codes.InvalidArgument, "max_entries is %d", most)
	}
	if token != "" {
		after, err := strconv.ParseInt(token, 10, 64)
		if err != nil {
			return nil, "", status.Errorf(codes.Aborted, "starting_token '%s' is none of ours", token)
		}
		for len(all) > 0 && seq(all[0]) <= after {
			all = all[1:]
		}
	}
	if most > 0 && int(most) < len(all) {
		all = all[:most]
		next = strconv.FormatInt(seq(all[most-1]), 10)
	}
	return all, next, nil
}
