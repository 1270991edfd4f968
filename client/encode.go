package client

import "strconv"

// appendHead appends the head of a request (RFC 9112, section 3). The request has been checked.
func appendHead(b []byte, r *Request, authority string) []byte {
	method := r.Method
	if method == "" {
		method = "GET"
	}
	host := r.Host
	if host == "" {
		host = authority
	}
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, r.Target...)
	b = append(b, " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", host)
	for i := range r.Fields {
		b = appendField(b, r.Fields[i].Name, r.Fields[i].Value)
	}
	if r.Upgrade != "" {
		b = append(b, "Connection: Upgrade\r\n"...)
		b = appendField(b, "Upgrade", r.Upgrade)
	}
	switch {
	case r.Body != nil && r.Length < 0:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case r.Body != nil || method == "POST" || method == "PUT" || method == "PATCH":
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, r.bodyLength(), 10)
		b = append(b, "\r\n"...)
	}
	if r.expectsContinue() {
		b = append(b, "Expect: 100-continue\r\n"...)
	}
	return append(b, "\r\n"...)
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// bodyLength is the declared length of the body: 0 without one, -1 when it is not known.
func (r *Request) bodyLength() int64 {
	switch {
	case r.Body == nil:
		return 0
	case r.Length < 0:
		return -1
	}
	return r.Length
}
