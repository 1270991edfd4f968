package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A tab is the program's page, open in a browser.
type tab struct {
	t          *testing.T
	name       string // which of the pages of a test it is
	ctx        context.Context
	complaints *complaints
}

// openPage opens the program's page, waits until it is connected, and fails the test when
// it gives reason for complaint until then or later.
func openPage(t *testing.T, browser context.Context, name string, p *program) *tab {
	t.Helper()
	return openPageAt(t, browser, name, p, "/")
}

// openPageAt is openPage for one of a program's pages.
func openPageAt(t *testing.T, browser context.Context, name string, p *program, path string) *tab {
	t.Helper()
	opened := openUnchecked(t, browser, name, p, path)
	t.Cleanup(func() { opened.complaints.report(t, name) })
	opened.await("the page is connected", connected)
	return opened
}

// openUnchecked opens a page and does no more than to collect complaints.
func openUnchecked(t *testing.T, browser context.Context, name string, p *program, path string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	opened := &tab{t: t, name: name, ctx: ctx, complaints: newComplaints("http://" + p.address)}
	chromedp.ListenTarget(ctx, opened.complaints.observe)
	// The first actions of a tab set the deadline of its life, so they have none.
	if err := chromedp.Run(ctx, chromedp.Navigate(p.url(path))); err != nil {
		t.Fatalf("page %s cannot be opened: %v", name, err)
	}
	return opened
}

// Conditions in the language of the page.
const (
	connected    = `document.body.dataset.state === 'connected'`
	disconnected = `document.body.dataset.state === 'disconnected'`
)

// run does something with the page, and ends the test when it fails.
func (p *tab) run(actions ...chromedp.Action) {
	p.t.Helper()
	// More than what is waited for within the page, so that the page's own answer comes first.
	ctx, cancel := context.WithTimeout(p.ctx, 2*patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.t.Fatalf("page %s: %v", p.name, err)
	}
}

// evaluate stores what an expression in the language of the page is worth, or the promise
// that it is worth keeps, in result.
func (p *tab) evaluate(expression string, result any) {
	p.t.Helper()
	p.run(chromedp.Evaluate(expression, result, func(e *runtime.EvaluateParams) *runtime.EvaluateParams {
		return e.WithAwaitPromise(true)
	}))
}

// await waits until a condition in the language of the page holds. It does not use
// chromedp.Poll, which makes its condition of a string within the page: the page's content
// security policy forbids that, and is to stay in force.
func (p *tab) await(what, condition string) {
	p.t.Helper()
	var holds bool
	p.evaluate(fmt.Sprintf(`(async () => {
		const end = performance.now() + %d;
		while (!(%s)) {
			if (performance.now() > end) return false;
			await new Promise(again => setTimeout(again, 20));
		}
		return true;
	})()`, patience.Milliseconds(), condition), &holds)
	if !holds {
		p.t.Fatalf("page %s: within %v it should come about that %s; what it shows is %v", p.name, patience, what, p.look())
	}
}

// A view is what a page shows.
type view struct {
	State    string
	Messages []message
	Figures  map[string]string // of each tile its value
	Field    string            // what is typed into the form and not yet sent
}

type message struct{ ID, Text string }

// String is for failures, which long messages would make unreadable.
func (m message) String() string { return fmt.Sprintf("%s %.60q", m.ID, m.Text) }

func (p *tab) look() view {
	p.t.Helper()
	var seen view
	p.evaluate(`({
		State: document.body.dataset.state,
		Messages: Array.from(document.querySelectorAll('#messages > li[data-id]'),
			li => ({ID: li.dataset.id, Text: li.querySelector('.text').textContent})),
		Figures: Object.fromEntries(Array.from(document.querySelectorAll('[data-figure]'),
			tile => [tile.dataset.figure, tile.querySelector('.value').textContent])),
		Field: document.querySelector('#publish #text').value,
	})`, &seen)
	return seen
}

// awaitMessage waits until a message is on the page.
func (p *tab) awaitMessage(text string) {
	p.t.Helper()
	p.await(fmt.Sprintf("the message %q is there", text), fmt.Sprintf(
		`Array.from(document.querySelectorAll('#messages > li[data-id] .text')).some(e => e.textContent === %s)`, quote(text)))
}

// expectMessages waits for the last of the messages and fails the test when the page then
// shows anything but all of them, each once and in their order, the oldest at either end.
// What would come twice comes before the last: streams are in order.
func (p *tab) expectMessages(texts ...string) []message {
	p.t.Helper()
	p.awaitMessage(texts[len(texts)-1])
	seen := p.look().Messages
	var got []string
	for _, m := range seen {
		got = append(got, m.Text)
	}
	upwards := slices.Clone(texts)
	slices.Reverse(upwards)
	if !reflect.DeepEqual(got, texts) && !reflect.DeepEqual(got, upwards) {
		p.t.Fatalf("page %s should show each message once and in order, which is\n%q\nand shows\n%q", p.name, texts, got)
	}
	return seen
}

// send types a message into the form, its lines ended by Shift and Enter, sends it with
// Enter, and returns when the page shows it.
func (p *tab) send(text string) {
	p.t.Helper()
	const field = "#publish #text"
	actions := []chromedp.Action{page.BringToFront(), chromedp.Focus(field, chromedp.ByQuery)}
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			actions = append(actions, press("Enter", "\r", input.ModifierShift)...)
		}
		for _, character := range line {
			actions = append(actions, press(string(character), string(character), input.ModifierNone)...)
		}
	}
	p.run(append(actions, press("Enter", "\r", input.ModifierNone)...)...)
	p.await("the form is empty again, its message being sent", `document.querySelector('#publish #text').value === ''`)
	p.awaitMessage(text)
}

// press is a key going down and up again. It goes down as one event that brings its text
// with it. chromedp.SendKeys makes two of them, and now and then the text arrives although
// the page has handled the key and prevented it: an Enter that sends a message would leave
// an empty line behind.
func press(key, text string, modifiers input.Modifier) []chromedp.Action {
	down := input.DispatchKeyEvent(input.KeyDown).WithKey(key).WithText(text).WithModifiers(modifiers)
	up := input.DispatchKeyEvent(input.KeyUp).WithKey(key).WithModifiers(modifiers)
	if key == "Enter" {
		const code = 13 // the key's number, which has the field take it for the end of a line
		down, up = down.WithCode(key).WithWindowsVirtualKeyCode(code), up.WithCode(key).WithWindowsVirtualKeyCode(code)
	}
	return []chromedp.Action{down, up}
}

// resize gives the page a window of another size, in CSS pixels.
func (p *tab) resize(width, height int64) {
	p.t.Helper()
	p.run(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(2)))
	p.await(fmt.Sprintf("its window is %d pixels wide", width), fmt.Sprintf(`innerWidth === %d`, width))
}

// quote writes a string in the language of the page.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string has no reason to fail
	}
	return string(quoted)
}
