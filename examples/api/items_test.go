package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/server/servertest"
)

func TestItemIsMadeReadReplacedAndRemoved(t *testing.T) {
	p := run(t, usual)
	made := p.ask("a new item", servertest.Post("/items", "application/json", `{"name":"Nut","price":12,"stock":400}`), 201)
	if made.Field("Location") != "/items/1" || made.Field("ETag") != `"1"` || made.Body != `{"id":1,"name":"Nut","price":12,"stock":400}` {
		t.Errorf("the answer should say where the item is, which version and what, and is %q %q %s", made.Field("Location"), made.Field("ETag"), made.Body)
	}
	if got := p.ask("the item", servertest.Get("/items/1"), 200); got.Body != made.Body || got.Field("ETag") != `"1"` {
		t.Errorf("the item should be as it was made, and is %q %s", got.Field("ETag"), got.Body)
	}
	// What was got can be sent back.
	replaced := p.ask("its replacement", put("/items/1", `{"id":1,"name":"Bolt","price":13}`), 200)
	if replaced.Body != `{"id":1,"name":"Bolt","price":13,"stock":0}` || replaced.Field("ETag") != `"2"` {
		t.Errorf("the item should be replaced as a whole and have a new version, and is %q %s", replaced.Field("ETag"), replaced.Body)
	}
	if got := p.ask("the replaced item", servertest.Get("/items/1"), 200); got.Body != replaced.Body {
		t.Errorf("the item should stay replaced, and is %s", got.Body)
	}
	if got := p.ask("its removal", servertest.NewRequest("DELETE", "/items/1"), 204); got.Body != "" {
		t.Errorf("a removal should be answered without a body, and was answered %q", got.Body)
	}
	for _, r := range []servertest.Request{servertest.Get("/items/1"), put("/items/1", `{"name":"Nut","price":1}`), servertest.NewRequest("DELETE", "/items/1")} {
		wantProblem(t, "who asks for what was removed", p.ask("a removed item", r, 404), "There is no item with this id.", "")
	}
	if again := p.add("Nut"); again.Field("Location") != "/items/2" {
		t.Errorf("the id of a removed item should not be given again, and %q was", again.Field("Location"))
	}
}

func TestChangesAreMadeUnderTheirConditions(t *testing.T) {
	p := run(t, usual)
	p.add("Nut")
	version := 1
	for _, c := range []struct {
		why, name, value string
		holds            bool
	}{
		{"the version that is there", "If-Match", `"%d"`, true},
		{"any version", "If-Match", `*`, true},
		{"one of several", "If-Match", `"x,y", "%d" ,"z"`, true},
		{"an older version", "If-Match", `"0"`, false},
		{"a weak one", "If-Match", `W/"%d"`, false},
		{"no version", "If-Match", ``, false},
		{"not this version", "If-None-Match", `"%d"`, false},
		{"not this one, weakly", "If-None-Match", `W/"%d"`, false},
		{"none at all", "If-None-Match", `*`, false},
		{"not that version", "If-None-Match", `"0"`, true},
	} {
		value := c.value
		if c.value != "*" && c.value != "" && c.value != `"0"` {
			value = fmt.Sprintf(c.value, version)
		}
		status := 412
		if c.holds {
			status = 200
			version++
		}
		got := p.ask(c.why, put("/items/1", `{"name":"Nut","price":1}`).With(c.name, value), status)
		if want := fmt.Sprintf(`"%d"`, version); c.holds && got.Field("ETag") != want {
			t.Errorf("%s: the version should be %s, and is %s", c.why, want, got.Field("ETag"))
		}
		if !c.holds {
			wantProblem(t, c.why, got, "The item is not as the request says", "")
		}
	}
	remove := servertest.NewRequest("DELETE", "/items/1")
	p.ask("a removal of an older version", remove.With("If-Match", `"0"`), 412)
	p.ask("a removal of this version", remove.With("If-Match", fmt.Sprintf(`"%d"`, version)), 204)
	p.ask("a removal of what is gone, that was there", remove.With("If-Match", `*`), 412)
	p.ask("a removal of what is gone", remove.With("If-None-Match", `*`), 404)
}

func TestWhatHasNotChangedIsNotSentAgain(t *testing.T) {
	p := run(t, usual)
	p.add("Nut")
	for _, path := range []string{"/items/1", "/items"} {
		tag := p.ask(path, servertest.Get(path), 200).Field("ETag")
		got := p.ask(path+" again", servertest.Get(path).With("If-None-Match", tag), 304)
		if got.Body != "" || got.Field("ETag") != tag {
			t.Errorf("a 304 should have the ETag %s and no body, and has %s %q", tag, got.Field("ETag"), got.Body)
		}
	}
	tag := `"1"`
	p.ask("a change", put("/items/1", `{"name":"Nut","price":2}`), 200)
	p.ask("what has changed", servertest.Get("/items/1").With("If-None-Match", tag), 200)
}

func TestPagesHaveEveryItemOnce(t *testing.T) {
	p := run(t, usual)
	p.add("a", "b", "c", "d", "e")
	p.ask("a removal", servertest.NewRequest("DELETE", "/items/2"), 204)
	var names string
	at := "/items?limit=2"
	for pages := 1; at != ""; pages++ {
		var got page
		if err := json.Unmarshal([]byte(p.ask("a page", servertest.Get(at), 200).Body), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Items) != 2 || pages > 2 {
			t.Fatalf("four items should be two pages of two, and page %d has %d", pages, len(got.Items))
		}
		names += got.Items[0].Name + got.Items[1].Name
		at = got.Next
	}
	if names != "acde" {
		t.Errorf("the pages should have the items in the order of their ids, and have %q", names)
	}
	if got := p.ask("a page behind the last", servertest.Get("/items?after=99"), 200); got.Body != `{"items":[]}` {
		t.Errorf("a page behind the last item should be empty, and is %s", got.Body)
	}
	for range 60 {
		p.add("x")
	}
	var got page
	if err := json.Unmarshal([]byte(p.ask("a page", servertest.Get("/items"), 200).Body), &got); err != nil || len(got.Items) != usualPage {
		t.Errorf("a page should have %d items unless told otherwise, and has %d (%v)", usualPage, len(got.Items), err)
	}
}

func TestAPageIsCompressedAndAnItemIsNot(t *testing.T) {
	p := run(t, usual)
	p.add(strings.Repeat("<", longestName)) // six bytes each as JSON: the item is large enough to be worth it
	for path, want := range map[string]string{"/items": "gzip", "/items/1": "", "/items.ndjson": "gzip"} {
		got := p.ask(path, servertest.Get(path).With("Accept-Encoding", "gzip"), 200)
		if got.Field("Content-Encoding") != want {
			t.Errorf("%s should be coded as %q, and is as %q", path, want, got.Field("Content-Encoding"))
		}
	}
}
