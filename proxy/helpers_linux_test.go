package proxy

import "golang.org/x/sys/unix"

// writeNow writes to a socket without waiting for room.
func writeNow(fd uintptr, b []byte) (int, error) {
	return unix.SendmsgN(int(fd), b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

// readNow reads from a socket without waiting. At its end it returns 0 and no error.
func readNow(fd uintptr, b []byte) (int, error) {
	n, _, err := unix.Recvfrom(int(fd), b, unix.MSG_DONTWAIT)
	return max(n, 0), err
}
