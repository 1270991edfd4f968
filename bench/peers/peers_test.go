// Package peers tests that all the servers under measurement answer alike, byte for byte.
package peers

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/bench/internal/service"
)

const routes = "../../server/testdata/github-routes.txt"

func hello() exchange { return get("/", service.TypeText, service.Greeting) }

func TestPeers(t *testing.T) {
	for _, p := range peers {
		if p.onlyThat {
			continue // TestGateways has it
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			program := p.build(t)
			if p.name != "penstock" && p.name != "penstock live" { // these have no program for hello alone
				t.Run("hello", func(t *testing.T) { p.testHello(t, p.start(t, program)) })
			}
			if p.downloads {
				t.Run("download", func(t *testing.T) { p.testDownload(t, p.start(t, program, p.serviceArguments()...)) })
			}
			if p.serves {
				t.Run("service", func(t *testing.T) { p.testService(t, p.start(t, program, p.serviceArguments()...)) })
				t.Run("upload", func(t *testing.T) {
					p.testUpload(t, p.start(t, program, append(p.serviceArguments(), p.large...)...))
				})
			}
			if p.publishes {
				t.Run("events", func(t *testing.T) { p.testEvents(t, p.start(t, program)) })
			}
		})
	}
}

func (p *peer) serviceArguments() []string {
	if p.serves {
		return []string{"-routes", routes}
	}
	return nil
}

// testHello also checks what wrk does with a script, and ab with and without -k.
func (p *peer) testHello(t *testing.T, address string) {
	c := p.dial(t, address)
	c.do(t, hello())
	const depth = 16
	if _, err := io.WriteString(c, strings.Repeat(hello().request, depth)); err != nil {
		t.Fatalf("%d requests in one write cannot be sent: %v", depth, err)
	}
	for range depth {
		c.expect(t, hello())
	}
	p.testHTTP10(t, address)
}

func (p *peer) testHTTP10(t *testing.T, address string) {
	c := p.dial(t, address)
	kept := hello()
	kept.request = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nHost: localhost\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n\r\n"
	for range 2 {
		kept.content = strings.NewReader(service.Greeting)
		if header := c.do(t, kept); !strings.EqualFold(header.Get("Connection"), "keep-alive") {
			t.Errorf("a client of HTTP/1.0 that asks for it gets Connection %q, expected keep-alive", header.Get("Connection"))
		}
	}
	last := hello()
	last.request = strings.Replace(kept.request, "Connection: Keep-Alive\r\n", "", 1)
	c.do(t, last)
	if rest, err := io.ReadAll(c.reader); err != nil || len(rest) > 0 {
		t.Errorf("behind the answer to HTTP/1.0 come %q and %v, expected the end of the connection", rest, err)
	}
}

func (p *peer) testDownload(t *testing.T, address string) {
	c := p.dial(t, address)
	for range 2 {
		c.do(t, exchange{
			request:   "GET /download HTTP/1.1\r\nHost: localhost\r\n\r\n",
			mediaType: service.TypeBinary, length: service.DownloadLength, content: service.NewDownload(service.Block()),
		})
	}
	c.do(t, hello())
}

func (p *peer) testService(t *testing.T, address string) {
	c := p.dial(t, address)
	blocked := p.dial(t, address)
	wait := get("/block", service.TypeText, service.Done)
	if _, err := io.WriteString(blocked, wait.request); err != nil {
		t.Fatalf("the request for blocking work cannot be sent: %v", err)
	}
	c.do(t, hello())
	c.do(t, get("/json", service.TypeJSON, `{"message":"Hello, World!"}`))
	text := strings.Repeat("0123456789abcdef", 64)
	echoes := []string{"/echo"}
	if p.name == "penstock" {
		echoes = append(echoes, "/echo-stages", "/echo-script")
		c.do(t, get("/adapter", service.TypeText, service.Greeting))
	}
	for _, target := range echoes {
		for _, length := range []int{0, 1, len(text)} {
			c.do(t, post(target, "text/csv", length, strings.NewReader(text[:length]), "text/csv", text[:length]))
		}
	}
	p.testRoutes(t, c)
	blocked.expect(t, wait)
	blocked.do(t, hello())
}

func (p *peer) testRoutes(t *testing.T, c *client) {
	if !p.router {
		return
	}
	for target, value := range map[string]string{
		"/repos/octocat/hello-world/git/commits/7fd1a60b": "7fd1a60b",
		"/repos/octocat/hello-world":                      "hello-world",
		"/repos/octocat/hello-world/contents/docs/a.md":   "docs/a.md",
		"/users/octocat/repos":                            "octocat",
		"/emojis":                                         "",
	} {
		c.do(t, get(target, service.TypeText, value))
	}
}

// testUpload sends a body that is larger than what servers keep in memory unasked, and one of nothing.
func (p *peer) testUpload(t *testing.T, address string) {
	c := p.dial(t, address)
	for _, length := range []int{8<<20 + 3, 0} {
		body := bytes.NewReader(make([]byte, length))
		c.do(t, post("/upload", "application/octet-stream", length, body, service.TypeText, strconv.Itoa(length)))
	}
}

// testEvents checks that a subscriber gets what is published, in a chunk for each event.
func (p *peer) testEvents(t *testing.T, address string) {
	subscriber := p.dial(t, address)
	if _, err := io.WriteString(subscriber, "GET /events?only=messages HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(subscriber.reader, nil)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != service.TypeEvents {
		t.Fatalf("the stream of events begins with %+v and %v, expected 200 and %s", response, err, service.TypeEvents)
	}
	publisher := p.dial(t, address)
	for i, message := range []string{"first", "second"} {
		request := "POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + strconv.Itoa(len(message)) + "\r\n\r\n" + message
		if _, err := io.WriteString(publisher, request); err != nil {
			t.Fatal(err)
		}
		published, err := http.ReadResponse(publisher.reader, nil)
		if err != nil || published.StatusCode != http.StatusNoContent {
			t.Fatalf("publishing is answered with %+v and %v, expected 204", published, err)
		}
		expectEvent(t, subscriber, i+1, message)
	}
}

func expectEvent(t *testing.T, subscriber *client, number int, message string) {
	t.Helper()
	var lines []string
	for range 5 { // size, id, data, an empty line, and the end of the chunk
		line, err := subscriber.reader.ReadString('\n')
		if err != nil {
			t.Fatalf("event %d breaks off after %q: %v", number, lines, err)
		}
		lines = append(lines, line)
	}
	id := strings.TrimSuffix(lines[1], "\n")
	event := lines[1] + lines[2] + lines[3]
	if lines[0] != strconv.FormatInt(int64(len(event)), 16)+"\r\n" || !strings.HasPrefix(id, "id: ") ||
		!strings.HasSuffix(id, "-"+strconv.Itoa(number)) || lines[2] != "data: "+message+"\n" || lines[3] != "\n" || lines[4] != "\r\n" {
		t.Errorf("event %d is %q, expected one chunk of its id and the data %s", number, lines, message)
	}
}
