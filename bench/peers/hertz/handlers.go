package main

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/protocol/http1/resp"

	"github.com/penstock-go/penstock/bench/internal/service"
)

func answer(c *app.RequestContext, mediaType string, body []byte) {
	c.Data(http.StatusOK, mediaType, body)
}

func hello(_ context.Context, c *app.RequestContext) { answer(c, service.TypeText, greeting) }

func echo(_ context.Context, c *app.RequestContext) {
	c.Data(http.StatusOK, string(c.ContentType()), c.Request.Body())
}

func download(c *app.RequestContext, block []byte) {
	c.SetContentType(service.TypeBinary)
	c.SetBodyStream(service.NewDownload(block), service.DownloadLength)
}

// upload counts the body: while it arrives, with -large, and else when it is there.
func upload(_ context.Context, c *app.RequestContext) {
	length := int64(len(c.Request.BodyBytes()))
	if c.Request.IsBodyStream() {
		var err error
		if length, err = io.Copy(io.Discard, c.RequestBodyStream()); err != nil {
			c.AbortWithMsg("the body cannot be read", http.StatusBadRequest)
			return
		}
	}
	answer(c, service.TypeText, strconv.AppendInt(nil, length, 10))
}

func wait(_ context.Context, c *app.RequestContext) {
	service.Wait()
	answer(c, service.TypeText, []byte(service.Done))
}

// events answers GET /events by the writer of chunks that hertz documents for streaming.
func events(board *service.Board, c *app.RequestContext) {
	c.SetContentType(service.TypeEvents)
	c.Response.Header.Set("Cache-Control", "no-cache")
	stream := resp.NewChunkedBodyWriter(&c.Response, c.GetWriter())
	c.Response.HijackWriter(stream)
	events := board.Subscribe()
	defer board.Unsubscribe(events)
	// A write of nothing sends the head.
	if _, err := stream.Write(nil); err != nil || stream.Flush() != nil {
		return
	}
	for event := range events {
		if _, err := stream.Write(event); err != nil || stream.Flush() != nil {
			return
		}
	}
}

func publish(board *service.Board, c *app.RequestContext) {
	board.Publish(c.Request.Body())
	c.Status(http.StatusNoContent)
}
