package client

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/parser"
)

// plan is an exchange as it was drawn from a seed: what is asked, what the upstream says, and so
// what has to come of it.
type plan struct {
	random *rand.Rand

	request *Request
	body    *pieces // nil: none
	wire    string  // the request, as the upstream has to see it

	said       string // by the upstream, all of it
	informed   int    // informational responses in front
	headLength int    // bytes of said up to the end of the final head
	length     int    // bytes of said that belong to the answer; said may be shorter or longer
	status     int
	content    string
	untilClose bool
	keepAlive  bool
	ending     ending
	free       bool // what the upstream says is anything, and so is what comes of it
}

// ending is what the upstream does behind what it says.
type ending uint8

const (
	staysOpen ending = iota
	sendsFIN
	resets
)

var errBody = errors.New("the body of the request has failed")

func newPlan(t testing.TB, seed uint64) *plan {
	p := &plan{random: rand.New(rand.NewPCG(seed, 7))}
	p.drawRequest(t)
	p.drawAnswer()
	switch p.random.IntN(6) {
	case 0:
		p.said = p.said[:p.random.IntN(len(p.said)+1)]
	case 1:
		p.said += []string{"x", "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}[p.random.IntN(3)]
	case 2:
		p.said = ""
	}
	p.ending = ending(p.random.IntN(3))
	return p
}

func (p *plan) chance(percent int) bool { return p.random.IntN(100) < percent }

// drawRequest draws what is asked, and says by itself how that is to be written.
func (p *plan) drawRequest(t testing.TB) {
	method := []string{"GET", "HEAD", "PUT", "POST"}[p.random.IntN(4)]
	p.request = &Request{Method: method, Target: "/", Fields: []parser.Field{{Name: "A", Value: "b"}}}
	p.wire = method + " / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n"
	if method == "GET" || method == "HEAD" || p.chance(20) {
		if method == "PUT" || method == "POST" {
			p.wire += "Content-Length: 0\r\n"
		}
		p.wire += "\r\n"
		return
	}
	content, framed := "", ""
	p.body = &pieces{t: t}
	for range p.random.IntN(5) {
		chunk := strings.Repeat("c", p.random.IntN(4))
		if p.chance(20) {
			chunk = strings.Repeat("large", referenceSize/5+p.random.IntN(3))
		}
		if p.body.chunks = append(p.body.chunks, chunk); chunk != "" {
			content += chunk
			framed += fmt.Sprintf("%x\r\n%s\r\n", len(chunk), chunk)
		}
	}
	p.request.Body, p.request.Length = p.body, int64(len(content))
	declared, trailers := fmt.Sprintf("Content-Length: %d\r\n", len(content)), ""
	if p.chance(50) {
		declared, content = "Transfer-Encoding: chunked\r\n", framed+"0\r\n"
		p.request.Length = -1
		if p.chance(50) {
			p.request.Trailers = func() []parser.Field { return []parser.Field{{Name: "T", Value: "u"}} }
			trailers = "T: u\r\n"
		}
		content += trailers + "\r\n"
	}
	if p.wire += declared; p.chance(30) {
		if p.request.ExpectContinue = true; p.request.Length != 0 {
			p.wire += "Expect: 100-continue\r\n"
		}
	}
	if p.chance(10) {
		p.body.end = errBody
	}
	p.wire += "\r\n" + content
}

// drawAnswer draws what the upstream says if it says all of it.
func (p *plan) drawAnswer() {
	for range p.random.IntN(3) {
		if p.chance(50) {
			p.said += "HTTP/1.1 100 Continue\r\n\r\n"
		} else {
			p.said += "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
			p.informed++
		}
	}
	p.status = []int{200, 200, 200, 204, 304, 404}[p.random.IntN(6)]
	p.keepAlive = p.chance(80)
	p.said += fmt.Sprintf("HTTP/1.1 %d Reason\r\nB: c\r\n", p.status)
	if !p.keepAlive {
		p.said += "Connection: close\r\n"
	}
	content := strings.Repeat("0123456789", p.random.IntN(8))
	bodiless := p.request.Method == "HEAD" || p.status == 204 || p.status == 304
	rest := ""
	switch framing := p.random.IntN(3); {
	case framing == 0:
		p.said += fmt.Sprintf("Content-Length: %d\r\n", len(content))
		rest = content
	case framing == 1:
		p.said += "Transfer-Encoding: chunked\r\n"
		for from := 0; from < len(content); {
			n := 1 + p.random.IntN(len(content)-from)
			rest += fmt.Sprintf("%x;ext=1\r\n%s\r\n", n, content[from:from+n])
			from += n
		}
		rest += "0\r\nD: e\r\n\r\n"
	default:
		p.untilClose = !bodiless
		p.keepAlive = p.keepAlive && bodiless
		rest = content
	}
	p.said += "\r\n"
	p.headLength = len(p.said)
	if !bodiless {
		p.content = content
		p.said += rest
	}
	p.length = len(p.said)
}

// cut says whether the upstream has not said all of its answer.
func (p *plan) cut() bool { return len(p.said) < p.length }

// allows says whether the exchange may end with err.
func (p *plan) allows(err error, got string) bool {
	headWhole := len(p.said) >= p.headLength
	whole := p.content == got
	switch {
	case errors.Is(err, errBody):
		return p.body != nil && p.body.failed
	case err.Error() == "EOF" && p.untilClose:
		return headWhole && p.ending == sendsFIN && (whole || p.cut() || strings.HasPrefix(got, p.content))
	case err.Error() == "EOF":
		return whole && !p.cut()
	case errors.Is(err, ErrUpstream):
		return p.ending != staysOpen && (p.cut() || p.untilClose)
	case errors.Is(err, ErrHeadTimeout):
		return p.ending == staysOpen && !headWhole
	case errors.Is(err, ErrBodyTimeout):
		return p.ending == staysOpen && headWhole && (p.cut() || p.untilClose)
	}
	return false
}
