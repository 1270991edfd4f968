package peers

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/penstock-go/penstock/bench/internal/service"
)

// TestGateways holds that what comes through a gateway is what its upstream, Penstock, answers.
func TestGateways(t *testing.T) {
	behind, live := peer{name: "penstock"}, peer{name: "penstock live", folder: "../../examples/live"}
	upstream := "http://" + behind.start(t, behind.build(t), "-routes", routes)
	liveProgram := live.build(t)
	for _, p := range peers {
		if !p.forwards {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			program := p.build(t)
			p.testGateway(t, p.start(t, program, "-upstream", upstream))
			t.Run("events", func(t *testing.T) { // whose upstream must be new: they are counted
				p.testEvents(t, p.start(t, program, "-upstream", "http://"+live.start(t, liveProgram)))
			})
		})
	}
}

func (p *peer) testGateway(t *testing.T, address string) {
	c := p.dial(t, address)
	for range 2 {
		c.do(t, hello())
	}
	downloads := []string{"/download"}
	if p.needs == "nginx" {
		downloads = append(downloads, "/download-buffered")
	}
	for _, target := range downloads {
		c.do(t, exchange{
			request:   "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
			mediaType: service.TypeBinary, length: service.DownloadLength, content: service.NewDownload(service.Block()),
		})
	}
	for _, length := range []int{8<<20 + 3, 0} {
		body := bytes.NewReader(make([]byte, length))
		c.do(t, post("/upload", "application/octet-stream", length, body, service.TypeText, strconv.Itoa(length)))
	}
	p.testReport(t, address)
}

// testReport reads the beginning of what is too long to be read as a whole.
func (p *peer) testReport(t *testing.T, address string) {
	t.Helper()
	c := p.dial(t, address)
	if _, err := io.WriteString(c, "GET /report HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil || response.ContentLength != service.ReportBlocks*service.BlockLength {
		t.Fatalf("the report begins with %+v and %v, expected a Content-Length of 300 MB", response, err)
	}
	block := make([]byte, service.BlockLength)
	for i := range 3 {
		if _, err := io.ReadFull(response.Body, block); err != nil || !bytes.Equal(block, service.Block()) {
			t.Fatalf("block %d of the report is not that of a download (%v)", i+1, err)
		}
	}
}
