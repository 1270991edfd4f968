package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// kept opens the board in file and returns the texts on it, the oldest first.
func kept(t *testing.T, file string) (*board, []string) {
	t.Helper()
	b, err := openBoard(file, time.Now)
	if err != nil {
		t.Fatalf("the board in %s should open, and there is the error: %v", file, err)
	}
	t.Cleanup(func() { b.Close() })
	return b, texts(t, b)
}

// texts are those of the messages on the board.
func texts(t *testing.T, b *board) []string {
	t.Helper()
	s := b.topic.Subscribe(noLoop{}, pipeline.Oldest)
	defer s.Close()
	var all []string
	for {
		e, err := s.Poll(noLoop{})
		switch err {
		case nil:
			all = append(all, e.Data)
			continue
		case pipeline.ErrPending, io.EOF:
			return all
		}
		t.Fatalf("the messages on the board should be there to be read, and there is the error: %v", err)
	}
}

// noLoop is for who reads what is there and does not wait.
type noLoop struct{}

func (noLoop) Post(func()) error { return nil }
func (noLoop) Wake()             {}

func write(t *testing.T, content string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "board.jsonl")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBrokenLinesCostOnlyThemselves(t *testing.T) {
	const one, two = `{"id":"1000-1","text":"one"}`, `{"id":"1001-2","text":"two"}`
	for _, c := range []struct {
		why, content string
		want         []string
	}{
		{"an empty file", "", nil},
		{"a whole file", one + "\n" + two + "\n", []string{"one", "two"}},
		{"a file whose last line is cut", one + "\n" + two[:20], []string{"one"}},
		{"a file whose last line is cut in a character", one + "\n" + `{"id":"1001-2","text":"` + "\xe6\xb0", []string{"one"}},
		{"a file of which only the last end of line is missing", one + "\n" + two, []string{"one", "two"}},
		{"a file with a line that was cut before", one[:9] + "\n" + two + "\n", []string{"two"}},
		{"a file with a write of which nothing arrived", one + "\n\n" + two + "\n", []string{"one", "two"}},
		{"a file with an id that is none", `{"id":"x","text":"x"}` + "\n" + two + "\n", []string{"two"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			file := write(t, c.content)
			b, got := kept(t, file)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s should give %q, and gives %q", c.why, c.want, got)
			}
			if err := b.Publish(server.Event{Data: "behind"}); err != nil {
				t.Fatalf("%s should take another message, and there is the error: %v", c.why, err)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			if _, got = kept(t, file); !slices.Equal(got, append(c.want, "behind")) {
				t.Errorf("behind %s a message should be whole, and the board is %q", c.why, got)
			}
		})
	}
}

func TestLongFileIsCompacted(t *testing.T) {
	for _, lines := range []int{messagesKept, compactAt, compactAt + 1, 3*compactAt + 1} {
		var content strings.Builder
		var want []string
		for i := range lines {
			text := fmt.Sprint("message ", i)
			fmt.Fprintf(&content, `{"id":"%d-%d","text":%q}`+"\n", 1000+i, i+1, text)
			want = append(want, text)
		}
		file := write(t, content.String())
		want = want[lines-messagesKept:]
		b, got := kept(t, file)
		if !slices.Equal(got, want) {
			t.Errorf("of %d messages the last %d should be on the board, and %d are: %q", lines, messagesKept, len(got), got)
		}
		if err := b.Publish(server.Event{Data: "behind"}); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		expected := lines + 1
		if lines > compactAt {
			expected = messagesKept + 1
		}
		if n := strings.Count(string(after), "\n"); n != expected {
			t.Errorf("a file of %d lines should have %d after it was opened and a message written, and has %d", lines, expected, n)
		}
		if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
			t.Errorf("there should be no file but that of the board, and there are %v, error %v", left, err)
		}
		if _, got = kept(t, file); !slices.Equal(got, append(want[1:], "behind")) {
			t.Errorf("the board should be the same when it is opened again, with the message behind, and is %q", got)
		}
	}
}

func TestMessageThatCannotBeWrittenIsNotSent(t *testing.T) {
	b, _ := kept(t, write(t, ""))
	if err := b.journal.file.Close(); err != nil {
		t.Fatal(err)
	}
	err := b.Publish(server.Event{Data: "lost"})
	if err == nil || !strings.Contains(err.Error(), "could not be written") {
		t.Errorf("a message that cannot be written should be refused with a sentence, and the error is %v", err)
	}
	if got := texts(t, b); got != nil {
		t.Errorf("and nobody should be sent it, and on the board is %q", got)
	}
	if !b.journal.torn {
		t.Error("and the next one should begin on a line of its own, since part of it may have been written")
	}
}

func TestBoardSaysWhyItsFileCannotBeUsed(t *testing.T) {
	_, err := openBoard(t.TempDir(), time.Now)
	if err == nil || !strings.HasPrefix(err.Error(), "the file of the board cannot be") {
		t.Errorf("a folder in place of the file should be refused with a sentence, and the error is %v", err)
	}
}

// The clock of a machine is set back now and then.
func TestIDsGoUpWhateverTheClockDoes(t *testing.T) {
	now := time.UnixMilli(5000)
	file := write(t, `{"id":"4000-41","text":"old"}`+"\n")
	b, err := openBoard(file, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   int64
		want string
	}{{5000, "5000-42"}, {5000, "5000-43"}, {3000, "5000-44"}, {5001, "5001-45"}} {
		now = time.UnixMilli(c.at)
		if err := b.Publish(server.Event{Data: "x"}); err != nil {
			t.Fatal(err)
		}
		if got := b.last.String(); got != c.want {
			t.Errorf("the message at %d should have the id %s, and has %s", c.at, c.want, got)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestClosedBoardRefusesMessages(t *testing.T) {
	for _, file := range []string{"", write(t, "")} {
		b, err := openBoard(file, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := b.Publish(server.Event{Data: "x"}); err == nil {
			t.Errorf("a board that is closed should refuse messages, with the file %q as without", file)
		}
	}
}
