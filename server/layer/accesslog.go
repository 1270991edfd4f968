package layer

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/penstock-go/penstock/server"
)

// AccessLog logs each request when its answer is finished, as one record at the level Info
// with the message "request" and the attributes
//
//	method, target   of the request, as sent
//	protocol         HTTP/1.0 or HTTP/1.1
//	status           of the answer; 0 when the client left without one
//	bytes            of the answer's body that were handed out
//	duration         from the call of this layer to the end of the answer
//	remote           the client's address and port; left out on a Unix socket
//	request_id       the answer's X-Request-ID; left out if it has none
//
// The record is made on the loop, so the logger's handler must not block: have it write to a
// [LogWriter].
func AccessLog(logger *slog.Logger) server.Layer { return accessLog(logger, time.Now) }

func accessLog(logger *slog.Logger, now func() time.Time) server.Layer {
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			if !logger.Enabled(context.Background(), slog.LevelInfo) {
				return next(r)
			}
			v := newVisit(r, now())
			id := ""
			r.OnFinish(func(status int, bytes int64) {
				v.logTo(logger, id, status, bytes, now().Sub(v.begun))
			})
			return next(r).Map(func(response server.Response) server.Response {
				id, _ = response.Field(requestIDField)
				return response
			})
		}
	}
}

// visit is what the logs say of a request. It is taken out before the handler runs, since
// the request is not valid any more when the line is written.
type visit struct {
	begun          time.Time
	method, target string
	minor          int
	remote         netip.AddrPort
}

func newVisit(r *server.Request, now time.Time) visit {
	return visit{begun: now, method: r.Method(), target: r.Target(), minor: r.Minor(), remote: r.RemoteAddr()}
}

func (v *visit) protocol() string {
	if v.minor == 0 {
		return "HTTP/1.0"
	}
	return "HTTP/1.1"
}

func (v *visit) logTo(logger *slog.Logger, id string, status int, bytes int64, took time.Duration) {
	attributes := make([]slog.Attr, 0, 8)
	attributes = append(attributes,
		slog.String("method", v.method),
		slog.String("target", v.target),
		slog.String("protocol", v.protocol()),
		slog.Int("status", status),
		slog.Int64("bytes", bytes),
		slog.Duration("duration", took),
	)
	if v.remote.IsValid() {
		attributes = append(attributes, slog.String("remote", v.remote.String()))
	}
	if id != "" {
		attributes = append(attributes, slog.String("request_id", id))
	}
	logger.LogAttrs(context.Background(), slog.LevelInfo, "request", attributes...)
}
