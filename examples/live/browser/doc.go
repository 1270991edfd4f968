// Package browser tests the page of the program in the folder above in Chromium, without a
// window. It holds nothing but tests, and is a module of its own so that the framework does
// not depend on what drives a browser.
//
// The tests build the program, run it as a process on a free port, and look at its page as
// its reader would: what they know of it is the state that the page says it is in, the list
// of messages, the form, and the values of the tiles. Of examples/upload they test that its page
// fits its window; through examples/gateway, and nginx behind that, that the pages stay live.
//
//	go test ./...
//	go test -run Subscribers -subscribers 10000
//	go test -run Screenshots -screenshots /tmp
//
// They need chromium, chromium-browser or google-chrome on the PATH. Where there is none
// they are skipped, but fail when CI is "true".
package browser
