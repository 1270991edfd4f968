package layer

import (
	"net/http"
	"strconv"
	"time"

	"github.com/penstock-go/penstock/server"
)

// CommonLog writes a line in the Common Log Format for each request when its answer is
// finished:
//
//	host ident user [day/month/year:hour:minute:second zone] "request line" status bytes
//
// The time is that of the request. What is not known is "-": ident always, host on a Unix
// socket, bytes when the answer's body is empty, and status when the client left without an
// answer. User is the user-id of Basic credentials, which the client may have made up,
// unless the status is 401. Whatever a client can choose is escaped, so that a line stays
// one line and a quoted part one part: '"' and '\' get a '\' before them, and what is not
// visible ASCII becomes \xhh.
func CommonLog(log *LogWriter) server.Layer { return commonLog(log, false, time.Now) }

// CombinedLog is [CommonLog] with two more parts, the Referer and User-Agent fields of the
// request, quoted.
func CombinedLog(log *LogWriter) server.Layer { return commonLog(log, true, time.Now) }

func commonLog(log *LogWriter, combined bool, now func() time.Time) server.Layer {
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			line := commonLine{visit: newVisit(r, now()), authorization: r.Field("Authorization"), combined: combined}
			if combined {
				line.referer, line.userAgent = r.Field("Referer"), r.Field("User-Agent")
			}
			r.OnFinish(func(status int, bytes int64) {
				log.append(func(b []byte) []byte { return line.appendTo(b, status, bytes) })
			})
			return next(r)
		}
	}
}

// commonLine is one line of the log.
type commonLine struct {
	visit
	authorization      string
	combined           bool
	referer, userAgent string
}

func (l *commonLine) appendTo(b []byte, status int, bytes int64) []byte {
	if l.remote.IsValid() {
		b = l.remote.Addr().AppendTo(b)
	} else {
		b = append(b, '-')
	}
	b = append(b, " - "...)
	b = l.appendUser(b, status)
	b = append(b, ' ')
	b = l.begun.AppendFormat(b, "[02/Jan/2006:15:04:05 -0700]")
	b = append(b, ` "`...)
	b = appendEscaped(b, l.method, ' ')
	b = append(b, ' ')
	b = appendEscaped(b, l.target, ' ')
	b = append(b, ' ')
	b = append(b, l.protocol()...)
	b = append(b, `" `...)
	b = appendNumber(b, int64(status))
	b = append(b, ' ')
	b = appendNumber(b, bytes)
	if l.combined {
		b = appendQuoted(b, l.referer)
		b = appendQuoted(b, l.userAgent)
	}
	return append(b, '\n')
}

func (l *commonLine) appendUser(b []byte, status int) []byte {
	user, _, found := basicCredentials(l.authorization)
	if !found || user == "" || status == http.StatusUnauthorized {
		return append(b, '-')
	}
	return appendEscaped(b, user, ' ')
}

// appendNumber appends n, or "-" for 0.
func appendNumber(b []byte, n int64) []byte {
	if n == 0 {
		return append(b, '-')
	}
	return strconv.AppendInt(b, n, 10)
}

// appendQuoted appends a space and s in quotes, "-" when it is empty.
func appendQuoted(b []byte, s string) []byte {
	if s == "" {
		s = "-"
	}
	b = append(b, ` "`...)
	b = appendEscaped(b, s, 0)
	return append(b, '"')
}

// appendEscaped appends s with a '\' before '"' and '\', and with \xhh for separator and for
// whatever is not printable ASCII.
func appendEscaped(b []byte, s string, separator byte) []byte {
	const digits = "0123456789abcdef"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c >= 0x7f || c == separator:
			b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return b
}
