package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const testHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\ntransfer-encoding: Chunked\r\n\r\n"

// chunk frames the text as one chunk.
func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// readStream feeds the pieces and returns what was delivered. Each piece is spoiled after it
// was fed: nothing may depend on it any more.
func readStream(pieces ...[]byte) (delivered []string, s stream, err error) {
	for _, piece := range pieces {
		input := bytes.Clone(piece)
		err = s.feed(input, func(data []byte) error {
			delivered = append(delivered, string(data))
			return nil
		})
		for i := range input {
			input[i] = '#'
		}
		if err != nil {
			return delivered, s, err
		}
	}
	return delivered, s, nil
}

func TestStreamHoweverItIsCut(t *testing.T) {
	whole := []byte(testHead + chunk(": ping\n\n") + chunk("id: 1-1\ndata: one\n\n") +
		chunk("id: 1-2\ndata:two\nda") + chunk("ta:  and more\nevent: x\n") + chunk("\nid: 1-3\n\n") + chunk("data: 3\n\ndata: 4\n\nda"))
	expected := []string{"one", "two\n and more", "3", "4"}
	check := func(how string, pieces ...[]byte) {
		delivered, s, err := readStream(pieces...)
		if err != nil || !slices.Equal(delivered, expected) || !s.answered() {
			t.Fatalf("%s: the events are %q with error %v, expected %q", how, delivered, err, expected)
		}
	}
	check("whole", whole)
	check("byte by byte", slices.Collect(slices.Chunk(whole, 1))...)
	for i := range whole {
		check(fmt.Sprintf("cut at %d", i), whole[:i], whole[i:])
		for j := i; j < len(whole); j += 7 {
			check(fmt.Sprintf("cut at %d and %d", i, j), whole[:i], whole[i:j], whole[j:])
		}
	}
}

func TestStreamIsAnsweredAtTheEndOfItsHead(t *testing.T) {
	for _, length := range []int{len(testHead) - 1, len(testHead)} {
		_, s, err := readStream([]byte(testHead[:length]))
		if err != nil || s.answered() != (length == len(testHead)) {
			t.Errorf("after %d of %d bytes answered is %v with error %v, expected it with the last",
				length, len(testHead), s.answered(), err)
		}
	}
}

func TestStreamSeesWhatIsWrong(t *testing.T) {
	tests := []struct{ why, input, complaint string }{
		{"another status", strings.Replace(testHead, "200", "503", 1), "status line"},
		{"no chunks", strings.Replace(testHead, "Chunked", "gzip", 1), "chunked"},
		{"a bare LF in the head", "HTTP/1.1 200 OK\n", "LF alone"},
		{"no number for a size", testHead + "x\r\n", "size of a chunk"},
		{"a negative size", testHead + "-1\r\n", "size of a chunk"},
		{"a huge size", testHead + "7fffffff\r\n", "size of a chunk"},
		{"a chunk that is too long", testHead + "3\r\nabcd\r\n", "behind the data"},
		{"the last chunk", testHead + "0\r\n\r\n", "ended"},
		{"an endless head", strings.Repeat("x", maxLine+1), "longer than"},
		{"an endless line of an event", testHead + "8000\r\n" + strings.Repeat("x", maxLine+1), "longer than"},
	}
	for _, test := range tests {
		if _, _, err := readStream([]byte(test.input)); err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
	}
}
