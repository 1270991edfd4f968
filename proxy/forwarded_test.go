package proxy

import (
	"net/netip"
	"strings"
	"testing"
)

const fromProxies = "Forwarded: for=9.9.9.9\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: 8.8.8.8\r\nX-Forwarded-Host: first.example\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nX-Real-IP: 9.9.9.9\r\n"

func TestForwarded(t *testing.T) {
	for _, c := range []struct {
		name, fields, want string
		o                  Options
	}{
		{"replaced", fromProxies,
			"Forwarded: for=127.0.0.1;host=h.example;proto=http\r\n" +
				"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h.example\r\nX-Forwarded-Proto: http\r\n",
			Options{Forwarded: Replace, XForwarded: Replace}},
		{"appended to", fromProxies,
			"Forwarded: for=9.9.9.9\r\nX-Forwarded-Host: first.example\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nX-Real-IP: 9.9.9.9\r\n" +
				"Forwarded: for=127.0.0.1;host=h.example;proto=http\r\nX-Forwarded-For: 9.9.9.9, 8.8.8.8, 127.0.0.1\r\n",
			Options{Forwarded: Append, XForwarded: Append}},
		{"appended to nothing", "",
			"Forwarded: for=127.0.0.1;host=h.example;proto=http\r\n" +
				"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h.example\r\nX-Forwarded-Proto: http\r\n",
			Options{Forwarded: Append, XForwarded: Append}},
		{"kept", fromProxies, fromProxies, Options{Forwarded: Keep, XForwarded: Keep}},
		{"removed", fromProxies, "", Options{Forwarded: Remove, XForwarded: Remove}},
		{"one of them", "", "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h.example\r\nX-Forwarded-Proto: http\r\n", Options{Forwarded: Remove}},
		{"the other", "", "Forwarded: for=127.0.0.1;host=h.example;proto=http\r\n", Options{XForwarded: Remove}},
		// HOSTILE 49: what the client says of its connection is said of its own fields.
		{"named by Connection and replaced", fromProxies + "Connection: X-Forwarded-For, Forwarded, X-Forwarded-Host, Via\r\n",
			"Forwarded: for=127.0.0.1;host=h.example;proto=http\r\n" +
				"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h.example\r\nX-Forwarded-Proto: http\r\n",
			Options{}},
		{"named by Connection and appended to", fromProxies + "Connection: X-Forwarded-For, Forwarded, X-Forwarded-Host, X-Forwarded-Proto, X-Real-IP\r\n",
			"X-Forwarded-Port: 443\r\nForwarded: for=127.0.0.1;host=h.example;proto=http\r\n" +
				"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h.example\r\nX-Forwarded-Proto: http\r\n",
			Options{Forwarded: Append, XForwarded: Append}},
	} {
		c.o.Via = "-"
		got := received(t, c.o, "GET / HTTP/1.1\r\nHost: h.example\r\nConnection: close\r\n"+c.fields+"\r\n")
		if want := "GET / HTTP/1.1\r\n" + c.want; got != want {
			t.Errorf("the fields that say where a request came from should be %s:\n%swhat the upstream got:\n%s", c.name, want, got)
		}
	}
}

func TestForwardedHostIsQuoted(t *testing.T) {
	got := received(t, Options{Via: "-", XForwarded: Remove}, "GET / HTTP/1.1\r\nHost: h.example:81\r\nConnection: close\r\n\r\n")
	if want := "GET / HTTP/1.1\r\nForwarded: for=127.0.0.1;host=\"h.example:81\";proto=http\r\n"; got != want {
		t.Errorf("a host with a port is no token and should be quoted, %q, and the upstream got %q", want, got)
	}
}

func TestForwardedAddresses(t *testing.T) {
	for _, c := range []struct{ address, forwarded, x string }{
		{"192.0.2.7", "for=192.0.2.7;proto=http", "192.0.2.7"},
		{"2001:db8::7", `for="[2001:db8::7]";proto=http`, "2001:db8::7"},
		{"fe80::1%eth0", `for="[fe80::1]";proto=http`, "fe80::1"},
		{"", "for=unknown;proto=http", ""},
	} {
		address := netip.Addr{}
		if c.address != "" {
			address = netip.MustParseAddr(c.address)
		}
		f := forwarding{options: &Options{}}
		var got []string
		for _, field := range f.appendTo(nil, new(room), address, "") {
			got = append(got, field.Name+": "+field.Value)
		}
		want := []string{"Forwarded: " + c.forwarded}
		if c.x != "" {
			want = append(want, "X-Forwarded-For: "+c.x)
		}
		want = append(want, "X-Forwarded-Proto: http")
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the address %q should be told as %q, and is as %q", c.address, want, got)
		}
	}
}

func TestVia(t *testing.T) {
	const answer = "HTTP/1.0 200 OK\r\nVia: 1.1 cache\r\nContent-Length: 0\r\n\r\n"
	u := record(t, answer)
	address := serve(t, One(u.Upstream), Options{Via: "gate"})
	got := answerTo(t, address, "GET / HTTP/1.0\r\nVia: 1.1 browser-side\r\n\r\n")
	if head := u.head(t); !strings.Contains(head, "\r\nVia: 1.1 browser-side\r\n") || !strings.HasSuffix(head, "\r\nVia: 1.0 gate\r\n") {
		t.Errorf("the proxy should name itself and the version it was spoken to in behind the Via that came, and the upstream got %q", head)
	}
	if !strings.Contains(got, "\r\nVia: 1.1 cache\r\nVia: 1.0 gate\r\n") {
		t.Errorf("the proxy should name itself in the response too, and the client got %q", got)
	}
}
