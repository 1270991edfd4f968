package main

import (
	"context"
	"net/http"
	"strconv"

	"github.com/penstock-go/penstock/bench/internal/service"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

func hello(*server.Request) server.Response {
	return server.Text(http.StatusOK, service.Greeting)
}

// echo collects the body and then answers with it, as stages.
func echo(r *server.Request) server.Response {
	mediaType := r.Type()
	return server.Later(pipeline.Map(pipeline.Collect(r.Body, service.MaxEcho), func(body []byte) (server.Response, error) {
		return server.Bytes(http.StatusOK, mediaType, body), nil
	}))
}

// echoByScript is echo as straight-line code.
func echoByScript(r *server.Request) server.Response {
	return server.Script(r, func(co *pipeline.Co) server.Response {
		body, err := pipeline.Await(co, pipeline.Collect(r.Body, service.MaxEcho))
		if err != nil {
			return server.Fail(err)
		}
		return server.Bytes(http.StatusOK, r.Type(), body)
	})
}

// download streams the same block again and again, each when the client has taken those before.
func download(blocks [][]byte) server.Response {
	return server.Stream(http.StatusOK, service.TypeBinary, pipeline.FromSlice(blocks)).Length(int64(len(blocks)) * service.BlockLength)
}

// upload counts the body while it arrives.
func upload(r *server.Request) server.Response {
	r.SetBodyLimit(service.MaxUpload)
	length := 0
	nothing := pipeline.Map(r.Body, func(chunk []byte) ([]byte, error) {
		length += len(chunk)
		return nil, nil
	})
	return server.Later(pipeline.Map(pipeline.Collect(nothing, 0), func([]byte) (server.Response, error) {
		return server.Text(http.StatusOK, strconv.Itoa(length)), nil
	}))
}

// wait blocks one of the server's workers.
func wait(r *server.Request) server.Response {
	return server.Go(r, func(context.Context) server.Response {
		service.Wait()
		return server.Text(http.StatusOK, service.Done)
	})
}
