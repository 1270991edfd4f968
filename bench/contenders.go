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
)

// A serverKind is one of the servers compared.
type serverKind struct {
	name     string
	programs map[role]string // folder of a Go program, relative to bench
	isFloor  bool            // built with the C compiler instead
}

const (
	penstockName = "penstock"
	floorName    = "floor"
	fasthttpName = "fasthttp"
	nethttpName  = "nethttp"
)

var serverKinds = []serverKind{
	{name: penstockName, programs: map[role]string{roleHello: "../examples/hello", roleEcho: "../examples/echo"}},
	{name: floorName, isFloor: true},
	{name: fasthttpName, programs: map[role]string{roleHello: "peers/fasthttp"}},
	{name: nethttpName, programs: map[role]string{roleHello: "peers/nethttp", roleEcho: "peers/nethttp"}},
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

// canTake reports whether the kind has a program for the role at all.
func (c *contender) canTake(r role) bool {
	return c.kind.programs[r] != "" || c.kind.isFloor && r == roleHello
}

// build makes the programs for the roles, in the folder. The error wraps errNotHere when the
// program's source or the C compiler is missing.
func (c *contender) build(ctx context.Context, folder string, roles []role) error {
	for _, r := range roles {
		if !c.canTake(r) {
			continue
		}
		binary := filepath.Join(folder, c.label+"-"+string(r))
		var err error
		if c.kind.isFloor {
			c.version, err = buildFloor(ctx, binary)
		} else {
			c.version, err = buildGo(ctx, c.kind.programs[r], binary)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.label, err)
		}
		c.binaries[r] = binary
	}
	return nil
}

// command returns the program of the role and its arguments.
func (c *contender) command(r role, address string, port int, floor floorInput) (string, []string) {
	if c.kind.isFloor {
		return c.binaries[r], []string{
			strconv.Itoa(port), floor.answerFile, strconv.Itoa(floor.requestLength), strconv.Itoa(floor.threads),
		}
	}
	return c.binaries[r], []string{"-addr", address}
}

// A floorInput is what the floor must be told, since it parses nothing.
type floorInput struct {
	answerFile    string
	requestLength int // bytes
	threads       int
}

func buildFloor(ctx context.Context, binary string) (version string, err error) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		return "", fmt.Errorf("%w: there is no C compiler (cc) to build the floor with", errNotHere)
	}
	build := exec.CommandContext(ctx, compiler, "-O2", "-pthread", "-o", binary, "floor/floor.c")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("floor/floor.c does not build: %w\n%s", err, output)
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
