package server_test

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/layer"
	"github.com/penstock-go/penstock/server/servertest"
)

// shouting is a protocol in which everything comes back in capital letters.
func shouting(r *server.Request) server.Response {
	return server.Upgrade("shout", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
		return pipeline.Map(input, func(chunk []byte) ([]byte, error) {
			return []byte(strings.ToUpper(string(chunk))), nil
		})
	})
}

// The protocol of a server, behind an upgrade, keeps the laws of pipelines.
func TestUpgradeKeepsTheLaws(t *testing.T) {
	const head = "HTTP/1.1 101 Switching Protocols\r\nServer: penstock\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n"
	request := askUpgrade("/", "SHOUT")
	for cut := 1; cut < len(request); cut += 7 {
		pieces := [][]byte{[]byte(request[:cut]), []byte(request[cut:] + "some"), []byte(" wo"), []byte("rds")}
		pipelinetest.TestSource(t, pipelinetest.SourceCase[[]byte]{
			Make: func(turn *pipelinetest.Turn) pipeline.Source[[]byte] {
				l := looptest.New(t)
				s, err := server.NewOn(l.Loop, newYear, shouting, server.Options{})
				if err != nil {
					t.Fatal(err)
				}
				return s.Protocol(l.Loop)(pipelinetest.Poison(pipelinetest.Stream(turn, pieces, nil)))
			},
			Want: [][]byte{[]byte(head + "SOME WORDS")}, Same: pipelinetest.SameBytes, Rounds: 4,
		})
	}
}

// The end of the stage is that of the protocol, and its input is read until that is closed.
func TestProtocolOfATunnelThatHasEnded(t *testing.T) {
	var input pipeline.Source[[]byte]
	l, s := onLoop(t, func(*server.Request) server.Response {
		return server.Upgrade("half", func(in pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			input = in
			return pipeline.Concat(once("bye"), pipeline.OnClose(pipeline.Empty[[]byte](), in.Close))
		})
	})
	client, w := &sent{pieces: []string{askUpgrade("/", "half"), "late"}}, &wakes{}
	output := s.Protocol(l.Loop)(client)
	if got, err := pull(output, w); !strings.HasSuffix(got, "\r\n\r\nbye") || err != io.EOF {
		t.Fatalf("what the stage gives should come, and then the end; there is %q, %v", got, err)
	}
	output.Close()
	if _, err := input.Poll(w); err == nil || err == pipeline.ErrPending || client.closes == 0 {
		t.Errorf("what is closed should close its input; that gave %v, and was closed %d times", err, client.closes)
	}
}

// Layers that look at responses and bodies leave a tunnel alone, and the log has its status
// and its bytes.
func TestUpgradeBehindLayers(t *testing.T) {
	var log strings.Builder
	s := servertest.New(t, layer.AccessLog(slog.New(slog.NewTextHandler(&log, nil)))(layer.Timeout(1e9)(layer.ETag()(shouting))), server.Options{})
	c := s.Client()
	c.Send(askUpgrade("/", "shout"))
	if answer := c.Answer(); answer.Status != 101 || answer.Field("Upgrade") != "shout" || answer.Field("Connection") != "Upgrade" {
		t.Fatalf("the answer should be an upgrade, and is %+v", answer)
	}
	s.Advance(3600e9)
	c.Send("some words")
	if got := c.Receive(); got != "SOME WORDS" {
		t.Errorf("the protocol should be the stage's, and the client got %q", got)
	}
	c.CloseWrite()
	if !c.Ended() || fmt.Sprint(s.Closed()) != fmt.Sprint([]server.CloseReason{server.ReasonAnswered}) {
		t.Errorf("both sides should have ended; the connections were closed because %v", s.Closed())
	}
	if !strings.Contains(log.String(), "status=101 bytes=10 ") {
		t.Errorf("the log should have the status and the 10 bytes, and has %q", log.String())
	}
}
