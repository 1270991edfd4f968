package browser

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
)

// startBrowser starts a browser that ends with the test, and returns the context in which
// its pages are opened.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browserPath(t)),
		chromedp.NoSandbox, // Chromium refuses to start as root with it, and in most containers at all
	)
	allocator, release := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(release)
	browser, _ := chromedp.NewContext(allocator)
	// The browser is asked to close, not killed, so that it can finish with its files.
	t.Cleanup(func() {
		if err := chromedp.Cancel(browser); err != nil {
			t.Errorf("the browser should close, and said: %v", err)
		}
	})
	// Without a deadline: one set here would be the deadline of the browser's whole life.
	if err := chromedp.Run(browser); err != nil {
		t.Fatalf("the browser cannot be started: %v", err)
	}
	return browser
}

// browserPath finds the browser. Without one the test ends here.
func browserPath(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "the tests of the page need chromium, chromium-browser or google-chrome on the PATH, and there is none"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}
