package browser

import (
	"fmt"
	"reflect"
	"testing"
)

// maxRestarts is how often the program is restarted for a restart in which it has new
// messages before a page is back. Pages wait a second or more before they try again, so
// that it is nearly always the first.
const maxRestarts = 5

// The program is stopped and started again under two open pages. They say so, come back by
// themselves, and have missed nothing of what was published before they were back.
func TestPagesCatchUpWhenTheProgramIsRestarted(t *testing.T) {
	browser := startBrowser(t)
	live := newProgram(t)
	one, two := openPage(t, browser, "one", live), openPage(t, browser, "two", live)
	texts := []string{"before, published", "before, from a page"}
	live.publish(texts[0])
	one.send(texts[1])
	for round := 1; ; round++ {
		before := one.expectMessages(texts...)
		two.expectMessages(texts...)
		for _, p := range []*tab{one, two} {
			p.complaints.outage.Store(true)
		}
		live.stop()
		one.await("it is disconnected while the program is stopped", disconnected)
		two.await("it is disconnected while the program is stopped", disconnected)
		live.start()
		for i := range 3 {
			missed := fmt.Sprintf("restart %d, message %d", round, i)
			texts = append(texts, missed)
			live.publish(missed)
		}
		wereAway := one.look().State == "disconnected" && two.look().State == "disconnected"
		one.await("it is connected by itself", connected)
		two.await("it is connected by itself", connected)
		texts = append(texts, fmt.Sprintf("restart %d, from a page that is back", round))
		two.send(texts[len(texts)-1])
		a, b := one.expectMessages(texts...), two.expectMessages(texts...)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("both pages should show the same messages under the same ids, and show\n%v\n%v", a, b)
		}
		if kept := keptOf(a, before); !reflect.DeepEqual(kept, before) {
			t.Errorf("the messages from before the restart should keep their ids, which were\n%v\nand are\n%v", before, kept)
		}
		if wereAway {
			return
		}
		if round == maxRestarts {
			t.Fatalf("in one of %d restarts the pages should have been away until three messages were published, and never were", maxRestarts)
		}
	}
}

// keptOf returns those messages of a view that have the texts of earlier ones.
func keptOf(now, earlier []message) []message {
	var kept []message
	for _, m := range now {
		for _, e := range earlier {
			if m.Text == e.Text {
				kept = append(kept, m)
			}
		}
	}
	return kept
}
