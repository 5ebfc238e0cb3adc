package space

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// AddAddress gives `lo` one more address, for itself alone: without a mask the kernel would take the address's class and
// answer for all of 10.0.0.0/8.
func AddAddress(label, address string) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	for _, set := range []struct {
		call    uint
		content net.IP
	}{
		{unix.SIOCSIFADDR, net.ParseIP(address)},
		{unix.SIOCSIFNETMASK, net.IPv4bcast},
	} {
		alias, err := unix.NewIfreq("lo:" + label) // a label: the first address stays
		if err != nil {
			return err
		}
		if err := alias.SetInet4Addr(set.content.To4()); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(socket, set.call, alias); err != nil {
			return fmt.Errorf("address %s on lo: %w", address, err)
		}
	}
	return nil
}
