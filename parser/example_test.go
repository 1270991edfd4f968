package parser_test

import (
	"fmt"

	"github.com/penstock-go/penstock/parser"
)

func Example() {
	var p parser.Parser
	p.Init(parser.Request, nil)
	pieces := []string{
		"POST /sum HTTP/1.1\r\nHost: exam",
		"ple.org\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n1 2\r",
		"\n2\r\n 3\r\n0\r\n\r\nGET /next",
	}
	for _, piece := range pieces {
		p.Feed([]byte(piece))
		event, err := p.Next()
		for ; event != parser.NeedData && err == nil; event, err = p.Next() {
			switch event {
			case parser.HeadReady:
				fmt.Println(p.Head().Method, p.Head().Target, "for", p.Head().Host)
			case parser.BodyData:
				fmt.Printf("%q\n", p.Data())
			case parser.End:
				fmt.Printf("end, and %q follows\n", p.Rest())
				p.Restart()
			}
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	// Output:
	// POST /sum for example.org
	// "1 2"
	// " 3"
	// end, and "GET /next" follows
}
