package main

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

const (
	messagesKept = 500
	// longestEvent is the bytes of the longest event: each byte of a message may be an
	// empty line, which takes seven.
	longestEvent = 8 * longestMessage
)

// A board is the last messages. It stands between who publishes and the topic: a message
// gets an id that is right after a restart too, and is in the file before anybody is sent
// it. So nobody can have got a message that is lost.
//
// Publish may be called on any goroutine, and blocks while the file is written.
type board struct {
	topic *pipeline.Topic[server.Event]
	clock func() time.Time

	mutex   sync.Mutex // held while a message is written, which keeps file and topic in one order
	journal *journal   // nil without a file
	last    messageID
}

var _ pipeline.Publisher[server.Event] = (*board)(nil)

// openBoard makes a board with the messages in file; without file, an empty one.
func openBoard(file string, clock func() time.Time) (*board, error) {
	b := &board{clock: clock}
	b.topic = server.NewTopic(longestEvent, pipeline.TopicOptions[server.Event]{
		Backlog: messagesKept,
		Replay:  messagesKept,
		Missed: func(n uint64) server.Event {
			return server.Event{Name: "missed", Data: strconv.FormatUint(n, 10)}
		},
	})
	if file == "" {
		return b, nil
	}
	j, messages, err := openJournal(file)
	if err != nil {
		return nil, err
	}
	b.journal = j
	for _, m := range messages {
		id, err := parseMessageID(m.ID)
		if err == nil {
			err = b.topic.Deliver(m.ID, server.Event{ID: m.ID, Data: m.Text})
		}
		if err != nil {
			slog.Warn("a message of the board's file is left out", "file", file, "error", err)
			continue
		}
		b.last = id
	}
	return b, nil
}

// Publish gives e an id, writes it to the file, and hands it to the subscribers. A
// message that cannot be written is not sent either.
func (b *board) Publish(e server.Event) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.last = b.last.next(b.clock())
	e.ID = b.last.String()
	if b.journal != nil {
		if err := b.journal.append(message{ID: e.ID, Text: e.Data}); err != nil {
			return err
		}
	}
	return b.topic.Deliver(e.ID, e)
}

// Close ends the streams and closes the file.
func (b *board) Close() error {
	b.topic.Close()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.journal == nil {
		return nil
	}
	return b.journal.Close()
}

// A messageID says when a message was published, and tells those of one millisecond
// apart. As text it is "<unix milliseconds>-<counter>".
type messageID struct {
	milliseconds int64
	counter      uint64
}

// next returns the id that follows. Time never goes back in it, whatever the clock does,
// and the counter goes on for ever.
func (id messageID) next(now time.Time) messageID {
	return messageID{max(now.UnixMilli(), id.milliseconds), id.counter + 1}
}

func (id messageID) String() string {
	return strconv.FormatInt(id.milliseconds, 10) + "-" + strconv.FormatUint(id.counter, 10)
}

func parseMessageID(text string) (messageID, error) {
	before, after, _ := strings.Cut(text, "-")
	milliseconds, err := strconv.ParseInt(before, 10, 64)
	if err == nil {
		var counter uint64
		if counter, err = strconv.ParseUint(after, 10, 64); err == nil {
			return messageID{milliseconds, counter}, nil
		}
	}
	return messageID{}, fmt.Errorf("the id %q of a message is not <milliseconds>-<counter>: %w", text, err)
}
