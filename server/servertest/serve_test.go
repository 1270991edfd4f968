package servertest_test

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

func TestServeAnswersUntilTheTestEnds(t *testing.T) {
	var address string
	t.Run("served", func(t *testing.T) {
		address = servertest.Serve(t, func(*server.Request) server.Response { return server.Text(200, "here") }, server.Options{})
		resp, err := http.Get("http://" + address + "/")
		if err != nil {
			t.Fatalf("a client of net/http should be answered, and got %v", err)
		}
		body, err := io.ReadAll(resp.Body)
		if resp.Body.Close(); err != nil || string(body) != "here" {
			t.Errorf("the body is %q, %v, and should be %q", body, err, "here")
		}
	})
	http.DefaultClient.CloseIdleConnections()
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Errorf("the server at %s should be gone with its test, and still accepts", address)
	}
}
