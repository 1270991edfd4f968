package main

import (
	"context"
	"io"
	"maps"
	"mime"
	"net/http"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/codec"
)

// All the items at once, as lines of JSON: out of a cursor, and into transactions. Neither
// takes more memory for more items.

const (
	exportAhead = 256     // items that are read before the client takes them
	importBatch = 1000    // items of a transaction
	longestLine = 4 << 10 // bytes
)

var errExports = &server.Error{Code: http.StatusServiceUnavailable, Message: "As many exports as there may be are open."}

// answerExport answers GET /items.ndjson. The cursor goes as fast as the client takes the
// lines, and while that takes none it holds a connection to the database, but no goroutine. When
// the client leaves, it is closed.
func (s *site) answerExport(r *server.Request) server.Response {
	select {
	case s.exports <- struct{}{}:
	default:
		return server.Fail(errExports)
	}
	items := pipeline.OffloadIter(r.Loop(), s.exporters, exportAhead, s.store.all)
	return codec.NDJSON(pipeline.OnClose(items, func() { <-s.exports }))
}

// answerImport answers POST /items.ndjson. Of a body that has something wrong in it, the
// batches before are stored; the answer says how many items they are, and so where to go on.
func (s *site) answerImport(r *server.Request) server.Response {
	if mediaType, _, err := mime.ParseMediaType(r.Type()); err != nil || mediaType != "application/x-ndjson" {
		return server.Fail(&server.Problem{Code: http.StatusUnsupportedMediaType, Detail: "The content must be application/x-ndjson."})
	}
	return server.Script(r, func(co *pipeline.Co) server.Response {
		drafts := codec.ReadNDJSON[draft](r.Body, longestLine, codec.RefuseUnknownMembers())
		defer drafts.Close()
		stored := 0
		for {
			batch, err := nextBatch(co, drafts)
			if err == nil {
				err = s.storeBatch(co, r.Loop(), batch)
			}
			switch {
			case err == io.EOF:
				return server.JSON(http.StatusOK, map[string]int{"stored": stored})
			case err != nil:
				return server.Fail(withStored(problemOf(err), stored))
			}
			stored += len(batch)
		}
	})
}

// nextBatch awaits a full batch, or what is left before the end. At the end it returns
// io.EOF.
func nextBatch(co *pipeline.Co, drafts pipeline.Source[draft]) ([]draft, error) {
	var batch []draft
	for len(batch) < importBatch {
		d, err := pipeline.Await(co, drafts)
		if err == io.EOF && len(batch) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		batch = append(batch, d)
	}
	return batch, nil
}

// storeBatch awaits that a batch is stored, on the writer. Nothing is read from the client
// meanwhile.
func (s *site) storeBatch(co *pipeline.Co, here pipeline.Poster, batch []draft) error {
	work := pipeline.Offload(here, s.writer, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.store.createAll(ctx, batch)
	})
	defer work.Close()
	_, err := pipeline.Await(co, work)
	return err
}

// withStored returns the problem with one more member, that says how many items are stored.
func withStored(p *server.Problem, stored int) *server.Problem {
	told := *p
	told.Extensions = maps.Clone(p.Extensions)
	if told.Extensions == nil {
		told.Extensions = make(map[string]any)
	}
	told.Extensions["stored"] = stored
	return &told
}
