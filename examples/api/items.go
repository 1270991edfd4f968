package main

import (
	"context"
	"net/http"
	"strconv"

	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/codec"
)

const (
	usualPage   = 50 // items
	largestPage = 1000
)

// answerItem answers GET /items/{id}.
func (s *site) answerItem(r *server.Request) server.Response {
	id, err := idOf(r)
	if err != nil {
		return server.Fail(err)
	}
	return server.GoOn(s.readers, r, func(ctx context.Context) server.Response {
		return itemOr(s.store.get(ctx, id))
	})
}

// answerCreate answers POST /items.
func (s *site) answerCreate(r *server.Request) server.Response {
	return withDraft(r, func(d draft) server.Response {
		return server.GoOn(s.writer, r, func(ctx context.Context) server.Response {
			made, err := s.store.create(ctx, d)
			if err != nil {
				return server.Fail(err)
			}
			return answerOf(http.StatusCreated, made).With("Location", made.path())
		})
	})
}

// answerReplace answers PUT /items/{id}.
func (s *site) answerReplace(r *server.Request) server.Response {
	id, err := idOf(r)
	if err != nil {
		return server.Fail(err)
	}
	wanted := conditionOf(r)
	return withDraft(r, func(d draft) server.Response {
		return server.GoOn(s.writer, r, func(ctx context.Context) server.Response {
			return itemOr(s.store.replace(ctx, id, wanted, d))
		})
	})
}

// answerRemove answers DELETE /items/{id}.
func (s *site) answerRemove(r *server.Request) server.Response {
	id, err := idOf(r)
	if err != nil {
		return server.Fail(err)
	}
	wanted := conditionOf(r)
	return server.GoOn(s.writer, r, func(ctx context.Context) server.Response {
		if err := s.store.remove(ctx, id, wanted); err != nil {
			return server.Fail(err)
		}
		return server.Empty(http.StatusNoContent)
	})
}

// A page is some of the items, and where the next ones are.
type page struct {
	Items []item `json:"items"`
	Next  string `json:"next,omitempty"` // a relative reference; left out on the last page
}

// answerPage answers GET /items. The pages are cut by id, and not counted: an item that is
// removed meanwhile moves no other to another page.
func (s *site) answerPage(r *server.Request) server.Response {
	after, err := number(r.Query("after"), "The parameter after", 0, 0, 1<<63-1)
	if err != nil {
		return server.Fail(err)
	}
	limit, err := number(r.Query("limit"), "The parameter limit", usualPage, 1, largestPage)
	if err != nil {
		return server.Fail(err)
	}
	return server.GoOn(s.readers, r, func(ctx context.Context) server.Response {
		items, err := s.store.page(ctx, after, int(limit)+1) // one more says whether there is one
		if err != nil {
			return server.Fail(err)
		}
		shown := page{Items: items}
		if len(items) > int(limit) {
			shown.Items = items[:limit]
			last := shown.Items[limit-1].ID
			shown.Next = "/items?after=" + strconv.FormatInt(last, 10) + "&limit=" + strconv.FormatInt(limit, 10)
		}
		return server.JSON(http.StatusOK, shown)
	})
}

// withDraft reads the request's body as a draft.
func withDraft(r *server.Request, answer func(draft) server.Response) server.Response {
	return codec.WithJSON(r, answer, codec.MaxBytes(largestItem), codec.RefuseUnknownMembers())
}

func itemOr(i item, err error) server.Response {
	if err != nil {
		return server.Fail(err)
	}
	return answerOf(http.StatusOK, i)
}

// answerOf answers with an item. Nobody may keep it without asking whether it has changed.
func answerOf(status int, i item) server.Response {
	return server.JSON(status, i).With("ETag", i.entityTag()).With("Cache-Control", "no-cache")
}

// idOf returns the id in the path.
func idOf(r *server.Request) (int64, error) {
	return number(r.PathValue("id"), "The id in the path", 0, 1, 1<<63-1)
}

// number returns what text says, or usual for none. An error names the number as subject.
func number(text, subject string, usual, least, most int64) (int64, error) {
	if text == "" {
		return usual, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, &server.Problem{
			Code:   http.StatusBadRequest,
			Detail: subject + " must be a whole number from " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10) + ".",
		}
	}
	return n, nil
}
