package main

import (
	"fmt"
	"slices"
	"strings"
)

// gatewayReadme returns the part of examples/gateway/README.md that is made from results: the picture of a
// gateway over time, and its figures. Paths are as seen from there.
func gatewayReadme(r *results, pages []page) string {
	var text strings.Builder
	fmt.Fprintf(&text, "    cd bench\n    go run . -only %s -seconds %d -peers %s -results %s\n\n",
		r.Settings.Only, r.Settings.Seconds, r.Settings.Peers, committedGateway)
	for _, line := range r.circumstances() {
		fmt.Fprintln(&text, line)
	}
	fmt.Fprintf(&text, "All figures are in [%s](../../bench/%s).\n", committedGateway, committedGateway)
	for _, p := range pages {
		name := chartName(p.Result.Name, courseChart)
		if at := slices.IndexFunc(p.Charts, func(c chart) bool { return c.Name == name }); at >= 0 {
			fmt.Fprintf(&text, "\n![%s](../../bench/%s/charts/%s.svg)\n", markdownAlt(p.Charts[at].Alt), filesOf(committedGateway).folder, name)
		}
		fmt.Fprintln(&text)
		p.Result.figures().writeMarkdown(&text)
		for _, f := range p.Result.Failures {
			fmt.Fprintf(&text, "\n%s\n", f.sentence())
		}
	}
	return text.String()
}
