package codec

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
	"github.com/penstock-go/penstock/server"
)

func TestExplainKeepsTheLaws(t *testing.T) {
	for _, limit := range []int{0, 3, 100} {
		pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
			Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
				return explain(pipeline.Collect(src, limit))
			},
			In: []byte("content"),
			Model: func(in []byte, end error) ([][]byte, error) {
				switch {
				case len(in) > limit:
					return nil, tooLarge(&pipeline.LimitError{Subject: "the content", Limit: int64(limit)})
				case end != io.EOF:
					return nil, end
				}
				return [][]byte{in}, io.EOF
			},
			Rounds: 4,
		})
	}
}

// Content over its limit is a problem document, whether the length says so or the bytes do, and
// who reads the content finds the limit behind it.
func TestTooLargeIsAProblem(t *testing.T) {
	ends := make(chan error, 100)
	note := func(err error) { ends <- err }
	json20 := serve(t, func(r *server.Request) server.Response {
		return thenAnswer(noting(JSON[named](r, MaxBytes(20)), note), named.response)
	})
	form20 := serve(t, func(r *server.Request) server.Response {
		return thenAnswer(noting(Form(r, FormLimits{Bytes: 20}), note), func(Values) server.Response { return server.Empty(204) })
	})
	body := `{"name":"` + strings.Repeat("a", 20) + `"}`
	for _, c := range []struct {
		asked       asker
		contentType string
	}{{json20, "application/json"}, {form20, formType}} {
		fields := "Content-Type: " + c.contentType + "\r\n"
		for _, framing := range []string{"Content-Length: 31\r\n\r\n" + body, "Transfer-Encoding: chunked\r\n\r\n1f\r\n" + body + "\r\n0\r\n\r\n"} {
			resp, content := c.asked.send(fields + framing)
			var document struct {
				Status int
				Detail string
			}
			err := json.Unmarshal([]byte(content), &document)
			if err != nil || resp.StatusCode != 413 || document.Status != 413 || document.Detail != "The content is longer than the 20 bytes allowed." {
				t.Errorf("31 bytes of %s were answered with %d, %q; a problem document with 413 and a sentence was expected", c.contentType, resp.StatusCode, content)
			}
			if contentType := resp.Header.Get("Content-Type"); contentType != "application/problem+json" {
				t.Errorf("the answer is of type %q, and should be application/problem+json", contentType)
			}
		}
	}
	if len(ends) != 4 {
		t.Errorf("%d sources have failed, and 4 should have", len(ends))
	}
	for range len(ends) {
		end := <-ends
		if limit := new(pipeline.LimitError); !errors.As(end, &limit) || limit.Limit != 20 {
			t.Errorf("the source has ended with %v; the *pipeline.LimitError was expected behind it", end)
		}
	}
}

// noting tells note of the error that a source ends with.
func noting[T any](source pipeline.Source[T], note func(error)) pipeline.Source[T] {
	return notingSource[T]{source, note}
}

type notingSource[T any] struct {
	pipeline.Source[T]
	note func(error)
}

func (s notingSource[T]) Poll(w pipeline.Waker) (T, error) {
	v, err := s.Source.Poll(w)
	if err != nil && err != pipeline.ErrPending && err != io.EOF {
		s.note(err)
	}
	return v, err
}
