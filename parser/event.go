package parser

// Kind says which of the two message formats a parser reads (RFC 9112, section 2.1).
type Kind uint8

const (
	// Request messages open with a request-line.
	Request Kind = iota
	// Response messages open with a status-line.
	Response
)

// Event is what Next found. The events of one message are, in this order:
// one HeadReady, any number of BodyData, one End. NeedData may come anywhere
// before End.
type Event uint8

const (
	// NeedData: all that was fed has been consumed and the memory lent with Feed
	// is the caller's again. Call Feed or FeedEOF, then Next.
	NeedData Event = iota
	// HeadReady: the start line and the fields are complete, see Head.
	HeadReady
	// BodyData: a part of the content, never empty, see Data. Chunked framing
	// has been taken off.
	BodyData
	// End: the message is complete, see Trailers and Rest. Next returns End again
	// until Restart.
	End
)
