package compress

import (
	"slices"
	"testing"
)

func TestBestCodingFollowsAcceptEncoding(t *testing.T) {
	for _, c := range []struct {
		fields []string
		want   coding
	}{
		{nil, identity},
		{[]string{""}, identity},
		{[]string{"gzip"}, codingGzip},
		{[]string{"x-gzip"}, codingGzip},
		{[]string{"GZIP"}, codingGzip},
		{[]string{"zstd"}, codingZstd},
		{[]string{"gzip, deflate, br, zstd"}, codingZstd},
		{[]string{"gzip", "zstd"}, codingZstd},
		{[]string{"zstd;q=0.5, gzip"}, codingGzip},
		{[]string{"gzip;q=0.999,zstd;q=0.998"}, codingGzip},
		{[]string{" , gzip ; q=1.000 ,, "}, codingGzip},
		{[]string{"gzip;Q=0.1"}, codingGzip},
		{[]string{"*"}, codingZstd},
		{[]string{"*;q=0"}, identity},
		{[]string{"*, zstd;q=0"}, codingGzip},
		{[]string{"gzip;q=0"}, identity},
		{[]string{"gzip;q=0.0, zstd;q=0.000"}, identity},
		{[]string{"br, deflate"}, identity},
		{[]string{"identity"}, identity},
		{[]string{"identity;q=0"}, identity},
		{[]string{"identity;q=0, gzip"}, codingGzip},
		{[]string{"identity, gzip;q=0.5"}, identity},
		{[]string{"identity;q=0.5, gzip;q=0.5"}, codingGzip},
		{[]string{"gzip;q=0.3, *;q=0.5"}, codingZstd},
		{[]string{"gzip;q=0.3, zstd;q=0, *;q=0.5"}, identity},
		// Malformed: nothing is accepted that was not clearly said.
		{[]string{"gzip;q"}, identity},
		{[]string{"gzip;q="}, identity},
		{[]string{"gzip;q=2"}, identity},
		{[]string{"gzip;q=1.001"}, identity},
		{[]string{"gzip;q=0.1234"}, identity},
		{[]string{"gzip;q=.5"}, identity},
		{[]string{"gzip;q=0,5"}, identity},
		{[]string{"gzip;q=-1"}, identity},
		{[]string{"gzip;q=0x1"}, identity},
		{[]string{"gzip; level=9"}, identity},
		{[]string{"gzip zstd"}, identity},
		{[]string{"gzip;q=1;q=0"}, identity},
		{[]string{";q=1"}, identity},
		{[]string{"gzip", "zstd;q=nothing"}, identity},
	} {
		accepted := parseAcceptance(slices.Values(c.fields))
		if got := accepted.best(codingZstd, codingGzip); got != c.want {
			t.Errorf("for Accept-Encoding %q the coding should be %s, and is %s", c.fields, c.want, got)
		}
	}
}

func FuzzParseAcceptance(f *testing.F) {
	f.Add("gzip;q=0.5, zstd;q=1.000, *;q=0, identity")
	f.Add("gzip;q=1.001")
	f.Add(" ,;=,q")
	f.Fuzz(func(t *testing.T, value string) {
		accepted := parseAcceptance(slices.Values([]string{value}))
		for c, weight := range accepted {
			if weight < unsaid || weight > 1000 {
				t.Errorf("Accept-Encoding %q gives %s the weight %d, which is no qvalue", value, coding(c), weight)
			}
		}
	})
}
