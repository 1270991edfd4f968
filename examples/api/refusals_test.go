package main

import (
	"strings"
	"testing"

	"github.com/penstock-go/penstock/server/servertest"
)

const jsonType = "application/json"

// What is wrong with an item's content is answered with what and where, for POST and for PUT.
func TestContentIsRefusedWithTheReason(t *testing.T) {
	p := run(t, usual)
	p.add("Nut")
	for _, c := range []struct {
		why, contentType, body string
		status                 int
		detail, pointer        string
	}{
		{"nothing", jsonType, ``, 400, "empty", ""},
		{"bad JSON", jsonType, `{"name":"x",,}`, 400, "line 1, column 13", ""},
		{"cut JSON", jsonType, `{"name":"x"`, 400, "", ""},
		{"trailing data", jsonType, `{"name":"x","price":1} {}`, 400, "", ""},
		{"bad UTF-8", jsonType, "{\"name\":\"\xff\",\"price\":1}", 400, "UTF-8", ""},
		{"nested too deep", jsonType, `{"name":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, 400, "", ""},
		{"null", jsonType, `null`, 422, "", "#"},
		{"a list", jsonType, `[]`, 422, "", "#"},
		{"an unknown member", jsonType, `{"name":"x","price":1,"colour":"red"}`, 422, "colour", ""},
		{"a wrong type", jsonType, `{"name":"x","price":"1"}`, 422, "", "#/price"},
		{"a fraction", jsonType, `{"name":"x","price":1.5}`, 422, "", "#/price"},
		{"a number that is too large to be one", jsonType, `{"name":"x","price":1e30}`, 422, "", "#/price"},
		{"no name", jsonType, `{"price":1}`, 422, "", "#/name"},
		{"a blank name", jsonType, `{"name":" \t","price":1}`, 422, "", "#/name"},
		{"a name with a control character", jsonType, `{"name":"a\u0000b","price":1}`, 422, "", "#/name"},
		{"a name that is too long", jsonType, `{"name":"` + strings.Repeat("é", 201) + `","price":1}`, 422, "", "#/name"},
		{"no price", jsonType, `{"name":"x"}`, 422, "", "#/price"},
		{"a price below 0", jsonType, `{"name":"x","price":-1}`, 422, "", "#/price"},
		{"a price that is too high", jsonType, `{"name":"x","price":10000000001}`, 422, "", "#/price"},
		{"a stock below 0", jsonType, `{"name":"x","price":1,"stock":-1}`, 422, "", "#/stock"},
		{"another media type", "text/plain", `{"name":"x","price":1}`, 415, "application/json", ""},
		{"no media type", "", `{"name":"x","price":1}`, 415, "", ""},
		{"another charset", jsonType + "; charset=iso-8859-1", `{"name":"x","price":1}`, 415, "", ""},
		{"too large", jsonType, `{"name":"` + strings.Repeat("x", largestItem) + `","price":1}`, 413, "16384 bytes", ""},
	} {
		for _, at := range []servertest.Request{servertest.NewRequest("POST", "/items"), servertest.NewRequest("PUT", "/items/1")} {
			for _, chunked := range []bool{false, true} {
				r := at
				if c.contentType != "" {
					r = r.With("Content-Type", c.contentType)
				}
				if chunked && c.body != "" {
					r = r.WithChunks(c.body)
				} else {
					r = r.WithBody(c.body)
				}
				wantProblem(t, c.why, p.ask(c.why, r, c.status), c.detail, c.pointer)
			}
		}
	}
	if got := p.ask("the items", servertest.Get("/items"), 200); got.Body != `{"items":[{"id":1,"name":"Nut","price":100,"stock":0}]}` {
		t.Errorf("nothing that was refused should be stored, and there is %s", got.Body)
	}
}

// Every wrong member is told of at once.
func TestAllThatIsWrongIsTold(t *testing.T) {
	p := run(t, usual)
	told := problemIn(t, p.ask("three mistakes", servertest.Post("/items", jsonType, `{"name":"","price":-1,"stock":-1}`), 422))
	if len(told.Errors) != 3 || told.Errors[0].Pointer != "#/name" || told.Errors[1].Pointer != "#/price" || told.Errors[2].Pointer != "#/stock" {
		t.Errorf("name, price and stock should be told of, and were: %+v", told.Errors)
	}
}

func TestLimitsOfContentAreInclusive(t *testing.T) {
	p := run(t, usual)
	p.ask("a name of 200 characters", servertest.Post("/items", jsonType, `{"name":"`+strings.Repeat("é", 200)+`","price":10000000000,"stock":1000000000}`), 201)
}

func TestTargetsAreRefusedWithTheReason(t *testing.T) {
	p := run(t, usual)
	for _, c := range []struct {
		method, target string
		status         int
		detail         string
	}{
		{"GET", "/items/x", 400, "The id in the path must be a whole number from 1"},
		{"GET", "/items/0", 400, "The id in the path"},
		{"GET", "/items/-1", 400, "The id in the path"},
		{"GET", "/items/1%2f2", 400, "The id in the path"},
		{"GET", "/items/9223372036854775808", 400, "The id in the path"},
		{"DELETE", "/items/1;DROP%20TABLE%20items", 400, "The id in the path"},
		{"PUT", "/items/x", 400, "The id in the path"},
		{"GET", "/items/9223372036854775807", 404, "There is no item"},
		{"GET", "/items?limit=0", 400, "The parameter limit must be a whole number from 1 to 1000."},
		{"GET", "/items?limit=1001", 400, "The parameter limit"},
		{"GET", "/items?limit=ten", 400, "The parameter limit"},
		{"GET", "/items?after=-1", 400, "The parameter after"},
		{"GET", "/item", 404, ""},
		{"PATCH", "/items/1", 405, ""},
	} {
		why := c.method + " " + c.target
		wantProblem(t, why, p.ask(why, servertest.NewRequest(c.method, c.target), c.status), c.detail, "")
	}
	if got := p.ask("a method that is not there", servertest.NewRequest("PATCH", "/items"), 405); got.Field("Allow") != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("a 405 should list the methods that there are, and lists %q", got.Field("Allow"))
	}
}
