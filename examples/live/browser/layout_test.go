package browser

import (
	"fmt"
	"strings"
	"testing"
)

// On a phone and on a desk, nothing must be reached by scrolling sideways, and the form can
// be used.
func TestPageFitsItsWindow(t *testing.T) {
	browser := startBrowser(t)
	live := newProgram(t)
	texts := []string{
		strings.Repeat("onewordwithoutanend", 40),
		"https://localhost/" + strings.Repeat("a/", 300) + "?" + strings.Repeat("b=c&", 50),
		strings.Repeat("A sentence of some words. ", 40),
		"short lines\n\n" + strings.Repeat("preformatted    text    ", 20) + "\nlast line",
	}
	live.publish(texts...)
	p := openPage(t, browser, "that is resized", live)
	p.expectMessages(texts...)
	for _, figure := range []string{"connections", "requests", "subscribers", "delivered", "lag", "memory"} {
		p.await("there is a value for "+figure, fmt.Sprintf(`/\d/.test(document.querySelector('[data-figure=%s] .value')?.textContent)`, figure))
	}
	for _, width := range []int64{360, 1400} {
		p.resize(width, 800)
		var overflow string
		p.evaluate(widest, &overflow)
		if overflow != "" {
			t.Errorf("at %d pixels nothing should be wider than the window, and this is: %s", width, overflow)
		}
		p.await(fmt.Sprintf("at %d pixels the form can be seen and used", width), formUsable)
	}
}

// widest says by how much the page is wider than its window, and which elements are.
const widest = `(() => {
	const page = document.scrollingElement;
	if (page.scrollWidth <= innerWidth) return '';
	const beyond = Array.from(document.querySelectorAll('body *')).filter(e => e.getBoundingClientRect().right > innerWidth);
	return 'the page, ' + page.scrollWidth + ' pixels; beyond the edge are ' +
		beyond.map(e => e.tagName + (e.id && '#' + e.id) + (e.className && '.' + e.className)).slice(0, 10).join(', ');
})()`

// formUsable is whether the form lies within the window, once it is scrolled to, and nothing
// lies over its field.
const formUsable = `(() => {
	const form = document.querySelector('#publish'), field = form.querySelector('#text');
	field.scrollIntoView({block: 'center', behavior: 'instant'});
	const outer = form.getBoundingClientRect(), inner = field.getBoundingClientRect();
	return form.checkVisibility({visibilityProperty: true, opacityProperty: true}) &&
		outer.left >= 0 && outer.right <= innerWidth && inner.width >= 100 && inner.height >= 16 &&
		document.elementFromPoint(inner.left + inner.width / 2, inner.top + inner.height / 2) === field;
})()`
