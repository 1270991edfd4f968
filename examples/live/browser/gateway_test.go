package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"testing"

	"github.com/chromedp/chromedp"
)

// newGateway runs examples/gateway in front of another program.
func newGateway(t *testing.T, behind *program) *program {
	t.Helper()
	return newProgramOf(t, "../../gateway", "-upstream", "http://"+behind.address)
}

// Through a gateway the pages are as live as without, and catch up when the server behind it is
// restarted: the stream ends with the server, and the gateway holds the next one until the server
// is back.
func TestPagesAreLiveThroughAGateway(t *testing.T) {
	browser := startBrowser(t)
	live := newProgram(t)
	gateway := newGateway(t, live)
	one, two := openPage(t, browser, "one", gateway), openPage(t, browser, "two", gateway)
	one.send("from one")
	two.awaitMessage("from one")
	two.send("from two")
	one.awaitMessage("from two")
	texts := []string{"from one", "from two"}

	for _, p := range []*tab{one, two} {
		p.complaints.outage.Store(true)
	}
	live.stop()
	one.await("it is disconnected while the server is stopped", disconnected)
	two.await("it is disconnected while the server is stopped", disconnected)
	live.start()
	gateway.publish("while they were away, perhaps")
	texts = append(texts, "while they were away, perhaps")
	one.await("it is connected by itself", connected)
	two.await("it is connected by itself", connected)
	two.send("after all that")
	texts = append(texts, "after all that")
	if a, b := one.expectMessages(texts...), two.expectMessages(texts...); !reflect.DeepEqual(a, b) {
		t.Errorf("both pages should show the same messages under the same ids, and show\n%v\n%v", a, b)
	}
}

// The gateway's own page shows its counts as they change, and fits its window.
func TestGatewayPage(t *testing.T) {
	browser := startBrowser(t)
	live := newProgram(t)
	gateway := newGateway(t, live)
	p := openPageAt(t, browser, "of a gateway", gateway, "/-/")
	requests := func() (n float64) {
		answer, err := http.Get(gateway.url("/-/stats"))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var counts struct{ Requests float64 }
		if err := json.NewDecoder(answer.Body).Decode(&counts); err != nil {
			t.Fatal(err)
		}
		return counts.Requests
	}
	const shown = `Number(Array.from(document.querySelectorAll('#counts dt')).find(e => e.textContent === 'Requests')?.nextElementSibling.textContent.replaceAll(',', ''))`
	for range 10 {
		gateway.publish("one more")
	}
	p.await("the requests are counted", fmt.Sprintf("%s >= %v", shown, requests()))
	p.await("the server is in the list", fmt.Sprintf(`document.querySelector('#upstreams').textContent.includes(%s)`, quote(live.address)))
	for _, width := range []int64{360, 1400} {
		p.resize(width, 800)
		var overflow string
		p.evaluate(widest, &overflow)
		if overflow != "" {
			t.Errorf("at %d pixels nothing should be wider than the window, and this is: %s", width, overflow)
		}
	}
	p.complaints.outage.Store(true)
	gateway.stop()
	p.await("it is disconnected while the gateway is stopped", disconnected)
	gateway.start()
	p.await("it is connected by itself", connected)
	if *screenshots != "" {
		var png []byte
		p.run(chromedp.CaptureScreenshot(&png))
		savePicture(t, "gateway.png", png)
	}
}
