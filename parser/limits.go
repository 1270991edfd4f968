package parser

// Limits bound what one message may cost. They are shared by all parsers that were
// given the same pointer and must not change while one of them is in use.
//
// A field that is zero or negative means its default.
type Limits struct {
	// Target is the longest request-target in bytes. A longer one is answered
	// with 414 (RFC 9112, section 3). Default: 8 KiB.
	Target int

	// Head is the size in bytes of the start line and all field lines, up to and
	// including the empty line that ends them. Leading empty lines do not count.
	// The trailer section counts on top of the head against the same limit, but
	// for the empty line that ends it. Beyond it: 431 (RFC 6585, section 5).
	// No more than this is ever buffered for a message. Default: 32 KiB,
	// at most 1 GiB.
	Head int

	// Fields is the number of field lines of head and trailer section together.
	// Beyond it: 431. Default: 128.
	Fields int

	// ChunkOverhead bounds the framing of a chunked body (chunk sizes, extensions
	// and line ends, in bytes) beyond 4 bytes for each byte of data, so that
	// neither endless extensions nor endless tiny chunks cost more than they
	// carry. Beyond it: 400. Default: 16 KiB.
	ChunkOverhead int
}

const (
	defaultTarget        = 8 << 10
	defaultHead          = 32 << 10
	defaultFields        = 128
	defaultChunkOverhead = 16 << 10

	// Offsets within a head are kept in 32 bits.
	maximumHead = 1 << 30

	// RFC 9112, section 2.2 asks a server to skip at least one empty line before
	// a request; more than a few are not a mistake of an old client.
	maximumEmptyLines = 4
)

// WithDefaults returns the limits with every unset field replaced by its default.
// Resolve limits once and hand the pointer to the result to every Init: a parser
// that is given unresolved limits makes a resolved copy of its own.
func (l Limits) WithDefaults() Limits {
	if l.Target <= 0 {
		l.Target = defaultTarget
	}
	if l.Head <= 0 {
		l.Head = defaultHead
	}
	if l.Head > maximumHead {
		l.Head = maximumHead
	}
	if l.Fields <= 0 {
		l.Fields = defaultFields
	}
	if l.ChunkOverhead <= 0 {
		l.ChunkOverhead = defaultChunkOverhead
	}
	return l
}

// resolve returns limits itself when nothing in it is left to default, and a
// resolved copy otherwise.
func resolve(limits *Limits) *Limits {
	if limits == nil {
		limits = &Limits{}
	}
	resolved := limits.WithDefaults()
	if resolved == *limits {
		return limits
	}
	return &resolved
}
