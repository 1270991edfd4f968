package client

import (
	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/parser"
)

// local is what the calls of one loop share. Owned by the loop goroutine.
type local struct {
	client  *Client
	loop    *loop.Loop
	pools   []*pool            // by the index of their upstream
	live    map[*pool]struct{} // those with connections or calls that wait, also of upstreams that are forgotten
	parsers []*parser.Parser
	vectors [3][]byte // room for one writev
}

const keptParsers = 64

func newLocal(c *Client, l *loop.Loop) *local {
	return &local{client: c, loop: l, live: make(map[*pool]struct{})}
}

// pool returns the connections to an upstream.
func (l *local) pool(u *Upstream) *pool {
	for u.index >= len(l.pools) {
		l.pools = append(l.pools, nil)
	}
	p := l.pools[u.index]
	if p == nil || p.upstream != u {
		p = newPool(l, u) // in place of that of an upstream that was forgotten
		l.pools[u.index] = p
	}
	return p
}

// shut is posted by Client.Close.
func (l *local) shut() {
	for p := range l.live {
		p.shut()
	}
}

func (l *local) lendParser() *parser.Parser {
	if n := len(l.parsers); n > 0 {
		p := l.parsers[n-1]
		l.parsers = l.parsers[:n-1]
		return p
	}
	p := new(parser.Parser)
	p.Init(parser.Response, &l.client.options.HeadLimits)
	return p
}

func (l *local) takeBackParser(p *parser.Parser) {
	if len(l.parsers) < keptParsers {
		p.Release()
		l.parsers = append(l.parsers, p)
	}
}
