package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/penstock-go/penstock/examples/internal/program/programtest"
	"github.com/penstock-go/penstock/server"
)

// A running is the program, started by a test.
type running struct {
	t    *testing.T
	base string
	dir  string
	stop func()
}

func run(t *testing.T, limit int64, o server.Options) *running {
	t.Helper()
	p := &running{t: t, dir: filepath.Join(t.TempDir(), "uploads")}
	o.Strict = true
	p.base, p.stop = programtest.StartOf(t, func() (*server.Server, func() error, error) { return open(p.dir, limit, o) })
	return p
}

// folder returns what is in the folder: the contents by name, the ids cut off.
func (p *running) folder() map[string]string {
	p.t.Helper()
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	files := make(map[string]string)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(p.dir, entry.Name()))
		if err != nil {
			p.t.Fatal(err)
		}
		files[withoutID(entry.Name())] = string(content)
	}
	return files
}

func withoutID(name string) string {
	if len(name) > idLength && name[idLength] == '-' {
		return name[idLength+1:]
	}
	return name
}

// wantFolder checks what is in the folder: names and contents, one after another.
func (p *running) wantFolder(why string, namesAndContents ...string) {
	p.t.Helper()
	got := p.folder()
	if len(got) != len(namesAndContents)/2 {
		p.t.Errorf("%s: the folder should have %d files, and has %q", why, len(namesAndContents)/2, names(got))
	}
	for pair := range slices.Chunk(namesAndContents, 2) {
		if content, found := got[pair[0]]; !found || content != pair[1] {
			p.t.Errorf("%s: the folder should have %s with %d bytes, and has %d of it (there: %v)", why, pair[0], len(pair[1]), len(content), found)
		}
	}
}

func names(files map[string]string) (all []string) {
	for name := range files {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// form makes a form of files: names and contents, one after another.
func form(namesAndContents ...string) (contentType, content string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for pair := range slices.Chunk(namesAndContents, 2) {
		file, _ := w.CreateFormFile("file", pair[0])
		_, _ = io.WriteString(file, pair[1])
	}
	_ = w.WriteField("comment", "not a file")
	_ = w.Close()
	return w.FormDataContentType(), b.String()
}

// post sends content and returns the answer.
func (p *running) post(path, contentType string, content io.Reader) (*http.Response, string) {
	p.t.Helper()
	resp, err := http.Post(p.base+path, contentType, content)
	if err != nil {
		p.t.Fatalf("POST %s failed: %v", path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatalf("the answer to POST %s could not be read: %v", path, err)
	}
	return resp, string(body)
}

func TestFilesAreKept(t *testing.T) {
	p := run(t, 1<<20, server.Options{})
	large := strings.Repeat("0123456789", 30_000)
	contentType, content := form("a.txt", "one", "b.bin", large, "empty", "")
	resp, body := p.post("/upload", contentType, strings.NewReader(content))
	var kept []upload
	if err := json.Unmarshal([]byte(body), &kept); resp.StatusCode != 201 || err != nil || len(kept) != 3 {
		t.Fatalf("three files should be answered 201 with what they are, and were answered %d %q", resp.StatusCode, body)
	}
	for i, want := range []upload{{Name: "a.txt", Size: 3}, {Name: "b.bin", Size: int64(len(large))}, {Name: "empty"}} {
		if withoutID(kept[i].Name) != want.Name || kept[i].Size != want.Size || kept[i].Time.IsZero() {
			t.Errorf("file %d should be %s of %d bytes, and is %+v", i, want.Name, want.Size, kept[i])
		}
	}
	p.wantFolder("after three files", "a.txt", "one", "b.bin", large, "empty", "")
	_, listed := programtest.Do(t, "GET", p.base+"/uploads", "")
	for _, u := range kept {
		if !strings.Contains(listed, fmt.Sprintf(`{"name":"%s","size":%d,`, u.Name, u.Size)) {
			t.Errorf("the list should have %s, and is %s", u.Name, listed)
		}
	}
}

func TestClientsDoNotChooseWhereFilesGo(t *testing.T) {
	p := run(t, 1<<20, server.Options{})
	contentType := "multipart/form-data; boundary=b"
	for _, name := range []string{"../../evil", `..\\..\\evil`, "/tmp/evil", ".part", "evil%0D%0AX", "CON"} {
		content := "--b\r\nContent-Disposition: form-data; name=f; filename=\"" + name + "\"\r\n\r\nx\r\n--b--\r\n"
		if resp, body := p.post("/upload", contentType, strings.NewReader(content)); resp.StatusCode != 201 {
			t.Errorf("the file %q should be kept, and was answered %d %q", name, resp.StatusCode, body)
		}
	}
	p.stop()
	if got := names(p.folder()); !slices.Equal(got, []string{"_CON", "evil", "evil__X", "part"}) {
		t.Errorf("the folder should have the names as far as they are safe, and has %q", got)
	}
	entries, _ := os.ReadDir(p.dir)
	around, _ := os.ReadDir(filepath.Dir(p.dir))
	if len(entries) != 6 || len(around) != 1 {
		t.Errorf("there should be 6 files in the folder and nothing beside it, and there are %v and %v", entries, around)
	}
}

func TestRefusals(t *testing.T) {
	p := run(t, 100_000, server.Options{})
	typed, nothing := form()
	_, large := form("a.txt", strings.Repeat("x", 200_000))
	const b = "multipart/form-data; boundary=b"
	unchosen := "--b\r\nContent-Disposition: form-data; name=f; filename=\"\"\r\n\r\n\r\n--b--\r\n"
	cut := "--b\r\nContent-Disposition: form-data; name=f; filename=\"a\"\r\n\r\nsome"
	for _, c := range []struct {
		why, path, contentType string
		content                io.Reader
		status                 int
		want                   string
	}{
		{"a form without files", "/upload", typed, strings.NewReader(nothing), 400, "There is no file in the form."},
		{"a file that was not chosen", "/upload", b, strings.NewReader(unchosen), 400, "There is no file in the form."},
		{"another type", "/upload", "text/plain", strings.NewReader("x"), 415, "The content must be multipart/form-data."},
		{"a form that is cut", "/upload", b, strings.NewReader(cut), 400, "The form has ended before its last boundary."},
		{"too large", "/upload", typed, strings.NewReader(large), 413, "The request's body is over the limit of 100000 bytes."},
		{"too large, of unknown length", "/upload", typed, io.MultiReader(strings.NewReader(large)), 413, "The request's body is over the limit of 100000 bytes."},
		{"an id that is none", "/upload?id=a/b", b, strings.NewReader(unchosen), 400, "The id must be letters, digits and hyphens, at most 64."},
		{"an id that is too long", "/upload?id=" + strings.Repeat("a", 65), b, strings.NewReader(unchosen), 400, "The id must be letters, digits and hyphens, at most 64."},
	} {
		contentType := c.contentType
		if strings.HasPrefix(c.why, "too large") { // each form has a boundary of its own
			boundary, _, _ := strings.Cut(strings.TrimPrefix(large, "--"), "\r\n")
			contentType = "multipart/form-data; boundary=" + boundary
		}
		resp, body := p.post(c.path, contentType, c.content)
		if resp.Header.Get("Content-Type") == "application/problem+json" {
			var problem struct{ Detail string }
			if err := json.Unmarshal([]byte(body), &problem); err != nil {
				t.Errorf("%s should be answered with a problem document, and %q is none: %v", c.why, body, err)
			}
			body = problem.Detail
		}
		if resp.StatusCode != c.status || strings.TrimSpace(body) != c.want {
			t.Errorf("%s should be answered %d %q, and was answered %d %q", c.why, c.status, c.want, resp.StatusCode, body)
		}
	}
	p.stop()
	p.wantFolder("after nothing but refusals")
}

func TestFormThatWasSentWithoutTheScript(t *testing.T) {
	p := run(t, 1<<20, server.Options{})
	contentType, content := form("a.txt", "one")
	request, err := http.NewRequest("POST", p.base+"/upload", strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Accept", "text/html,*/*;q=0.8")
	resp, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 303 || resp.Header.Get("Location") != "/" {
		t.Errorf("a browser that has sent the form should be led back to the page, and was answered %d", resp.StatusCode)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestUploadsAtTheSameTime(t *testing.T) {
	p := run(t, 4<<20, server.Options{Loops: 2})
	var sending sync.WaitGroup
	var want []string
	for i := range 16 {
		name, content := fmt.Sprintf("%d.txt", i), strings.Repeat(fmt.Sprintf("file %d\r\n", i), 50_000+1000*i)
		want = append(want, name, content)
		sending.Go(func() {
			contentType, content := form(name, content)
			resp, err := http.Post(p.base+"/upload", contentType, strings.NewReader(content))
			if err != nil {
				t.Errorf("an upload failed: %v", err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != 201 {
				t.Errorf("one of many uploads was answered %d, 201 was expected", resp.StatusCode)
			}
		})
	}
	sending.Wait()
	p.wantFolder("after many uploads at once", want...)
}
