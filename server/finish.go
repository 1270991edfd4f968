package server

// OnFinish has f called once when the response is finished: handed out to be written, or
// cut; with its status, which is 0 if there was none, and the bytes of its body. It runs on
// the loop, after those that were given before it. The request need not be valid any more
// then: what f says of it, it takes out before. The [Hooks] hear of the same for all requests.
func (r *Request) OnFinish(f func(status int, bytes int64)) {
	x := r.live()
	if first := x.onFinish; first != nil {
		second := f
		f = func(status int, bytes int64) { first(status, bytes); second(status, bytes) }
	}
	x.onFinish = f
}

// tellFinished calls what OnFinish was given, once.
func (x *exchange) tellFinished() {
	if f := x.onFinish; f != nil {
		x.onFinish = nil
		f(x.status, x.sent)
	}
}
