package codec

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// FormLimits bound what is read of a form. The zero value of a field means its default.
type FormLimits struct {
	Bytes int // of the content. Default: 1 MiB
	Pairs int // names with their values. Default: 1,000
}

func (l FormLimits) withDefaults() FormLimits {
	if l.Bytes == 0 {
		l.Bytes = 1 << 20
	}
	if l.Pairs == 0 {
		l.Pairs = 1000
	}
	return l
}

// WithForm is the response that answer makes of the request's content, read as [Form] reads
// it. It is still to come until then. answer runs on the loop and must not block; it may
// itself return a response that is still to come.
func WithForm(r *server.Request, answer func(Values) server.Response, limits FormLimits) server.Response {
	return thenAnswer(Form(r, limits), answer)
}

// Form returns the request's content, a form as browsers send it, and then ends. The
// Content-Type must be application/x-www-form-urlencoded, and its charset, if it says one,
// UTF-8; content in a coding that no layer has decoded is refused as well. Content that says
// itself that it is over the limit is refused before it is read; it otherwise does what
// [ReadForm] does, and content over the limit ends it with a *[server.Problem] whose Cause is
// the *pipeline.LimitError. Empty content is a form without pairs.
func Form(r *server.Request, limits FormLimits) pipeline.Source[Values] {
	limits = limits.withDefaults()
	if err := cmp.Or(checkType(r.Type(), isForm, formType), checkCoding(r), checkLength(r, limits.Bytes)); err != nil {
		return pipeline.Fail[Values](err)
	}
	return explain(ReadForm(r.Body, limits))
}

const formType = "application/x-www-form-urlencoded"

func isForm(mediaType string) bool { return mediaType == formType }

// ReadForm returns the bytes of src as the pairs that they encode (WHATWG URL, section 5.1,
// application/x-www-form-urlencoded parsing), and then ends. By that standard nothing is
// malformed: a % without two hexadecimal digits behind it stands for itself, and bytes
// that are no UTF-8 are replaced by U+FFFD. More bytes than the limit end it with a *pipeline.LimitError,
// more pairs with a *[server.Problem] of status 413.
//
// The strings are slices of one copy of the content, as far as nothing was encoded in them.
func ReadForm(src pipeline.Source[[]byte], limits FormLimits) pipeline.Source[Values] {
	limits = limits.withDefaults()
	return pipeline.Map(pipeline.Collect(src, limits.Bytes), func(content []byte) (Values, error) {
		return parseForm(string(content), limits.Pairs)
	})
}

// parseForm stops at the first pair that is one too many, before it has room for it.
func parseForm(content string, most int) (Values, error) {
	var values Values
	for content != "" {
		var pair string
		pair, content, _ = strings.Cut(content, "&")
		if pair == "" {
			continue
		}
		if len(values) >= most {
			return nil, refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("The form has more than the %d values allowed.", most))
		}
		name, value, _ := strings.Cut(pair, "=")
		values = append(values, Value{Name: decodeFormText(name), Value: decodeFormText(value)})
	}
	return values, nil
}

// decodeFormText returns the text that a name or a value encodes.
func decodeFormText(encoded string) string {
	if !strings.ContainsAny(encoded, "+%") {
		return strings.ToValidUTF8(encoded, "\uFFFD")
	}
	decoded := make([]byte, 0, len(encoded))
	for i := 0; i < len(encoded); i++ {
		c := encoded[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(encoded) && isHex(encoded[i+1]) && isHex(encoded[i+2]):
			c = hexValue(encoded[i+1])<<4 | hexValue(encoded[i+2])
			i += 2
		}
		decoded = append(decoded, c)
	}
	return strings.ToValidUTF8(string(decoded), "\uFFFD")
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}
