package main

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

const (
	marker = "bench "
	// A message has at least room for the marker, a number, a time and two spaces.
	minMessage = 64
	maxMessage = 4 << 10 // the servers take no more
)

// publications holds the events that some subscriber has still to get, and what is known of
// those that all have got. It is used by one goroutine; time is handed in.
//
// A message is the marker, its number, counted from 1, the time from which its latency counts,
// in Unix nanoseconds, and filling.
type publications struct {
	size        int   // bytes of a message
	last        int64 // number of the last event
	outstanding map[int64]*publication
	deliveries  int64
	latency     histogram
}

type publication struct {
	message []byte
	from    time.Time
	missing int // subscribers that do not have it yet
}

// add makes the next event, which so many subscribers must get, and returns its message.
func (p *publications) add(from time.Time, readers int) []byte {
	p.last++
	message := fmt.Appendf(make([]byte, 0, p.size), "%s%d %d ", marker, p.last, from.UnixNano())
	for len(message) < p.size {
		message = append(message, 'x')
	}
	if readers > 0 {
		p.outstanding[p.last] = &publication{message: message, from: from, missing: readers}
	}
	return message
}

// deliver takes the data of an event that a subscriber got now. previous is the number of the
// event that it got before, and becomes that of this one. An event that comes again, out of
// order or changed is an error; one that is left out stays outstanding.
func (p *publications) deliver(previous *int64, data []byte, now time.Time) error {
	text, found := bytes.CutPrefix(data, []byte(marker))
	digits, _, _ := bytes.Cut(text, []byte(" "))
	number, err := strconv.ParseInt(string(digits), 10, 64)
	if !found || err != nil {
		return fmt.Errorf("the event %q came, expected one that was published here", data)
	}
	if number <= *previous {
		return fmt.Errorf("event %d came after event %d, expected each once and in order", number, *previous)
	}
	published := p.outstanding[number]
	if published == nil || !bytes.Equal(data, published.message) {
		return fmt.Errorf("event %d came as %q, expected what was published", number, data)
	}
	*previous = number
	p.deliveries++
	p.latency.record(now.Sub(published.from))
	if published.missing--; published.missing == 0 {
		delete(p.outstanding, number)
	}
	return nil
}

// missing returns how many deliveries have not happened yet.
func (p *publications) missing() int64 {
	sum := int64(0)
	for _, published := range p.outstanding {
		sum += int64(published.missing)
	}
	return sum
}
