package service

import (
	"flag"
	"fmt"
	"log"
	"net"
	"runtime/debug"
)

// Arguments is what a server is told on its command line.
type Arguments struct {
	Address string // host:port to listen on

	// Routes are those that the server has besides its own, in the file's order. Without
	// any it answers GET / alone and does without a router, if its library allows that.
	Routes []Route
}

// Start reads the command line and sets what all servers written in Go set alike. It ends the
// process when the command line is wrong.
func Start() Arguments {
	address := flag.String("addr", "127.0.0.1:8080", "the `host:port` to listen on")
	file := flag.String("routes", "", "`file` of the routes that the service has besides its own; without it there is GET / alone")
	flag.Parse()
	debug.SetGCPercent(400) // which makes the least heap 16 MiB, as that of Penstock's examples
	arguments := Arguments{Address: *address}
	if *file != "" {
		routes, err := ReadRoutes(*file)
		if err != nil {
			log.Fatal(err)
		}
		arguments.Routes = routes
	}
	return arguments
}

// Serves reports whether the server is asked for the whole service, and not for GET / alone.
func (a Arguments) Serves() bool { return a.Routes != nil }

// Listen opens the listener and announces its address; it ends the process when it cannot.
func (a Arguments) Listen() net.Listener {
	listener, err := net.Listen("tcp4", a.Address)
	if err != nil {
		log.Fatalf("the server cannot listen: %v", err)
	}
	Announce(listener.Addr().String())
	return listener
}

// Announce prints the line that the harness waits for. Connections must be taken from then on.
func Announce(address string) { fmt.Printf("listening on http://%s\n", address) }
