package server_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/server"
)

// BenchmarkRelay compares copying a body from one connection to another with moving it. What
// counts is cpu-ms/GiB: the processor time of the server's own thread.
func BenchmarkRelay(b *testing.B) {
	for _, size := range []int64{64 << 10, 256 << 10, 1 << 20, 64 << 20} {
		for _, copied := range []bool{true, false} {
			b.Run(fmt.Sprintf("size=%d/copied=%t", size, copied), func(b *testing.B) { benchmarkRelay(b, size, copied) })
		}
	}
}

func benchmarkRelay(b *testing.B, size int64, copied bool) {
	upstream := upstreamOf(b, size)
	l, err := loop.New(loop.Options{})
	if err != nil {
		b.Fatal(err)
	}
	body := &relay{copied: copied, stays: true}
	if err := body.socket.ConnectTCP(l, upstream, body); err != nil {
		b.Fatal(err)
	}
	s, err := server.NewOn(l, newYear, func(r *server.Request) server.Response {
		body.left = size
		if _, err := body.socket.Write([]byte("?")); err != nil {
			return server.Fail(err)
		}
		return server.Stream(200, "", body).Length(size)
	}, server.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	bound, err := s.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { runtime.LockOSThread(); served <- s.Serve() }()
	_ = l.Post(func() { runtime.LockOSThread() })
	client, err := net.Dial("tcp", bound.String())
	if err != nil {
		b.Fatal(err)
	}
	get := func() {
		if _, err := io.WriteString(client, rootRequest); err != nil {
			b.Fatal(err)
		}
		skipAnswer(b, client, size)
	}
	get()
	before := threadTime(l)
	for b.Loop() {
		get()
	}
	spent := threadTime(l) - before
	b.SetBytes(size)
	b.ReportMetric(float64(spent)/1e6/(float64(b.N)*float64(size)/(1<<30)), "cpu-ms/GiB")
	client.Close()
	_ = s.Shutdown(b.Context())
	<-served
}

// threadTime is the processor time of the thread that runs l.
func threadTime(l *loop.Loop) int64 {
	told := make(chan int64)
	_ = l.Post(func() {
		var now unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now)
		told <- now.Nano()
	})
	return <-told
}
