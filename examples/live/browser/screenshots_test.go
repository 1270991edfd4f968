package browser

import (
	"bufio"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "the `folder` to save wide.png and narrow.png in; none are saved without it")

// pictured is how many seconds of figures the pictures show.
const pictured = 45

// TestScreenshots saves pictures of the page with some data, for somebody to look at.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no pictures of the page without -screenshots FOLDER")
	}
	browser := startBrowser(t)
	live := newProgram(t)
	p := openPage(t, browser, "that is pictured", live)
	raiseFileLimit(t, *subscriberCount+spareFiles)
	openSubscribers(t, live, *subscriberCount)
	lines := []string{
		"The gate is open.",
		"Water flows only as fast as the turbine asks for it.",
		"Two lines:\nthis is the second.",
		`Markup is text: <b>x</b> & "q"`,
		"A longer message, as people write them, goes over the edge of a narrow window and has to be broken into lines there, without the page becoming any wider.",
	}
	published := 0
	eachSecond(t, live, pictured, func(second int) {
		for range 1 + second%7 {
			live.publish(fmt.Sprintf("%s (%d)", lines[published%len(lines)], published))
			published++
		}
	})
	p.awaitMessage(fmt.Sprintf("%s (%d)", lines[(published-1)%len(lines)], published-1))
	for _, picture := range []struct {
		name          string
		width, height int64
	}{{"wide.png", 1400, 900}, {"narrow.png", 360, 780}} {
		p.resize(picture.width, picture.height)
		var png []byte
		p.run(chromedp.CaptureScreenshot(&png))
		savePicture(t, picture.name, png)
	}
}

func savePicture(t *testing.T, name string, png []byte) {
	t.Helper()
	path := filepath.Join(*screenshots, name)
	if err := os.WriteFile(path, png, 0o644); err != nil {
		t.Fatalf("the picture cannot be saved: %v", err)
	}
	t.Logf("saved %s", path)
}

// eachSecond calls do for a number of seconds, as the program's figures come.
func eachSecond(t *testing.T, live *program, seconds int, do func(second int)) {
	t.Helper()
	answer, err := http.Get(live.url("/events"))
	if err != nil {
		t.Fatalf("the events cannot be read: %v", err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20) // the history of figures is one long line
	for second := 0; second < seconds; {
		if !lines.Scan() {
			t.Fatalf("the events should go on, and ended with %v", lines.Err())
		}
		if strings.TrimSpace(lines.Text()) == "event: figures" {
			do(second)
			second++
		}
	}
}
