package server

import (
	"log/slog"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-go/penstock/parser"
)

// httpHead is the head of a response as a net/http handler has decided it: what WriteHeader
// takes of the header, which the handler may go on changing. Owned by the worker.
type httpHead struct {
	status      int
	declared    int64 // Content-Length, or -1
	fields      *fieldNode
	contentType string
	trailerKeys []string // announced in the Trailer field
	sniffs      bool     // the content type is still to be found out
	closes      bool     // Connection: close
	trailers    bool     // there will be some: what comes after WriteHeader may add others
	chunked     bool     // the handler wants no Content-Length
	eventStream bool
}

// take decides the head.
func (h *httpHead) take(header http.Header, status int, logger *slog.Logger) {
	h.status, h.sniffs = status, true
	if len(header) == 0 {
		return
	}
	if declared := first(header["Content-Length"]); declared != "" {
		if n, err := strconv.ParseInt(declared, 10, 64); err == nil && n >= 0 {
			h.declared = n
		} else {
			h.chunked = true
			logger.Warn("a net/http handler has set a Content-Length that is no length", "value", declared)
		}
	}
	if first(header["Transfer-Encoding"]) != "" {
		h.chunked, h.sniffs, h.declared = true, false, -1
	}
	if first(header["Content-Encoding"]) != "" {
		h.sniffs = false
	}
	h.closes = first(header["Connection"]) == "close"
	for _, list := range header["Trailer"] {
		h.trailers = true
		h.announce(list)
	}
	if types, found := header["Content-Type"]; found {
		h.sniffs = false
		h.eventStream = strings.HasPrefix(first(types), "text/event-stream")
	}
	h.takeFields(header)
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// announce takes the names of a Trailer field.
func (h *httpHead) announce(list string) {
	for name := range strings.SplitSeq(list, ",") {
		if name = textproto.TrimString(name); name != "" {
			h.trailerKeys = append(h.trailerKeys, http.CanonicalHeaderKey(name))
		}
	}
}

// takeFields takes the fields that are sent, sorted by name, as net/http sends them.
func (h *httpHead) takeFields(header http.Header) {
	var room [16]string
	names, count := room[:0], 0
	for name, values := range header {
		switch {
		case strings.HasPrefix(name, http.TrailerPrefix):
			h.trailers = true
		case h.sends(name, values):
			names = append(names, name)
			count += len(values)
		}
	}
	if count == 0 {
		return
	}
	if len(names) > 1 {
		slices.Sort(names)
	}
	nodes := make([]fieldNode, 0, count)
	for _, name := range names {
		for _, value := range header[name] {
			nodes = append(nodes, fieldNode{field: Field{Name: name, Value: cleanValue(value)}, earlier: h.fields})
			h.fields = &nodes[len(nodes)-1]
		}
	}
}

// sends says whether a field is sent as it is. What cannot be a field is left out without a
// word, as net/http does it.
func (h *httpHead) sends(name string, values []string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Connection":
		return false
	case "Content-Type":
		if h.status == http.StatusNotModified {
			return false
		}
		if len(values) == 1 && (values[0] == typeText || values[0] == typeJSON) {
			h.contentType = values[0]
			return false
		}
	}
	return parser.ValidToken(name)
}

// cleanValue returns a field's value with spaces for CR and LF, and without white space around
// it, as net/http sends it.
func cleanValue(value string) string {
	if strings.ContainsAny(value, "\r\n") {
		value = strings.NewReplacer("\r", " ", "\n", " ").Replace(value)
	}
	return textproto.TrimString(value)
}

// sniff finds out the content type of a body that begins with data, if the handler has not
// said it.
func (h *httpHead) sniff(data []byte) {
	if !h.sniffs || len(data) == 0 {
		return
	}
	h.sniffs = false
	h.contentType = http.DetectContentType(data)
}

// response returns the head as a response without a body.
func (h *httpHead) response() Response {
	r := Response{outline: outlineOf(h.status), fields: h.fields}.withType(h.contentType)
	if h.closes {
		r = r.Close()
	}
	return r
}

// trailersOf returns the fields behind the body: those that were announced, and those whose name
// has http.TrailerPrefix. One that must not be sent there is left out.
func (h *httpHead) trailersOf(header http.Header) []Field {
	var trailers []Field
	add := func(name string, values []string) {
		for _, value := range values {
			if f := (Field{Name: name, Value: cleanValue(value)}); checkTrailer(f) == nil {
				trailers = append(trailers, f)
			}
		}
	}
	for name, values := range header {
		if name, prefixed := strings.CutPrefix(name, http.TrailerPrefix); prefixed {
			add(name, values)
		}
	}
	for _, name := range h.trailerKeys {
		add(name, header[name])
	}
	// The order of a map is none.
	slices.SortStableFunc(trailers, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return trailers
}

// informationalFields returns the fields of an informational response.
func informationalFields(header http.Header) []Field {
	h := httpHead{}
	h.takeFields(header)
	fields := appendFields(nil, h.fields)
	if h.contentType != "" {
		fields = append(fields, Field{Name: "Content-Type", Value: h.contentType})
	}
	return fields
}
