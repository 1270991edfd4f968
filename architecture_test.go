package penstock

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The packages may import of each other what ARCHITECTURE.md says, and nothing else.
func TestPackagesKnowOnlyWhatTheyMay(t *testing.T) {
	const module = "github.com/penstock-go/penstock/"
	for pkg, allowed := range map[string]string{
		"loop":     "loop",
		"parser":   "parser",
		"pipeline": "pipeline",
		"server":   "server loop parser pipeline",
		"client":   "client loop parser pipeline",
		"proxy":    "proxy client server loop parser pipeline",

		"server/codec":      "server/codec server loop parser pipeline",
		"server/compress":   "server/compress server loop parser pipeline",
		"server/layer":      "server/layer server loop parser pipeline",
		"server/multipart":  "server/multipart server loop parser pipeline",
		"server/servertest": "server/servertest server loop loop/looptest parser pipeline",
	} {
		out, err := exec.Command("go", "list", "-deps", module+pkg).Output()
		if err != nil {
			t.Fatalf("go list -deps %s failed: %v", pkg, err)
		}
		seen := 0
		for dep := range strings.Lines(string(out)) {
			name, ours := strings.CutPrefix(strings.TrimSpace(dep), module)
			if !ours {
				continue
			}
			seen++
			if !strings.Contains(" "+allowed+" ", " "+name+" ") {
				t.Errorf("the package %s imports %s, which it must know nothing of", pkg, name)
			}
		}
		if seen == 0 {
			t.Errorf("go list -deps %s has not even listed the package itself", pkg)
		}
	}
}

// Of third parties, the framework needs four modules and what they need.
func TestModuleNeedsFourOthers(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{if not .Indirect}}{{.Path}}{{end}}", "all").Output()
	if err != nil {
		t.Fatalf("go list -m failed: %v", err)
	}
	got := strings.Fields(string(out))
	want := []string{"github.com/penstock-go/penstock", "github.com/klauspost/compress", "github.com/panjf2000/gnet/v2", "github.com/valyala/bytebufferpool", "golang.org/x/sys"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the module should need %v directly, and needs %v", want, got)
	}
}

// Whoever changes the framework finds every module that it may break in CONTRIBUTING.md.
func TestModulesAreNamed(t *testing.T) {
	out, err := exec.Command(".ci/modules").Output()
	if err != nil {
		t.Fatalf(".ci/modules failed: %v", err)
	}
	text, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	folders := strings.Fields(string(out))
	if len(folders) < 2 || folders[0] != "." {
		t.Fatalf(".ci/modules should print the folder of the framework's module first, and others behind it, and prints %q", folders)
	}
	for _, folder := range folders[1:] {
		if name := strings.TrimPrefix(folder, "./"); !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("CONTRIBUTING.md should name every module, and does not name `%s`", name)
		}
	}
}
