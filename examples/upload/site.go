package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/examples/internal/page"
	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/multipart"
)

const (
	workers       = 8
	writesWaiting = 4096 // an upload has at most one: more uploads than this may be refused
)

// site answers the requests. All of it is shared by the loops and does not change.
type site struct {
	kept     *store
	limit    int64
	progress *progress
	workers  *loop.Pool
}

func newSite(kept *store, limit int64) *site {
	return &site{kept: kept, limit: limit, progress: newProgress(), workers: loop.NewPool(workers, writesWaiting)}
}

func (s *site) router() *server.Router {
	router := server.NewRouter()
	for path, answer := range page.Answers(pageFiles, policy) {
		if path == "/" {
			path = "/{$}" // and nothing below it
		}
		router.Handle("GET "+path, func(*server.Request) server.Response { return answer })
	}
	router.Handle("POST /upload", s.withID(s.answerUpload))
	router.Handle("GET /progress", s.withID(s.answerProgress))
	router.Handle("GET /uploads", s.answerUploads)
	return router
}

// withID is the layer that refuses an id which is none.
func (s *site) withID(h server.Handler) server.Handler {
	return func(r *server.Request) server.Response {
		if !validID(r.Query("id")) {
			return server.Text(http.StatusBadRequest, "The id must be letters, digits and hyphens, at most 64.\n")
		}
		return h(r)
	}
}

// answerUpload writes the files of a form, one after another, and says which they are. The
// body is read as fast as they are written. When the client leaves, all of this is closed,
// and the file that is being written with it; those that are whole stay.
func (s *site) answerUpload(r *server.Request) server.Response {
	r.SetBodyLimit(s.limit)
	here := r.Loop()
	wantsPage := strings.Contains(r.Field("Accept"), "text/html") // a form that was sent without the script
	body := s.progress.measure(r.Body, r.Query("id"), r.Length())
	parts := multipart.Parts(body, r.Type(), multipart.Limits{})
	files := pipeline.Flatten(pipeline.Map(parts, func(p *multipart.Part) (pipeline.Source[upload], error) {
		return s.keep(here, p), nil
	}))
	all := []upload{}
	each := pipeline.Map(files, func(u upload) ([]byte, error) {
		all = append(all, u)
		return nil, nil
	})
	return server.Later(pipeline.Map(pipeline.Collect(each, 0), func([]byte) (server.Response, error) {
		switch {
		case len(all) == 0:
			return server.Text(http.StatusBadRequest, "There is no file in the form.\n"), nil
		case wantsPage:
			return server.Redirect(http.StatusSeeOther, "/"), nil
		}
		return server.JSON(http.StatusCreated, all), nil
	}))
}

// keep writes a part to a file of the store, if it is a file, and gives what has become of it.
func (s *site) keep(here pipeline.Poster, p *multipart.Part) pipeline.Source[upload] {
	if p.FileName == "" {
		return pipeline.Empty[upload]()
	}
	name := p.SafeFileName()
	file := pipeline.Offload(here, s.workers, func(context.Context) (*arriving, error) { return s.kept.create(name) })
	return pipeline.Flatten(pipeline.Map(file, func(a *arriving) (pipeline.Source[upload], error) {
		return pipeline.Map(pipeline.CopyTo(here, s.workers, p.Body, a), func(size int64) (upload, error) {
			return upload{Name: a.finalName, Size: size, Time: a.finished}, nil
		}), nil
	}))
}

func (s *site) answerProgress(r *server.Request) server.Response {
	return server.Events(s.progress.events(r.Loop(), r.Query("id")))
}

func (s *site) answerUploads(r *server.Request) server.Response {
	list := pipeline.Offload(r.Loop(), s.workers, func(context.Context) ([]upload, error) { return s.kept.list() })
	return server.Later(pipeline.Map(list, func(all []upload) (server.Response, error) {
		return server.JSON(http.StatusOK, all).With("Cache-Control", "no-store"), nil
	}))
}
