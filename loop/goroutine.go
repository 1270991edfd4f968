package loop

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
)

// What the runtime says of another goroutine. It says it as text only, whose form is that
// of a panic's: blocks with an empty line between them, each headed "goroutine 18 [running]:",
// and then two lines for each call, the innermost first:
//
//	main.query(0xc000012345)
//		/home/user/main.go:12 +0x1d
//
// When the form is another one, a stack is not found, and that is all.

const goroutineHead = "goroutine "

// goroutineNumber is the number of the calling goroutine, or 0 if it cannot be told.
func goroutineNumber() uint64 {
	var buffer [64]byte
	head := string(buffer[:runtime.Stack(buffer[:], false)])
	digits, _, _ := strings.Cut(strings.TrimPrefix(head, goroutineHead), " ")
	number, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return number
}

// largestDump bounds the memory that looking for one goroutine takes when there are very
// many of them.
const largestDump = 8 << 20

// stackOf returns the stack of a goroutine, or "" if it is not found.
func stackOf(number uint64) string {
	buffer := make([]byte, 64<<10)
	n := runtime.Stack(buffer, true)
	for n == len(buffer) && n < largestDump {
		buffer = make([]byte, 2*len(buffer))
		n = runtime.Stack(buffer, true)
	}
	head := []byte(goroutineHead + strconv.FormatUint(number, 10) + " ")
	for block := range bytes.SplitSeq(buffer[:n], []byte("\n\n")) {
		if bytes.HasPrefix(block, head) {
			return string(block)
		}
	}
	return ""
}

// waitingPackages are where a goroutine is when it waits for something that others asked
// for.
var waitingPackages = [...]string{"runtime.", "runtime/", "internal/", "sync.", "sync/", "syscall.", "time."}

// innermost names the function that a stack is in, and where, leaving out the runtime and
// what belongs to it. It is "" for a stack without one.
func innermost(stack string) string {
	var function string
	for line := range strings.Lines(stack) {
		line = strings.TrimRight(line, "\n")
		switch place, indented := strings.CutPrefix(line, "\t"); {
		case indented && function != "":
			place, _, _ = strings.Cut(place, " +0x")
			return function + " at " + place
		case !indented && !strings.HasPrefix(line, goroutineHead) && !waits(line):
			function = line[:max(strings.LastIndexByte(line, '('), 0)]
		}
	}
	return ""
}

func waits(call string) bool {
	for _, name := range waitingPackages {
		if strings.HasPrefix(call, name) {
			return true
		}
	}
	return false
}
