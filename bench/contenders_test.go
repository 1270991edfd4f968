package main

import (
	"slices"
	"strings"
	"testing"
)

func TestContendersGetLabels(t *testing.T) {
	contenders, err := parseContenders("floor,penstock,floor")
	if err != nil {
		t.Fatalf("the list is not taken: %v", err)
	}
	var labels []string
	for _, c := range contenders {
		labels = append(labels, c.label)
	}
	if expected := []string{"floor", "penstock", "floor-2"}; !slices.Equal(labels, expected) {
		t.Errorf("the labels are %q, expected %q", labels, expected)
	}
	if _, err := parseContenders("floor,apache"); err == nil || !strings.Contains(err.Error(), kindNames()) {
		t.Errorf("an unknown server gives the error %v, expected one that names those there are", err)
	}
}

func TestCommandsOfServers(t *testing.T) {
	input := floorInput{answerFile: "answer", requestLength: 40, threads: 2}
	closing := input
	closing.closes = true
	for _, c := range []struct {
		kind     string
		role     role
		floor    floorInput
		expected string
	}{
		{floorName, roleHello, input, "binary 8080 answer 40 2"},
		{floorName, roleHello, closing, "binary 8080 answer 40 2 close"},
		{floorName, roleDownload, input, "binary 8080 answer 40 2"},
		{floorName, roleFanout, input, "binary 8080 2"},
		{fasthttpName, roleHello, input, "binary -addr 127.0.0.1:8080"},
		{fasthttpName, roleService, input, "binary -addr 127.0.0.1:8080 -routes " + routesFile},
		{hertzName, roleUpload, input, "binary -addr 127.0.0.1:8080 -routes " + routesFile + " -large"},
		{nginxName, roleDownload, input, "binary -addr 127.0.0.1:8080 -folder binary-files"},
	} {
		contenders, err := parseContenders(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		contender := contenders[0]
		contender.binaries[c.role] = "binary"
		path, arguments := contender.command(c.role, "127.0.0.1:8080", 8080, c.floor)
		if got := strings.Join(append([]string{path}, arguments...), " "); got != c.expected {
			t.Errorf("%s as %s is started by %q, expected %q", c.kind, c.role, got, c.expected)
		}
	}
}

func TestProgramOfTwoRolesIsBuiltOnce(t *testing.T) {
	contenders, err := parseContenders(nethttpName)
	if err != nil {
		t.Fatal(err)
	}
	c := contenders[0]
	unexpected := func(err error) { t.Errorf("a program is left out: %v", err) }
	if err := c.build(t.Context(), t.TempDir(), []role{roleHello, roleService}, unexpected); err != nil {
		t.Fatalf("the programs are not built: %v", err)
	}
	if c.binaries[roleHello] == "" || c.binaries[roleHello] != c.binaries[roleService] {
		t.Errorf("the programs are %v, expected the same for both roles", c.binaries)
	}
}

func TestServerWhoseProgramIsNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	contenders, err := parseContenders(nginxName)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []error
	err = contenders[0].build(t.Context(), t.TempDir(), []role{roleHello}, func(reason error) { reasons = append(reasons, reason) })
	if err != nil || len(reasons) != 1 || !strings.Contains(reasons[0].Error(), "not installed") {
		t.Errorf("the reasons to leave nginx out are %v, error %v; expected that it is not installed", reasons, err)
	}
}
