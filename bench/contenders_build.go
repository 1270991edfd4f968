package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// peerModules are those whose versions say what was measured. Of Penstock that is the commit.
var peerModules = []string{
	"github.com/valyala/fasthttp", "github.com/fasthttp/router", "github.com/panjf2000/gnet/v2",
	"github.com/lesismal/nbio", "github.com/cloudwego/hertz", "github.com/cloudwego/netpoll",
}

// build makes the program and returns the versions of what it is made of.
func (k serverKind) build(ctx context.Context, source, binary string) (version string, err error) {
	if k.isFloor {
		return buildFloor(ctx, source, binary)
	}
	installed := ""
	if k.requires != "" {
		if installed, err = versionOfInstalled(ctx, k.requires); err != nil {
			return "", err
		}
	}
	version, err = buildGo(ctx, source, binary)
	if installed != "" {
		version = installed
	}
	return version, err
}

func versionOfInstalled(ctx context.Context, program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%w: %s is not installed, or not in PATH", errNotHere, program)
	}
	text, err := exec.CommandContext(ctx, path, "-v").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s -v failed: %w", path, err)
	}
	return strings.TrimSpace(string(text)), nil
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
		if slices.Contains(peerModules, module.Path) {
			version += " " + module.Path + " " + module.Version
		}
	}
	return version, nil
}
