package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A role is what a server program is asked to do. A kind of server has a program for each
// role it can take.
type role string

const (
	roleHello role = "hello" // GET / is answered with the greeting, without a router if the library can do without
	roleEcho  role = "echo"  // POST /echo is answered with the request's body, while it arrives
	// roleService is everything that a small service answers: peers/README.md has the list.
	roleService role = "service"
	// roleDownload is GET /download of the service, for servers that can do no more of it.
	roleDownload role = "download"
	// roleUpload is the service set up for large request bodies, by servers whose
	// documentation recommends something else for these.
	roleUpload role = "upload"
	// GET /events is answered with a stream of the events that POST /publish makes
	roleFanout role = "fanout"
	// roleGateway is to pass requests on to the service, and its answers back.
	roleGateway role = "gateway"
	// roleEventGateway is the same in front of streams of events.
	roleEventGateway role = "event-gateway"
)

// upstreamRoles are those of the server behind a gateway.
var upstreamRoles = map[role]role{roleGateway: roleService, roleEventGateway: roleFanout}

// upstreamName is of the kind that stands behind all gateways.
const upstreamName = penstockName

// A serverKind is one of the servers compared.
type serverKind struct {
	name     string
	programs map[role]string // folder of a Go program, or C file of a floor's, relative to bench
	isFloor  bool
	// arguments are what the program gets in a role besides its address.
	arguments map[role][]string
	// requires is the program that must be installed for the kind's own to run.
	requires string
	// figures are the paths that tell the number of its goroutines in a role.
	figures map[role]string
	// buffers says that as a gateway it answers GET /download-buffered with the download, buffered
	// as it does unless told otherwise.
	buffers bool
}

const (
	penstockName = "penstock"
	floorName    = "floor"
	fasthttpName = "fasthttp"
	nethttpName  = "nethttp"
	gnetName     = "gnet"
	nbioName     = "nbio"
	hertzName    = "hertz"
	nginxName    = "nginx"
)

// routesFile is that of Penstock's own tests of its router.
const routesFile = "../server/testdata/github-routes.txt"

var withRoutes = map[role][]string{
	roleService:  {"-routes", routesFile},
	roleDownload: {"-routes", routesFile},
	roleUpload:   {"-routes", routesFile},
}

var serverKinds = []serverKind{
	{name: penstockName, arguments: withRoutes, programs: map[role]string{
		roleHello: "../examples/hello", roleEcho: "../examples/echo", roleFanout: "../examples/live",
		roleService: "peers/penstock", roleDownload: "peers/penstock", roleUpload: "peers/penstock",
		roleGateway: "../examples/gateway", roleEventGateway: "../examples/gateway",
	}, figures: map[role]string{roleFanout: "/figures", roleEventGateway: gatewayFigures}},
	{name: floorName, isFloor: true, programs: map[role]string{
		roleHello: "floor/floor.c", roleService: "floor/floor.c", roleDownload: "floor/download.c", roleFanout: "floor/fanout.c",
	}},
	{name: fasthttpName, arguments: withRoutes, programs: inAll("peers/fasthttp", roleFanout)},
	{name: nethttpName, arguments: withRoutes, programs: inAll("peers/nethttp", roleEcho, roleFanout, roleGateway, roleEventGateway),
		figures: map[role]string{roleEventGateway: gatewayFigures}},
	{name: gnetName, arguments: withRoutes, programs: inAll("peers/gnet")},
	{name: nbioName, arguments: withRoutes, programs: inAll("peers/nbio")},
	{name: hertzName, programs: inAll("peers/hertz", roleFanout), arguments: map[role][]string{
		roleService: withRoutes[roleService], roleDownload: withRoutes[roleDownload],
		roleUpload: {"-routes", routesFile, "-large"},
	}},
	{name: nginxName, requires: "nginx", buffers: true, programs: map[role]string{
		roleHello: "peers/nginx", roleDownload: "peers/nginx", roleGateway: "peers/nginx", roleEventGateway: "peers/nginx",
	}},
}

// gatewayFigures is what gateways in Go answer themselves, with the number of their goroutines.
const gatewayFigures = "/-/stats"

// inAll gives the roles of hello and of the service, and the others named, to one program.
func inAll(folder string, others ...role) map[role]string {
	programs := map[role]string{roleHello: folder, roleService: folder, roleDownload: folder, roleUpload: folder}
	for _, r := range others {
		programs[r] = folder
	}
	return programs
}

func kindNames() string {
	var names []string
	for _, k := range serverKinds {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// errNotHere is wrapped by the reason why a server cannot take part on this machine, which is
// said and leaves the others to be measured.
var errNotHere = errors.New("left out")

// A contender is a server that takes part in this run. The same kind may take part twice, to
// see what the comparison makes of no difference.
type contender struct {
	label    string // unique in the run
	kind     serverKind
	binaries map[role]string // path of the built program
	version  string          // of the library or compiler it was built with
}

// parseContenders reads the -peers list. A name that comes again gets a label of its own.
func parseContenders(list string) ([]*contender, error) {
	var contenders []*contender
	seen := map[string]int{}
	for name := range strings.SplitSeq(list, ",") {
		at := slices.IndexFunc(serverKinds, func(k serverKind) bool { return k.name == name })
		if at < 0 {
			return nil, fmt.Errorf("-peers names %q, which is none of %s", name, kindNames())
		}
		seen[name]++
		label := name
		if seen[name] > 1 {
			label = fmt.Sprintf("%s-%d", name, seen[name])
		}
		contenders = append(contenders, &contender{label: label, kind: serverKinds[at], binaries: map[role]string{}})
	}
	return contenders, nil
}

// build makes the programs of the kind for the roles, in the folder: one for all roles that have
// the same source. A program whose source or compiler is missing is left out, of which leftOut
// gets the reason.
func (c *contender) build(ctx context.Context, folder string, roles []role, leftOut func(error)) error {
	built := map[string]string{} // path of the program by its source
	for _, r := range roles {
		source := c.kind.programs[r]
		if source == "" {
			continue
		}
		if built[source] != "" {
			c.binaries[r] = built[source]
			continue
		}
		binary := filepath.Join(folder, c.label+"-"+string(r))
		version, err := c.kind.build(ctx, source, binary)
		if err != nil {
			err = fmt.Errorf("%s as %s: %w", c.label, r, err)
		}
		switch {
		case errors.Is(err, errNotHere):
			leftOut(err)
		case err != nil:
			return err
		default:
			c.binaries[r], c.version, built[source] = binary, version, binary
		}
	}
	return nil
}

// command returns the program of the role and its arguments.
func (c *contender) command(r role, address string, port int, floor floorInput) (string, []string) {
	if c.kind.isFloor {
		return c.binaries[r], floor.arguments(r, port)
	}
	arguments := append([]string{"-addr", address}, c.kind.arguments[r]...)
	if c.kind.requires != "" {
		// Beside the programs, and so removed with them.
		arguments = append(arguments, "-folder", c.binaries[r]+"-files")
	}
	return c.binaries[r], arguments
}

// A floorInput is what the floors of all roles but fanout must be told, since they parse nothing.
type floorInput struct {
	answerFile    string // in the role of download the head alone
	requestLength int    // bytes
	threads       int
	closes        bool // each connection after its answer; not in the role of download
}

func (f floorInput) arguments(r role, port int) []string {
	arguments := []string{strconv.Itoa(port)}
	if r != roleFanout {
		arguments = append(arguments, f.answerFile, strconv.Itoa(f.requestLength))
	}
	arguments = append(arguments, strconv.Itoa(f.threads))
	if f.closes {
		arguments = append(arguments, "close")
	}
	return arguments
}
