package browser

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// complaints are what a page must never give reason for: errors on its console, exceptions
// that nothing catches, and requests to another origin. Safe for use by many goroutines.
type complaints struct {
	origin string      // scheme://host:port
	found  chan string // those that were not yet looked at
	outage atomic.Bool // whether the program is or was stopped: that it cannot be reached is no fault of the page
}

// maxComplaints is how many are kept; more would say no more.
const maxComplaints = 100

func newComplaints(origin string) *complaints {
	return &complaints{origin: origin, found: make(chan string, maxComplaints)}
}

// observe takes an event of the browser. It never blocks.
func (c *complaints) observe(event any) {
	var text string
	switch event := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.APITypeError || event.Type == runtime.APITypeAssert {
			text = "the page wrote an error to its console: " + arguments(event.Args)
		}
	case *runtime.EventExceptionThrown:
		text = "nothing caught an exception: " + event.ExceptionDetails.Error()
	case *log.EventEntryAdded:
		if event.Entry.Level == log.LevelError && !(c.outage.Load() && unreachable(event.Entry)) {
			text = fmt.Sprintf("the browser logged an error about %s: %s", event.Entry.URL, event.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		if c.foreign(event.Request.URL) {
			text = "the page asked another origin for " + event.Request.URL
		}
	case *network.EventWebSocketCreated:
		text = "the page opened a WebSocket to " + event.URL
	}
	if text == "" {
		return
	}
	select {
	case c.found <- text:
	default:
	}
}

// foreign reports whether a URL is to be fetched from anywhere but the page's own origin.
func (c *complaints) foreign(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	if u.Scheme == "data" || u.Scheme == "blob" {
		return false // nothing is fetched
	}
	return u.Scheme+"://"+u.Host != c.origin
}

// unreachable reports whether an entry says no more than that a server was not there: that
// no connection was made, or that it ended before an answer began. An answer that was cut
// is another matter, because the program ends its streams before it stops.
func unreachable(entry *log.Entry) bool {
	if entry.Source != log.SourceNetwork {
		return false
	}
	for _, reason := range []string{"net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE"} {
		if strings.HasSuffix(entry.Text, reason) {
			return true
		}
	}
	return false
}

func arguments(list []*runtime.RemoteObject) string {
	var texts []string
	for _, a := range list {
		if a.Description != "" {
			texts = append(texts, a.Description)
		} else {
			texts = append(texts, string(a.Value))
		}
	}
	return strings.Join(texts, " ")
}

// report fails the test for every complaint that is there.
func (c *complaints) report(t *testing.T, page string) {
	t.Helper()
	for {
		select {
		case text := <-c.found:
			t.Errorf("page %s: %s", page, text)
		default:
			return
		}
	}
}

func TestComplaintsAreFound(t *testing.T) {
	failed := func(reason, address string) *log.EventEntryAdded {
		return &log.EventEntryAdded{Entry: &log.Entry{
			Source: log.SourceNetwork, Level: log.LevelError, URL: address, Text: "Failed to load resource: " + reason,
		}}
	}
	request := func(address string) *network.EventRequestWillBeSent {
		return &network.EventRequestWillBeSent{Request: &network.Request{URL: address}}
	}
	for _, c := range []struct {
		what   string
		event  any
		outage bool
		found  bool
	}{
		{"a request to the page's own origin", request("http://127.0.0.1:80/events"), false, false},
		{"an image within the page", request("data:image/png;base64,AA=="), false, false},
		{"a request to another port", request("http://127.0.0.1:81/events"), false, true},
		{"a request to another host", request("https://fonts.example/sans"), false, true},
		{"a refused connection while the program runs", failed("net::ERR_CONNECTION_REFUSED", "http://127.0.0.1:80/events"), false, true},
		{"a refused connection while the program is stopped", failed("net::ERR_CONNECTION_REFUSED", "http://127.0.0.1:80/events"), true, false},
		{"a stream that was cut when the program was stopped", failed("net::ERR_INCOMPLETE_CHUNKED_ENCODING", "http://127.0.0.1:80/events"), true, true},
		{"a word on the console", &runtime.EventConsoleAPICalled{Type: runtime.APITypeLog}, false, false},
	} {
		seen := newComplaints("http://127.0.0.1:80")
		seen.outage.Store(c.outage)
		seen.observe(c.event)
		if found := len(seen.found) > 0; found != c.found {
			t.Errorf("%s: that there is a complaint should be %t, and is %t", c.what, c.found, found)
		}
	}
}

// The complaints of a page come from the browser: an error, an exception and a request made
// on purpose must be found.
func TestComplaintsOfAPageAreFound(t *testing.T) {
	browser := startBrowser(t)
	p := openUnchecked(t, browser, "with errors", newProgram(t), "/")
	p.run(chromedp.Evaluate(`
		console.error('written on purpose');
		setTimeout(() => { throw new Error('thrown on purpose') });
		fetch('http://127.0.0.1:1/fetched-on-purpose').catch(() => {});
	`, nil))
	missing := map[string]bool{"written on purpose": true, "thrown on purpose": true, "fetched-on-purpose": true}
	deadline := time.After(patience)
	for len(missing) > 0 {
		select {
		case text := <-p.complaints.found:
			for part := range missing {
				if strings.Contains(text, part) {
					delete(missing, part)
				}
			}
		case <-deadline:
			t.Fatalf("three complaints should have been found within %v, and these were not: %v", patience, missing)
		}
	}
}
