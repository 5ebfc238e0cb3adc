package driver

import (
	"slices"
	"strings"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestSize(t *testing.T) {
	for _, c := range []struct {
		required, limit, floor, want int64
		code                         codes.Code
	}{
		{want: usual},
		{limit: 20 << 20, want: 20 << 20},
		{floor: 100 << 20, want: 100 << 20},
		{required: 1, want: smallest},
		{required: 33<<20 + 1, want: 34 << 20},
		{required: 1 << 30, limit: 1 << 30, floor: 1 << 30, want: 1 << 30},
		{required: -1, code: codes.InvalidArgument},
		{limit: -1, code: codes.InvalidArgument},
		{required: 2 << 30, limit: 1 << 30, code: codes.InvalidArgument},
		{limit: 1 << 20, code: codes.OutOfRange},
		{required: 33<<20 + 1, limit: 33<<20 + 2, code: codes.OutOfRange},
		{required: 1 << 30, floor: 2 << 30, code: codes.OutOfRange},
		{limit: 1 << 30, floor: 2 << 30, code: codes.OutOfRange},
		{required: 1 << 62, code: codes.OutOfRange},
	} {
		got, err := size(&csi.CapacityRange{RequiredBytes: c.required, LimitBytes: c.limit}, c.floor)
		if got != c.want || status.Code(err) != c.code {
			t.Errorf("%+v: got %d, %v", c, got, err)
		}
	}
}

func TestPage(t *testing.T) {
	all := []int64{3, 5, 9, 12}
	self := func(n int64) int64 { return n }
	for _, c := range []struct {
		token string
		most  int32
		want  []int64
		next  string
		code  codes.Code
	}{
		{want: all},
		{most: 4, want: all},
		{most: 2, want: []int64{3, 5}, next: "5"},
		{token: "5", most: 1, want: []int64{9}, next: "9"},
		{token: "6", want: []int64{9, 12}}, // 6 was deleted meanwhile
		{token: "12", want: []int64{}},
		{token: "x", code: codes.Aborted},
		{token: "5x", code: codes.Aborted},
		{token: " ", code: codes.Aborted},
		{most: -1, code: codes.InvalidArgument},
	} {
		got, next, err := page(all, self, c.token, c.most)
		if !slices.Equal(got, c.want) || next != c.next || status.Code(err) != c.code {
			t.Errorf("%+v: got %v, %q, %v", c, got, next, err)
		}
	}
}

func TestAccess(t *testing.T) {
	mount := func(fs string, mode csi.VolumeCapability_AccessMode_Mode) *csi.VolumeCapability {
		return &csi.VolumeCapability{AccessMode: &csi.VolumeCapability_AccessMode{Mode: mode},
			AccessType: &csi.VolumeCapability_Mount{Mount: &csi.VolumeCapability_MountVolume{FsType: fs}}}
	}
	block := func(mode csi.VolumeCapability_AccessMode_Mode) *csi.VolumeCapability {
		return &csi.VolumeCapability{AccessMode: &csi.VolumeCapability_AccessMode{Mode: mode},
			AccessType: &csi.VolumeCapability_Block{Block: &csi.VolumeCapability_BlockVolume{}}}
	}
	one, many := csi.VolumeCapability_AccessMode_SINGLE_NODE_WRITER, csi.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER
	for i, c := range []struct {
		asked []*csi.VolumeCapability
		block bool
		wrong string
	}{
		{asked: []*csi.VolumeCapability{mount("", one)}},
		{asked: []*csi.VolumeCapability{mount("ext4", one), mount("", csi.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY)}},
		{asked: []*csi.VolumeCapability{block(one)}, block: true},
		{asked: []*csi.VolumeCapability{block(many)}, block: true},
		{wrong: "missing"},
		{asked: []*csi.VolumeCapability{nil}, wrong: "missing"},
		{asked: []*csi.VolumeCapability{{}}, wrong: "access type"},
		{asked: []*csi.VolumeCapability{mount("", csi.VolumeCapability_AccessMode_UNKNOWN)}, wrong: "access mode"},
		{asked: []*csi.VolumeCapability{mount("", many)}, wrong: "one node that writes"},
		{asked: []*csi.VolumeCapability{mount("zfs", one)}, wrong: "zfs"},
		{asked: []*csi.VolumeCapability{mount("", one), block(one)}, wrong: "not both"},
	} {
		got, err := access(c.asked)
		if c.wrong == "" && (err != nil || got != c.block) ||
			c.wrong != "" && (status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%d: got %v, %v", i, got, err)
		}
	}
}
