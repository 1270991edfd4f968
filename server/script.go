package server

import "github.com/penstock-go/penstock/pipeline"

// Script answers the request with what f returns, which may wait on its way, by
// [pipeline.Await], for whatever is a source: the request's body, a time, work on a pool. f runs on
// the loop and must not block otherwise. It is straight-line code that holds no goroutine of a
// pool: see [pipeline.Coroutine].
//
// When the client leaves, or a layer gives the answer up, what f waits for ends with
// [pipeline.ErrClosed], so that f returns and its deferred calls run. What it returns then is closed.
//
// f closes what it has made, but not what the response that it returns goes on reading. The
// request is valid until f has returned, and no longer than its response.
func Script(r *Request, f func(co *pipeline.Co) Response) Response {
	return Later(pipeline.CoroutineOn(&r.live().core.local.stacks, func(co *pipeline.Co) (Response, error) {
		response := f(co)
		if co.Err() != nil {
			response.Discard()
		}
		return response, nil
	}))
}
