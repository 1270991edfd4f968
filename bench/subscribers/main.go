// Command subscribers opens many streams of server-sent events to a server, publishes events,
// and checks that each subscriber gets every event once and in order. It is a process of its
// own so that its descriptors do not count against those of another.
//
// It speaks with whoever started it in lines; its own are package report's, as JSON:
//
//	subscribers prints "ready"      all subscribers have the head of their response
//	subscribers reads  "grow N"
//	subscribers prints "ready"      N more subscribers that read have it, too
//	subscribers reads  "publish N"
//	subscribers prints "published"  N events, one after another, have reached everybody
//	subscribers reads  "run S"
//	subscribers prints "progress"   again and again, when -progress says so
//	subscribers prints "finished"   events were published for S seconds, at -rate
//	standard input ends             the connections are closed, subscribers ends
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-go/penstock/bench/internal/socket"
	"github.com/penstock-go/penstock/bench/subscribers/report"
)

// options are the flags.
type options struct {
	address     string
	readers     int
	stalled     int
	messageSize int           // bytes
	rate        float64       // events a second; 0: one after another
	progress    time.Duration // between two reports; 0: none
}

func main() {
	var o options
	flag.StringVar(&o.address, "addr", "", "the `host:port` of the server, an IPv4 address")
	flag.IntVar(&o.readers, "readers", 10000, "how many subscribers read what they get")
	flag.IntVar(&o.stalled, "stalled", 0, "how many subscribers never read; each is opened anew when the server closes it")
	flag.IntVar(&o.messageSize, "size", 100, "how long a message is in bytes")
	flag.Float64Var(&o.rate, "rate", 0, "how many events a second a run publishes; 0: each when all have got the one before")
	flag.DurationVar(&o.progress, "progress", 0, "the `time` between two reports of progress of a run; 0: none")
	flag.Parse()
	if err := serve(o, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "subscribers:", err)
		os.Exit(1)
	}
}

// serve opens the connections and carries commands out until there are no more.
func serve(o options, commands io.Reader, reports io.Writer) error {
	server, err := socket.ParseServer(o.address)
	if err != nil {
		return err
	}
	if o.readers < 1 || o.stalled < 0 || o.rate < 0 || o.progress < 0 || o.messageSize < minMessage || o.messageSize > maxMessage {
		return fmt.Errorf("-readers is %d, -stalled %d, -rate %v, -progress %v, -size %d; expected a reader, nothing below 0, and a size of %d to %d",
			o.readers, o.stalled, o.rate, o.progress, o.messageSize, minMessage, maxMessage)
	}
	audience, err := newAudience(server, o.readers, o.stalled, o.messageSize)
	defer audience.close()
	if err != nil {
		return err
	}
	writer := json.NewEncoder(reports)
	if err := writer.Encode(report.Report{Kind: report.Ready}); err != nil {
		return err
	}
	lines := bufio.NewScanner(commands)
	for lines.Scan() {
		found, err := o.execute(audience, lines.Text(), func(r report.Report) { writer.Encode(r) })
		if err == nil {
			err = writer.Encode(found)
		}
		if err != nil {
			return err
		}
	}
	return lines.Err()
}

// execute carries one command out and returns the report that ends it.
func (o options) execute(a *audience, command string, tell func(report.Report)) (report.Report, error) {
	verb, text, _ := strings.Cut(command, " ")
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 {
		return report.Report{}, fmt.Errorf("the command is %q, expected a verb and a number above 0", command)
	}
	switch verb {
	case "grow":
		return report.Report{Kind: report.Ready}, a.grow(number)
	case "publish":
		found, err := a.publish(pace{events: int64(number)}, nil)
		if err == nil && found.Missing > 0 {
			err = fmt.Errorf("%d deliveries are missing after %d events", found.Missing, found.Events)
		}
		found.Kind = report.Published
		return found, err
	case "run":
		p := pace{duration: time.Duration(number) * time.Second, progress: o.progress}
		if o.rate > 0 {
			p.interval = time.Duration(float64(time.Second) / o.rate)
		}
		return a.publish(p, tell)
	}
	return report.Report{}, errors.New("the command is " + verb + ", expected grow, publish or run")
}
