package httpcompat

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Programs under their own tests. Theory: a test of a handler makes a server by httptest.NewServer. In a copy of
// the program another function takes its place, which serves the same handler by server.FromHTTP. All else
// is as its authors have left it: what they expect is what has to come.
func TestProgramsPassTheirOwnTests(t *testing.T) {
	for _, c := range []struct{ module, packages, skipped string }{
		{"github.com/go-chi/chi/v5", ". ./middleware", ""},
		// Those that are skipped measure how long a pause was.
		{"github.com/mccutchen/go-httpbin/v2", "./httpbin ./httpbin/websocket", "^TestSSE$|^TestDrip$|^TestDelay$|duration_is_enforced"},
		// A proxy is asked by CONNECT, which Penstock answers with 501; 101 is refused of a handler that does not
		// hijack; what is prepared is another under this version of Go, also without Penstock.
		{"github.com/gorilla/websocket", ".", "^TestProxy|^TestDialExtraTokens|^TestPreparedMessage$"},
	} {
		t.Run(strings.ReplaceAll(c.module, "/", "_"), func(t *testing.T) {
			program := copyModule(t, c.module)
			for _, folder := range strings.Fields(c.packages) {
				if servers := program.useFromHTTP(t, folder); servers == 0 {
					t.Errorf("the tests of %s make no server, so that they say nothing of FromHTTP", folder)
				}
				out, err := program.goCommand("test", "-count=1", "-skip", c.skipped, path(c.module, folder)).CombinedOutput()
				if err != nil {
					t.Errorf("the tests of %s should pass with FromHTTP under them:\n%s", folder, out)
				}
			}
		})
	}
}

func path(module, folder string) string { return module + strings.TrimPrefix(folder, ".") }

// programCopy is a copy of a module that may be changed.
type programCopy struct{ dir, modfile string }

// goCommand is the go command that finds the copy in place of the module.
func (p programCopy) goCommand(verb string, arguments ...string) *exec.Cmd {
	return exec.Command("go", append([]string{verb, "-modfile", p.modfile}, arguments...)...)
}

func copyModule(t *testing.T, module string) programCopy {
	t.Helper()
	scratch := t.TempDir()
	p := programCopy{dir: filepath.Join(scratch, "program"), modfile: filepath.Join(scratch, "go.mod")}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("the module %s was not found: %v", module, err)
	}
	if err := os.CopyFS(p.dir, os.DirFS(strings.TrimSpace(string(out)))); err != nil {
		t.Fatalf("the module %s could not be copied: %v", module, err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod := strings.Replace(read(t, "go.mod"), "=> ../..", "=> "+root, 1) + "\nreplace " + module + " => " + p.dir + "\n"
	write(t, p.modfile, mod)
	write(t, filepath.Join(scratch, "go.sum"), read(t, "go.sum"))
	return p
}

var packageClause = regexp.MustCompile(`(?m)^package (\w+)`)

// useFromHTTP has the tests in a folder make their servers by FromHTTP, and returns in how many places
// they make one.
func (p programCopy) useFromHTTP(t *testing.T, folder string) (servers int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	const made = "httptest.NewServer("
	ours := read(t, filepath.Join("testdata", "newserver.go"))
	for _, file := range files {
		text := read(t, file)
		n := strings.Count(text, made)
		if n == 0 {
			continue
		}
		servers += n
		// The import stays in use, whatever else of the package the file needs.
		write(t, file, strings.ReplaceAll(text, made, "newPenstockServer(")+"\nvar _ *httptest.Server\n")
		clause := packageClause.FindString(text)
		write(t, filepath.Join(p.dir, folder, strings.ReplaceAll(clause, " ", "_")+"_newserver_test.go"),
			packageClause.ReplaceAllString(ours, clause))
	}
	return servers
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
