package main

import (
	"bufio"
	"io"
	"strconv"

	"github.com/valyala/fasthttp"

	"github.com/penstock-go/penstock/bench/internal/service"
)

// answer hands the bytes over without copying them, as fasthttp's documentation advises for
// bodies that do not change any more.
func answer(ctx *fasthttp.RequestCtx, mediaType string, body []byte) {
	ctx.SetContentType(mediaType)
	ctx.Response.SetBodyRaw(body)
}

func hello(ctx *fasthttp.RequestCtx) { answer(ctx, service.TypeText, greeting) }

// echo has the body copied into the answer's buffer: that of the request is used again.
func echo(ctx *fasthttp.RequestCtx) {
	ctx.SetContentTypeBytes(ctx.Request.Header.ContentType())
	ctx.SetBody(ctx.PostBody())
}

func download(ctx *fasthttp.RequestCtx, block []byte) {
	ctx.SetContentType(service.TypeBinary)
	ctx.SetBodyStream(service.NewDownload(block), service.DownloadLength)
}

// upload counts the body while it arrives.
func upload(ctx *fasthttp.RequestCtx) {
	length, err := io.Copy(io.Discard, ctx.RequestBodyStream())
	if err != nil {
		ctx.Error("the body cannot be read", fasthttp.StatusBadRequest)
		return
	}
	answer(ctx, service.TypeText, strconv.AppendInt(nil, length, 10))
}

func wait(ctx *fasthttp.RequestCtx) {
	service.Wait()
	answer(ctx, service.TypeText, []byte(service.Done))
}

// events answers GET /events by a stream writer, which is fasthttp's way of pushing.
func events(board *service.Board, ctx *fasthttp.RequestCtx) {
	ctx.SetContentType(service.TypeEvents)
	ctx.Response.Header.Set("Cache-Control", "no-cache")
	ctx.Response.ImmediateHeaderFlush = true
	events := board.Subscribe() // before the head goes out, from which on the client counts on events
	ctx.SetBodyStreamWriter(func(w *bufio.Writer) {
		defer board.Unsubscribe(events)
		for event := range events {
			if _, err := w.Write(event); err != nil || w.Flush() != nil {
				return
			}
		}
	})
}

func publish(board *service.Board, ctx *fasthttp.RequestCtx) {
	board.Publish(ctx.PostBody())
	ctx.SetStatusCode(fasthttp.StatusNoContent)
}
