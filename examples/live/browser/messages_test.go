package browser

import (
	"fmt"
	"reflect"
	"testing"
)

func TestTwoPagesSeeEachOthersMessages(t *testing.T) {
	browser := startBrowser(t)
	live := newProgram(t)
	one, two := openPage(t, browser, "one", live), openPage(t, browser, "two", live)
	one.send("from one")
	two.awaitMessage("from one")
	two.send("from two")
	one.awaitMessage("from two")
	one.send("from one again")
	texts := []string{"from one", "from two", "from one again"}
	if a, b := one.expectMessages(texts...), two.expectMessages(texts...); !reflect.DeepEqual(a, b) {
		t.Errorf("both pages should show the same messages under the same ids, and show\n%v\n%v", a, b)
	}
	// A page that comes later is shown what the board has kept.
	openPage(t, browser, "late", live).expectMessages(texts...)
}

// Whatever a message holds, it is text: it neither becomes part of the page nor loses a line.
func TestMessageIsShownAsText(t *testing.T) {
	browser := startBrowser(t)
	live := newProgram(t)
	one, two := openPage(t, browser, "one", live), openPage(t, browser, "two", live)
	texts := []string{
		"<b>x</b> & \"q\"\n  in two lines",
		"one line\n\n  and <i>another</i>\nid: 7\ndata: &amp;",
		`<img src="http://127.0.0.2/x.png" onerror="alert(1)">`,
	}
	one.send(texts[0])
	two.awaitMessage(texts[0])
	live.publish(texts[1:]...)
	for _, p := range []*tab{one, two} {
		p.expectMessages(texts...)
		var elements int
		p.evaluate(`document.querySelectorAll('#messages .text *').length`, &elements)
		if elements != 0 {
			t.Errorf("page %s: the text of a message should hold no elements, and holds %d", p.name, elements)
		}
	}
}

// Who reads at the end of the board stays there, however fast messages come.
func TestBoardFollowsItsNewestMessage(t *testing.T) {
	browser := startBrowser(t)
	live := newProgram(t)
	p := openPage(t, browser, "that follows", live)
	p.resize(1400, 900)
	var texts []string
	for i := range 60 {
		texts = append(texts, fmt.Sprintf("message %d of 60", i+1))
	}
	live.publish(texts...)
	p.expectMessages(texts...)
	p.await("the newest message is in view", fmt.Sprintf(`(() => {
		const newest = Array.from(document.querySelectorAll('#messages > li[data-id]')).find(e => e.querySelector('.text').textContent === %s);
		const {left, width, top, height} = newest.getBoundingClientRect();
		return newest.contains(document.elementFromPoint(left + width / 2, top + height / 2));
	})()`, quote(texts[59])))
}
