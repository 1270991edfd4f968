package multipart_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/multipart"
)

const exampleForm = "--b\r\n" +
	"Content-Disposition: form-data; name=\"title\"\r\n\r\n" +
	"Two files\r\n--b\r\n" +
	"Content-Disposition: form-data; name=\"file\"; filename=\"/tmp/a.txt\"\r\nContent-Type: text/css\r\n\r\n" +
	"one\r\n--b\r\n" +
	"Content-Disposition: form-data; name=\"file\"; filename=\"b.txt\"\r\n\r\n" +
	"three\r\n--b--\r\n"

// body is what the body of a request is to a handler: it comes in chunks.
func body() pipeline.Source[[]byte] {
	return pipeline.FromSlice([][]byte{[]byte(exampleForm[:70]), []byte(exampleForm[70:200]), []byte(exampleForm[200:])})
}

// The sizes of the files of a form, none of which may have more than 1 MiB, in constant memory.
func Example() {
	count := func(r *server.Request) server.Response {
		return server.Stream(200, "text/plain", sizes(r.Body, r.Type()))
	}
	_ = server.Handler(count)

	show(sizes(body(), "multipart/form-data; boundary=b"))
	// Output:
	// a.txt has 3 bytes
	// b.txt has 5 bytes
	// EOF
}

func sizes(src pipeline.Source[[]byte], contentType string) pipeline.Source[[]byte] {
	parts := multipart.Parts(src, contentType, multipart.Limits{})
	files := pipeline.Filter(parts, func(p *multipart.Part) bool { return p.File })
	return pipeline.Flatten(pipeline.Map(files, func(p *multipart.Part) (pipeline.Source[[]byte], error) {
		return size(p.SafeFileName(), pipeline.Limit(p.Body, 1<<20)), nil
	}))
}

// size gives one line, when content has ended.
func size(name string, content pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	n := 0
	counted := pipeline.Map(content, func(chunk []byte) ([]byte, error) {
		n += len(chunk)
		return nil, nil
	})
	return pipeline.Map(pipeline.Collect(counted, 0), func([]byte) ([]byte, error) {
		return fmt.Appendf(nil, "%s has %d bytes\n", name, n), nil
	})
}

// A small form is one value.
func ExampleForm() {
	form := multipart.Form(body(), "multipart/form-data; boundary=b", multipart.Limits{Form: 64 << 10})
	defer form.Close()
	values, err := form.Poll(nobody{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(values.Get("title"))
	for _, value := range values {
		fmt.Printf("%s %q %s %q\n", value.Name, value.FileName, value.Type, value.Content)
	}
	// Output:
	// Two files
	// title "" text/plain "Two files"
	// file "/tmp/a.txt" text/css "one"
	// file "b.txt" text/plain "three"
}

// nobody is a waker for what is never pending.
type nobody struct{}

func (nobody) Wake() {}

func show(src pipeline.Source[[]byte]) {
	defer src.Close()
	for {
		text, err := src.Poll(nobody{})
		if err != nil {
			fmt.Println(err)
			if err != io.EOF {
				fmt.Println("which is not how it should end")
			}
			return
		}
		fmt.Print(strings.TrimSuffix(string(text), "\n") + "\n")
	}
}
