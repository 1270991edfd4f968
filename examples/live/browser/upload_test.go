package browser

import "testing"

// The page of examples/upload fits a phone and a desk, too, and does what its policy allows.
func TestUploadPageFitsItsWindow(t *testing.T) {
	browser := startBrowser(t)
	upload := newProgramOf(t, "../../upload", "-dir", t.TempDir())
	p := openUnchecked(t, browser, "of uploads", upload, "/")
	p.await("the list of files was read", `document.querySelector('#problem').textContent === '' && document.styleSheets.length === 2`)
	for _, width := range []int64{360, 1400} {
		p.resize(width, 800)
		var overflow string
		p.evaluate(widest, &overflow)
		if overflow != "" {
			t.Errorf("at %d pixels nothing should be wider than the window, and this is: %s", width, overflow)
		}
	}
	p.complaints.report(t, "of uploads")
}
