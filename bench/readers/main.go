// Command readers opens many downloads from a server, reads each at a fixed low rate, and
// checks the bytes. It is a process of its own so that its descriptors and its processor time
// do not count against those of another.
//
// It speaks with whoever started it in lines:
//
//	readers prints "ready"    all downloads have begun
//	readers reads  "count"
//	readers prints "read N"   N bytes of bodies were read so far, all downloads together
//	standard input ends       the connections are closed, readers ends
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/penstock-go/penstock/bench/internal/socket"
)

// tick is how often every download is read from.
const tick = 20 * time.Millisecond

// options are the flags.
type options struct {
	address string
	path    string
	readers int
	rate    int64 // bytes a second, of each
}

func main() {
	var o options
	flag.StringVar(&o.address, "addr", "", "the `host:port` of the server, an IPv4 address")
	flag.StringVar(&o.path, "path", "/download", "what is downloaded, again and again: 64 KiB of the bytes i%251, repeated")
	flag.IntVar(&o.readers, "readers", 200, "how many downloads there are at a time")
	flag.Int64Var(&o.rate, "rate", 1_000_000, "how many bytes a second each reads")
	flag.Parse()
	if err := serve(o, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "readers:", err)
		os.Exit(1)
	}
}

// serve opens the connections and reads until there are no more commands.
func serve(o options, commands io.Reader, reports io.Writer) error {
	server, err := socket.ParseServer(o.address)
	if err != nil {
		return err
	}
	if o.readers < 1 || o.rate < 1 {
		return fmt.Errorf("-readers is %d and -rate %d, expected each to be at least 1", o.readers, o.rate)
	}
	downloads, err := open(server, o)
	defer downloads.close()
	if err != nil {
		return err
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(commands); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	ready := false
	for {
		select {
		case line, more := <-lines:
			if !more {
				return nil
			}
			if line != "count" {
				return fmt.Errorf("the command is %q, expected \"count\"", line)
			}
			fmt.Fprintf(reports, "read %d\n", downloads.bytes)
		case <-ticker.C:
			begun, err := downloads.advance(time.Now())
			if err != nil {
				return err
			}
			if begun && !ready {
				ready = true
				fmt.Fprintln(reports, "ready")
			}
		}
	}
}
