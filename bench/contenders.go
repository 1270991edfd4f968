package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A role is what a server program is asked to do. A kind of server has a program for each
// role it can take.
type role string

const (
	roleHello role = "hello" // GET / is answered with the greeting
	roleEcho  role = "echo"  // POST /echo is answered with the request's body
	// GET /events is answered with a stream of the events that POST /publish makes
	roleFanout role = "fanout"
)

// A serverKind is one of the servers compared.
type serverKind struct {
	name     string
	programs map[role]string // folder of a Go program, or C file of a floor's, relative to bench
	isFloor  bool
	// hasFigures says that GET /figures tells the number of its goroutines, in the role of fanout.
	hasFigures bool
}

const (
	penstockName = "penstock"
	floorName    = "floor"
	fasthttpName = "fasthttp"
	nethttpName  = "nethttp"
)

var serverKinds = []serverKind{
	{name: penstockName, hasFigures: true, programs: map[role]string{
		roleHello: "../examples/hello", roleEcho: "../examples/echo", roleFanout: "../examples/live",
	}},
	{name: floorName, isFloor: true, programs: map[role]string{roleHello: "floor/floor.c", roleFanout: "floor/fanout.c"}},
	{name: fasthttpName, programs: map[role]string{roleHello: "peers/fasthttp"}},
	{name: nethttpName, programs: map[role]string{
		roleHello: "peers/nethttp", roleEcho: "peers/nethttp", roleFanout: "peers/nethttp",
	}},
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
			return nil, fmt.Errorf("-peers names %q, which is none of penstock, floor, fasthttp, nethttp", name)
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

// build makes the programs of the kind for the roles, in the folder. A program whose source or
// compiler is missing is left out, of which leftOut gets the reason.
func (c *contender) build(ctx context.Context, folder string, roles []role, leftOut func(error)) error {
	for _, r := range roles {
		source := c.kind.programs[r]
		if source == "" {
			continue
		}
		binary := filepath.Join(folder, c.label+"-"+string(r))
		build := buildGo
		if c.kind.isFloor {
			build = buildFloor
		}
		version, err := build(ctx, source, binary)
		if err != nil {
			err = fmt.Errorf("%s as %s: %w", c.label, r, err)
		}
		switch {
		case errors.Is(err, errNotHere):
			leftOut(err)
		case err != nil:
			return err
		default:
			c.binaries[r], c.version = binary, version
		}
	}
	return nil
}

// command returns the program of the role and its arguments.
func (c *contender) command(r role, address string, port int, floor floorInput) (string, []string) {
	if !c.kind.isFloor {
		return c.binaries[r], []string{"-addr", address}
	}
	arguments := []string{strconv.Itoa(port)}
	if r == roleHello {
		arguments = append(arguments, floor.answerFile, strconv.Itoa(floor.requestLength))
	}
	return c.binaries[r], append(arguments, strconv.Itoa(floor.threads))
}

// A floorInput is what the floor of hello must be told, since it parses nothing.
type floorInput struct {
	answerFile    string
	requestLength int // bytes
	threads       int
}

func buildFloor(ctx context.Context, source, binary string) (version string, err error) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		return "", fmt.Errorf("%w: there is no C compiler (cc) to build the floor with", errNotHere)
	}
	build := exec.CommandContext(ctx, compiler, "-O2", "-pthread", "-o", binary, source)
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s does not build: %w\n%s", source, err, output)
	}
	text, err := exec.CommandContext(ctx, compiler, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version failed: %w", compiler, err)
	}
	version, _, _ = strings.Cut(string(text), "\n")
	return version + " -O2", nil
}

// buildGo builds the program in its own folder, so that the module it belongs to decides.
func buildGo(ctx context.Context, folder, binary string) (version string, err error) {
	if sources, _ := filepath.Glob(filepath.Join(folder, "*.go")); len(sources) == 0 {
		return "", fmt.Errorf("%w: there is no program in %s yet", errNotHere, folder)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	build.Dir = folder
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("the program in %s does not build: %w", folder, err)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "", fmt.Errorf("the build of %s cannot be read: %w", folder, err)
	}
	version = info.GoVersion
	for _, module := range info.Deps {
		if strings.Contains(module.Path, "/fasthttp") || strings.Contains(module.Path, "/gnet/") {
			version += " " + module.Path + " " + module.Version
		}
	}
	return version, nil
}
