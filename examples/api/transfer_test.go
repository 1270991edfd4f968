package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/server/servertest"
)

const linesType = "application/x-ndjson"

// lines makes a number of lines to import.
func lines(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, `{"name":"item %d","price":%d}`+"\n", i, i)
	}
	return b.String()
}

func TestWhatIsExportedCanBeImported(t *testing.T) {
	p := run(t, usual)
	p.add("a", "b & <c>", "ü")
	exported := p.ask("an export", servertest.Get("/items.ndjson"), 200)
	want := `{"id":1,"name":"a","price":100,"stock":0}` + "\n" +
		`{"id":2,"name":"b & <c>","price":100,"stock":0}` + "\n" + `{"id":3,"name":"ü","price":100,"stock":0}` + "\n"
	if exported.Body != want || exported.Field("Content-Type") != linesType {
		t.Fatalf("an export should be each item as a line, and is %q", exported.Body)
	}
	if got := p.ask("an import", servertest.Post("/items.ndjson", linesType, want), 200); got.Body != `{"stored":3}` {
		t.Errorf("an import should say how many items were stored, and says %s", got.Body)
	}
	again := p.ask("an export of all", servertest.Get("/items.ndjson"), 200)
	if !strings.HasPrefix(again.Body, want) || !strings.HasSuffix(again.Body, `{"id":6,"name":"ü","price":100,"stock":0}`+"\n") {
		t.Errorf("what was imported should be there with ids of its own, and there is %q", again.Body)
	}
}

func TestNothingIsExportedAndImported(t *testing.T) {
	p := run(t, usual)
	if got := p.ask("an export", servertest.Get("/items.ndjson"), 200); got.Body != "" {
		t.Errorf("an export without items should be empty, and is %q", got.Body)
	}
	for _, body := range []string{"", "\n\n"} {
		if got := p.ask("an import of nothing", servertest.Post("/items.ndjson", linesType, body), 200); got.Body != `{"stored":0}` {
			t.Errorf("an import of nothing should store nothing, and says %s", got.Body)
		}
	}
	if got := p.ask("HEAD", servertest.NewRequest("HEAD", "/items.ndjson"), 200); got.Body != "" {
		t.Errorf("HEAD should be answered without a body, and was with %q", got.Body)
	}
	if open := len(p.site.exports); open != 0 {
		t.Errorf("no export should be open behind a HEAD, and %d are", open)
	}
}

func TestAnImportMayBeCompressed(t *testing.T) {
	p := run(t, usual)
	var coded bytes.Buffer
	w := gzip.NewWriter(&coded)
	_, _ = io.WriteString(w, lines(2500))
	_ = w.Close()
	r := servertest.Post("/items.ndjson", linesType, coded.String())
	if got := p.ask("an import in gzip", r.With("Content-Encoding", "gzip"), 200); got.Body != `{"stored":2500}` {
		t.Errorf("an import in gzip should be stored, and the answer is %s", got.Body)
	}
	wantProblem(t, "an unknown coding", p.ask("an unknown coding", r.With("Content-Encoding", "br"), 415), "gzip", "")
	wantProblem(t, "what is not gzip", p.ask("what is not gzip", servertest.Post("/items.ndjson", linesType, lines(3)).With("Content-Encoding", "gzip"), 400), "gzip", "")
}

// The batches before a wrong line are stored, and nothing of its own.
func TestAnImportSaysHowFarItHasCome(t *testing.T) {
	for _, c := range []struct {
		why, line      string
		status, before int
		stored         int
		detail         string
	}{
		{"bad JSON", `{"name":}`, 400, 2500, 2000, "line 2501"},
		{"an unknown member", `{"name":"x","price":1,"colour":"red"}`, 422, 1000, 1000, "line 1001"},
		{"a wrong type", `{"name":"x","price":"1"}`, 422, 999, 0, "line 1000"},
		{"an item that is not valid", `{"name":"x"}`, 422, 1, 0, "line 2"},
		{"bad UTF-8", "{\"name\":\"\xff\",\"price\":1}", 400, 1001, 1000, "line 1002"},
		{"two items in a line", `{"name":"x","price":1}{"name":"x","price":1}`, 400, 0, 0, "line 1"},
		{"a line that is too long", `{"name":"` + strings.Repeat("x", longestLine) + `"}`, 413, 1500, 1000, "line 1501"},
	} {
		p := run(t, usual)
		got := p.ask(c.why, servertest.Post("/items.ndjson", linesType, lines(c.before)+c.line+"\n"+lines(10)), c.status)
		told := problemIn(t, got)
		if told.Stored == nil || *told.Stored != c.stored {
			t.Errorf("%s: the answer should say that %d items are stored, and is %s", c.why, c.stored, got.Body)
		}
		place := fmt.Sprint(told.Detail, told.Errors)
		if !strings.Contains(strings.ToLower(place), c.detail) {
			t.Errorf("%s: the answer should say %q, and is %s", c.why, c.detail, got.Body)
		}
		export := p.ask("an export", servertest.Get("/items.ndjson"), 200)
		if there := strings.Count(export.Body, "\n"); there != c.stored {
			t.Errorf("%s: %d items should be stored, and there are %d", c.why, c.stored, there)
		}
	}
}

func TestAnImportOfAnotherTypeIsRefused(t *testing.T) {
	p := run(t, usual)
	for _, contentType := range []string{"application/json", "text/plain", "application/x-ndjson;;", ""} {
		got := p.ask(contentType, servertest.NewRequest("POST", "/items.ndjson").With("Content-Type", contentType).WithBody(lines(1)), 415)
		wantProblem(t, contentType, got, "The content must be application/x-ndjson.", "")
	}
}

// The client leaves in the middle of an import: the batches that were whole are stored.
func TestAnImportEndsWhenItsClientLeaves(t *testing.T) {
	p := run(t, usual)
	head := "POST /items.ndjson HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-ndjson\r\nContent-Length: 10000000\r\n\r\n"
	leaver := p.Client()
	for sent := head + lines(1500); sent != ""; {
		sent = sent[leaver.Send(sent):]
		p.Settle()
	}
	stored := func() int {
		return strings.Count(p.ask("an export", servertest.Get("/items.ndjson"), 200).Body, "\n")
	}
	for stored() < importBatch { // each asks through the whole service, and so lets the writer work
	}
	leaver.Reset()
	if got := stored(); got != importBatch {
		t.Errorf("one batch should be stored, and %d items are", got)
	}
}
