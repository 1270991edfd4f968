package main

import "embed"

//go:embed page
var pageFiles embed.FS

// policy has the browser refuse whatever does not come from here (Content Security Policy
// Level 3).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
