package server

import "testing"

func TestAddFields(t *testing.T) {
	fields := []Field{{Name: "X-A", Value: "1"}, {Name: "Content-Type", Value: "text/html"}, {Name: "X-A", Value: "2"}}
	r := Text(200, "x").With("X-A", "0").AddFields(fields)
	clear(fields) // may be used again at once
	r = r.Add("X-B", "3")
	want := []Field{{Name: "X-A", Value: "0"}, {Name: "X-A", Value: "1"}, {Name: "Content-Type", Value: "text/html"}, {Name: "X-A", Value: "2"}, {Name: "X-B", Value: "3"}}
	var got []Field
	for name, value := range r.Fields() {
		got = append(got, Field{Name: name, Value: value})
	}
	if len(got) != len(want) {
		t.Fatalf("the fields should be %v, and are %v", want, got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("the fields should be %v, in this order, and are %v", want, got)
		}
	}
	if value, _ := r.With("X-A", "4").Field("X-A"); value != "4" {
		t.Errorf("With should replace what AddFields has set, and the value is %q", value)
	}
}
