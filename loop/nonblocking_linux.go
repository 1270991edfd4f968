package loop

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// recv(2) and send(2) on a socket that does not block, without telling Go's scheduler.
//
// They go to the socket directly, where read(2) and write(2) first pass what the kernel does
// for files: a twelfth of what a delivery to a subscriber costs, in the scenario fanout of
// bench.
//
// What x/sys offers for them announces to the scheduler that the goroutine may be away
// for long: its processor can be handed to another thread meanwhile, and has to be won
// back. A call that never waits gains nothing by that, and pays for it with every
// request, as the scenario hello of bench shows.
//
// This is the only file that uses unsafe: a raw system call takes the buffer's address as
// a number. The conversion stands in the argument list, which keeps the buffer alive and
// in its place during the call (package unsafe, pattern 4).

// rawLimit bounds how long such a call can take, since the garbage collector may have to
// wait for it: longer transfers are made the usual way.
const rawLimit = 64 << 10

func readSocket(fd int, p []byte) (int, error) {
	if len(p) > rawLimit {
		return unix.Read(fd, p)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

func writeSocket(fd int, p []byte) (int, error) {
	if len(p) > rawLimit {
		return unix.Write(fd, p)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}
