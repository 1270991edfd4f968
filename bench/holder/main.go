// Command holder opens many connections to a server, sends one request on each, reads the
// whole answer, and keeps the connections open. It is a process of its own so that its
// descriptors do not count against those of another.
//
// It speaks with whoever started it in lines:
//
//	holder reads  "hold N"     it opens connections until there are N
//	holder prints "held N"     N connections are open and answered
//	holder reads  "check"
//	holder prints "open N"     N connections are still open, and silent
//	standard input ends        the connections are closed, the holder ends
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/penstock-go/penstock/bench/internal/socket"
)

func main() {
	address := flag.String("addr", "", "the `host:port` of the server, an IPv4 address")
	answerLength := flag.Int("answer-length", 0, "the length of one answer in bytes, head and body")
	flag.Parse()
	if err := run(*address, *answerLength, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "holder:", err)
		os.Exit(1)
	}
}

func run(address string, answerLength int, commands io.Reader, reports io.Writer) error {
	server, err := socket.ParseServer(address)
	if err != nil {
		return err
	}
	if answerLength <= 0 {
		return fmt.Errorf("-answer-length is %d, expected more than 0", answerLength)
	}
	var held heldConnections
	defer func() { held.closeAll() }()
	lines := bufio.NewScanner(commands)
	for lines.Scan() {
		verb, number, _ := strings.Cut(lines.Text(), " ")
		switch count, err := strconv.Atoi(number); {
		case verb == "hold" && err == nil && count > 0:
			more, err := hold(server, count-len(held), answerLength)
			held = append(held, more...)
			if err != nil {
				return err
			}
			fmt.Fprintf(reports, "held %d\n", len(held))
		case lines.Text() == "check":
			open, err := held.countOpen()
			if err != nil {
				return err
			}
			fmt.Fprintf(reports, "open %d\n", open)
		default:
			return fmt.Errorf("the command is %q, expected \"hold N\" or \"check\"", lines.Text())
		}
	}
	return lines.Err()
}
