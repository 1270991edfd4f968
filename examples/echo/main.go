// Echo shows bodies as streams, and waiting without a goroutine:
//
//	POST /echo         sends the request's body back as it arrives
//	POST /sum          answers with the SHA-256 of the body, without holding it
//	GET  /slow?ms=N    answers after N milliseconds, from a timer
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/penstock-go/penstock/examples/internal/program"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

func main() { program.Main(route, server.Options{}) }

func route(r *server.Request) server.Response {
	switch r.Path() {
	case "/echo":
		return only(http.MethodPost, r, echo)
	case "/sum":
		return only(http.MethodPost, r, sum)
	case "/slow":
		return only(http.MethodGet, r, slow)
	}
	return server.Text(http.StatusNotFound, "There are POST /echo, POST /sum and GET /slow?ms=N.\n")
}

func only(method string, r *server.Request, h server.Handler) server.Response {
	if r.Method() != method {
		return server.Text(http.StatusMethodNotAllowed, "The method must be "+method+".\n").With("Allow", method)
	}
	return h(r)
}

func echo(r *server.Request) server.Response {
	r.SetBodyLimit(-1)
	return server.Stream(http.StatusOK, r.Type(), r.Body)
}

func sum(r *server.Request) server.Response {
	r.SetBodyLimit(-1)
	return server.Later(pipeline.Map(hash(r.Body), func(sum []byte) (server.Response, error) {
		return server.Text(http.StatusOK, hex.EncodeToString(sum)+"\n"), nil
	}))
}

// hash is a stage: it gives the SHA-256 of all the bytes of body as its one value. A
// stage need not be more than a function over Poll.
func hash(body pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	digest := sha256.New()
	each := pipeline.Map(body, func(chunk []byte) ([]byte, error) {
		digest.Write(chunk) // never fails
		return nil, nil
	})
	whole := pipeline.Collect(each, 0)
	return pipeline.Map(whole, func([]byte) ([]byte, error) { return digest.Sum(nil), nil })
}

const longestWait = 60_000 // milliseconds

func slow(r *server.Request) server.Response {
	ms, err := strconv.Atoi(r.Query("ms"))
	if err != nil || ms < 0 || ms > longestWait {
		return server.Text(http.StatusBadRequest, "The parameter ms must be a number of milliseconds from 0 to 60000.\n")
	}
	return server.Later(pipeline.Map(r.After(time.Duration(ms)*time.Millisecond), func(waited time.Duration) (server.Response, error) {
		return server.Text(http.StatusOK, "waited "+waited.String()+"\n"), nil
	}))
}
