package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestMessageReachesTheReadersAsItIs(t *testing.T) {
	p := run(t, "")
	page, messages := p.events("", ""), p.events("?only=messages", "")
	texts := []string{"Hello, everybody", "two\nlines\n\n and a third", `<b>not bold</b> & "q" ' \ ` + "\t ü 水 🌊\x00", "id: 7"}
	p.publish(texts...)
	ids := page.expect(texts...)
	if other := messages.expect(texts...); fmt.Sprint(other) != fmt.Sprint(ids) {
		t.Errorf("both streams should have the ids %v, and one has %v", ids, other)
	}
	last := messageID{}
	for _, text := range ids {
		id, err := parseMessageID(text)
		if err != nil || id.String() != text || id.counter != last.counter+1 || id.milliseconds < last.milliseconds {
			t.Errorf("ids should be <milliseconds>-<counter> and go up, and after %v comes %q, error %v", last, text, err)
		}
		last = id
	}
}

func TestFreshPageGetsWhatIsKept(t *testing.T) {
	p := run(t, "")
	var texts []string
	for i := range messagesKept + 5 {
		texts = append(texts, fmt.Sprint("message ", i))
	}
	p.publish(texts...)
	s := p.events("", "")
	p.publish("new")
	s.expect(append(texts[5:], "new")...)
}

func TestFreshPageGetsTheHistoryOfTheFigures(t *testing.T) {
	p := run(t, "")
	first := p.events("", "")
	if got := first.named("history"); got.retry != "1000" {
		t.Errorf("a stream should begin by saying when to reconnect, in 1000 ms, and says %q", got.retry)
	}
	var seen []string
	for range 3 {
		p.second()
		seen = append(seen, first.named("figures").data)
	}
	var history []json.RawMessage
	data := p.events("", "").named("history").data
	if err := json.Unmarshal([]byte(data), &history); err != nil || len(history) != 4 {
		t.Fatalf("after three seconds the history should be an array of the figures of the start and of those, and is %s, error %v", data, err)
	}
	for i, figures := range history[1:] {
		if string(figures) != seen[i] {
			t.Errorf("the history should have the figures that were sent, %s, and has %s", seen[i], figures)
		}
	}
}

func TestReconnectingGetsExactlyWhatWasMissed(t *testing.T) {
	for _, c := range []struct {
		why   string
		query string // with the ids of the messages as %[1]s, %[2]s and %[3]s
		field string // likewise
		want  []string
	}{
		{"after the first message", "", "%[1]s", []string{"two", "three"}},
		{"after the last message", "", "%[3]s", nil},
		{"after the first message, by the address", "?after=%[1]s", "", []string{"two", "three"}},
		{"after the second message, whatever the address says", "?after=%[1]s", "%[2]s", []string{"three"}},
		{"messages only, after the first", "?only=messages&after=%[1]s", "", []string{"two", "three"}},
		{"messages only, after the first, by the field", "?only=messages", "%[1]s", []string{"two", "three"}},
		{"messages only, with nothing said", "?only=messages", "", nil},
	} {
		t.Run(c.why, func(t *testing.T) {
			p := run(t, "")
			p.publish("one", "two", "three")
			ids := p.events("", "").expect("one", "two", "three")
			fill := strings.NewReplacer("%[1]s", ids[0], "%[2]s", ids[1], "%[3]s", ids[2])
			s := p.events(fill.Replace(c.query), fill.Replace(c.field))
			p.publish("new")
			s.expect(append(c.want, "new")...)
			if s.seen["history"]+s.seen["missed"] > 0 {
				t.Errorf("%s there should be no history and nothing missed, and there were the events %v", c.why, s.seen)
			}
		})
	}
}

func TestUnknownIDGetsAllAndIsToldSo(t *testing.T) {
	p := run(t, "")
	p.publish("one", "two")
	s := p.events("?after=1-1", "")
	if got := s.named("missed"); got.data != "0" {
		t.Errorf("who comes with an unknown id should be told that it has missed messages, nobody knows how many, and is told %q", got.data)
	}
	s.expect("one", "two")
}

func TestRestartMissesNothingAndRepeatsNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "board.jsonl")
	before := run(t, file)
	s := before.events("", "")
	before.publish("one", "two\n2", "three")
	ids := s.expect("one", "two\n2", "three")
	before.stop()
	s.expectEnd()

	after := run(t, file)
	after.publish("four")
	s = after.events("", ids[0])
	s.expect("two\n2", "three", "four")
	after.publish("five")
	more := s.expect("five")
	after.events("", "").expect("one", "two\n2", "three", "four", "five")
	last, _ := parseMessageID(more[0])
	if third, _ := parseMessageID(ids[2]); last.counter != third.counter+2 || last.milliseconds < third.milliseconds {
		t.Errorf("ids should go on after a restart: two messages behind %v is %v", third, last)
	}
}

func TestOpenStreamsEndWithTheProgram(t *testing.T) {
	p := run(t, "")
	page, messages := p.events("", ""), p.events("?only=messages", "")
	p.publish("hello")
	page.expect("hello")
	messages.expect("hello")
	p.stop() // fails if a connection had to be cut
	page.expectEnd()
	messages.expectEnd()
}

func TestStreamOfMessagesHasNothingElse(t *testing.T) {
	p := run(t, "")
	s := p.events("?only=messages", "")
	p.second()
	p.second() // when this has begun, the figures of the first have been published
	p.publish("hello")
	s.expect("hello")
	if len(s.seen) != 1 {
		t.Errorf("a stream of messages only should have nothing else, and had the events %v", s.seen)
	}
}
