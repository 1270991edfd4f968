package multipart

import (
	"bytes"
	"io"
	"mime/multipart"
	"slices"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

func BenchmarkParts(b *testing.B) {
	for _, c := range benchmarkForms() {
		b.Run(c.name, func(b *testing.B) {
			chunks := slices.Collect(slices.Chunk(c.form, 64<<10))
			b.SetBytes(int64(len(c.form)))
			b.ReportAllocs()
			for b.Loop() {
				src := Parts(pipeline.FromSlice(chunks), "multipart/form-data; boundary="+benchmarkBoundary, Limits{})
				size := 0
				for {
					part, err := src.Poll(nil)
					if err == io.EOF {
						break
					}
					for {
						chunk, err := part.Body.Poll(nil)
						if err != nil {
							break
						}
						size += len(chunk)
					}
				}
				src.Close()
				if size != c.size {
					b.Fatalf("the form has %d bytes of content, and %d were read", c.size, size)
				}
			}
		})
	}
}

func BenchmarkMIMEMultipart(b *testing.B) {
	for _, c := range benchmarkForms() {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.form)))
			b.ReportAllocs()
			for b.Loop() {
				r := multipart.NewReader(bytes.NewReader(c.form), benchmarkBoundary)
				size := int64(0)
				for {
					part, err := r.NextRawPart()
					if err == io.EOF {
						break
					}
					part.FormName()
					n, _ := io.Copy(io.Discard, part)
					size += n
				}
				if size != int64(c.size) {
					b.Fatalf("the form has %d bytes of content, and %d were read", c.size, size)
				}
			}
		})
	}
}

const benchmarkBoundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"

type benchmarkForm struct {
	name string
	form []byte
	size int
}

func benchmarkForms() []benchmarkForm {
	noise := make([]byte, 4<<20)
	seed := uint32(1)
	for i := range noise {
		seed = seed*1664525 + 1013904223
		noise[i] = byte(seed >> 24)
	}
	var forms []benchmarkForm
	for _, c := range []struct {
		name    string
		content []byte
		parts   int
	}{
		{"file", noise, 1},
		{"lines", bytes.Repeat([]byte("a line of some forty bytes, as they come\r\n"), 100_000), 1},
		{"nearly-boundaries", bytes.Repeat([]byte("\r\n------WebKitFormBoundary"), 160_000), 1},
		{"fields", noise[:20], 1000},
	} {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		_ = w.SetBoundary(benchmarkBoundary)
		for range c.parts {
			part, _ := w.CreateFormFile("file", "file.bin")
			_, _ = part.Write(c.content)
		}
		_ = w.Close()
		forms = append(forms, benchmarkForm{c.name, form.Bytes(), c.parts * len(c.content)})
	}
	return forms
}
