package proxy

import (
	"strings"
	"testing"

	"github.com/penstock-go/penstock/client"
)

func TestInformationalResponsesPass(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	k := c.client(get)
	u := c.accept()
	u.head()
	// HOSTILE 49: fields of one connection do not pass on 1xx either.
	u.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: X-Named\r\nX-Named: 1\r\nKeep-Alive: 1\r\nTrailer: X\r\n\r\n")
	if got := k.Receive(); got != "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" {
		t.Errorf("103 should be passed on at once, without what concerns one connection, and 100 not, and the client got %q", got)
	}
	u.send("HTTP/1.1 102 Processing\r\n\r\n" + emptyAnswer)
	if got := withoutDate(k.Receive()); got != "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" {
		t.Errorf("another should be passed on in front of the final response, and the client got %q", got)
	}
	c.logged()
}

func TestInformationalResponsesAreNotForHTTP10(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	k := c.client("GET / HTTP/1.0\r\n\r\n")
	u := c.accept()
	u.head()
	u.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + emptyAnswer)
	if got := k.Receive(); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("a client that speaks HTTP/1.0 should get the final response only, and got %q", got)
	}
	c.logged()
}
