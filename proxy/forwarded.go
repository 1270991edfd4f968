package proxy

import (
	"net/netip"
	"strings"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/server"
)

// forwarding gathers, while the fields of a request are gone through, what they say of where it
// came from, and adds what is known here.
type forwarding struct {
	options     *Options
	addresses   string // the client's X-Forwarded-For, when it is to be appended to
	hasHost     bool   // the client has sent an X-Forwarded-Host that stays
	hasProtocol bool   // and an X-Forwarded-Proto
}

// note looks at one of the client's fields, and says whether it goes on as it is.
func (f *forwarding) note(kind fieldKind, value string) bool {
	switch kind {
	case fieldForwarded:
		return f.options.Forwarded == Append || f.options.Forwarded == Keep
	case fieldXForwardedFor, fieldXForwardedHost, fieldXForwardedProto, fieldXForwarded:
	default:
		return false
	}
	switch f.options.XForwarded {
	case Keep:
		return true
	case Append:
	default:
		return false
	}
	switch kind {
	case fieldXForwardedFor:
		if f.addresses != "" {
			value = f.addresses + ", " + value
		}
		f.addresses = value
		return false
	case fieldXForwardedHost:
		f.hasHost = true
	case fieldXForwardedProto:
		f.hasProtocol = true
	}
	return true
}

// forgetNamed drops what was noted of fields that the Connection fields name.
func (f *forwarding) forgetNamed(from *parser.Fields) {
	for value := range from.Values("Connection") {
		for option := range strings.SplitSeq(value, ",") {
			switch kindOf(strings.Trim(option, " \t")) {
			case fieldXForwardedFor:
				f.addresses = ""
			case fieldXForwardedHost:
				f.hasHost = false
			case fieldXForwardedProto:
				f.hasProtocol = false
			}
		}
	}
}

// append appends what is known here to fields. Of the client that is its address, without its port, the
// host that it has asked for, and the protocol, which is http. The client of a Unix socket
// has no address.
func (f *forwarding) append(fields []parser.Field, room *room, r *server.Request) []parser.Field {
	if f.adds(f.options.Forwarded) || f.adds(f.options.XForwarded) {
		return f.appendTo(fields, room, r.RemoteAddr().Addr(), r.Host())
	}
	return fields
}

// adds says whether something is added.
func (*forwarding) adds(what Forwarding) bool { return what == Replace || what == Append }

// appendTo is append for a client at this address. One text serves both fields: the address is a part of it.
func (f *forwarding) appendTo(fields []parser.Field, room *room, address netip.Addr, host string) []parser.Field {
	forwarded, text := f.adds(f.options.Forwarded), append(room.text[:0], "for="...)
	begin, end := len(text), len(text)
	if address = address.WithZone(""); !address.IsValid() {
		text = append(text, "unknown"...)
	} else if address.Is4() {
		text = address.AppendTo(text)
		end = len(text)
	} else {
		text = append(text, `"[`...)
		begin = len(text)
		text = address.AppendTo(text)
		end = len(text)
		text = append(text, `]"`...)
	}
	if forwarded {
		text = appendForwardedHost(text, host)
		text = append(text, ";proto=http"...)
	}
	room.text = text
	value := string(text)
	if forwarded {
		fields = append(fields, parser.Field{Name: "Forwarded", Value: value})
	}
	if f.adds(f.options.XForwarded) {
		fields = f.appendX(fields, value[begin:end], host)
	}
	return fields
}

// appendForwardedHost appends the parameter host, quoted unless it is a token (RFC 7239, section 4).
func appendForwardedHost(text []byte, host string) []byte {
	switch {
	case host == "":
		return text
	case parser.ValidToken(host):
		return append(append(text, ";host="...), host...)
	}
	return append(append(append(text, `;host="`...), host...), '"')
}

// appendX appends the fields that everybody uses and no standard has.
func (f *forwarding) appendX(fields []parser.Field, address, host string) []parser.Field {
	switch {
	case f.addresses != "" && address != "":
		address = f.addresses + ", " + address
	case address == "":
		address = f.addresses
	}
	if address != "" {
		fields = append(fields, parser.Field{Name: "X-Forwarded-For", Value: address})
	}
	if host != "" && !f.hasHost {
		fields = append(fields, parser.Field{Name: "X-Forwarded-Host", Value: host})
	}
	if !f.hasProtocol {
		fields = append(fields, parser.Field{Name: "X-Forwarded-Proto", Value: "http"})
	}
	return fields
}
