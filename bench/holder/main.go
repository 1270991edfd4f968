// Command holder opens many connections to a server, sends one request on each, reads the
// whole answer, and keeps the connections open. It is a process of its own so that its
// descriptors do not count against those of another.
//
// It speaks with whoever started it in lines:
//
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

	"github.com/penstock-go/penstock/bench/internal/socket"
)

func main() {
	address := flag.String("addr", "", "the `host:port` of the server, an IPv4 address")
	connections := flag.Int("connections", 15000, "how many connections to hold")
	answerLength := flag.Int("answer-length", 0, "the length of one answer in bytes, head and body")
	flag.Parse()
	if err := run(*address, *connections, *answerLength, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "holder:", err)
		os.Exit(1)
	}
}

func run(address string, connections, answerLength int, commands io.Reader, reports io.Writer) error {
	server, err := socket.ParseServer(address)
	if err != nil {
		return err
	}
	if connections <= 0 || answerLength <= 0 {
		return fmt.Errorf("-connections is %d and -answer-length is %d, expected more than 0", connections, answerLength)
	}
	held, err := hold(server, connections, answerLength)
	defer held.closeAll()
	if err != nil {
		return err
	}
	fmt.Fprintf(reports, "held %d\n", len(held))
	lines := bufio.NewScanner(commands)
	for lines.Scan() {
		if lines.Text() != "check" {
			return fmt.Errorf("the command is %q, expected \"check\"", lines.Text())
		}
		open, err := held.countOpen()
		if err != nil {
			return err
		}
		fmt.Fprintf(reports, "open %d\n", open)
	}
	return lines.Err()
}
