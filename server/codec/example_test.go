package codec_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/codec"
)

// Order is what a client sends to order something.
type Order struct {
	Name  string `json:"name"`
	Count uint8  `json:"count"`
}

// Validate is asked when an Order has been read.
func (o Order) Validate() error {
	var name, count error
	if o.Name == "" {
		name = server.FieldError{Pointer: "#/name", Detail: "is missing"}
	}
	if o.Count == 0 {
		count = server.FieldError{Pointer: "#/count", Detail: "must be 1 or more"}
	}
	return errors.Join(name, count)
}

// A handler that wants a value says so in one line. What is wrong with the content is
// answered before it is called.
func Example() {
	order := func(r *server.Request) server.Response {
		return codec.WithJSON(r, func(o Order) server.Response {
			return server.JSON(http.StatusCreated, o)
		})
	}
	post(order, "application/json", `{"name":"valve","count":2}`)
	post(order, "application/json", `{"name":"valve","count":-2}`)
	post(order, "application/json", `{"name":"valve"}`)
	post(order, "text/plain", `{"name":"valve","count":2}`)
	// Output:
	// 201 {"name":"valve","count":2}
	// 422 {"title":"Unprocessable Entity","status":422,"detail":"The value at #/count is the number -2; an integer from 0 to 255 was expected.","errors":[{"pointer":"#/count","detail":"is the number -2; an integer from 0 to 255 was expected"}]}
	// 422 {"title":"Unprocessable Entity","status":422,"detail":"The content is not valid.","errors":[{"pointer":"#/count","detail":"must be 1 or more"}]}
	// 415 {"title":"Unsupported Media Type","status":415,"detail":"The Content-Type is \"text/plain\"; application/json was expected."}
}

// The content as a source, for a handler that goes on with it in a pipeline.
func ExampleJSON() {
	shout := func(r *server.Request) server.Response {
		orders := codec.JSON[Order](r, codec.MaxBytes(1<<10), codec.RefuseUnknownMembers())
		return server.Later(pipeline.Map(orders, func(o Order) (server.Response, error) {
			return server.Text(http.StatusOK, strings.ToUpper(o.Name)), nil
		}))
	}
	post(shout, "application/json", `{"name":"valve","count":2}`)
	post(shout, "application/json", `{"nam":"valve","count":2}`)
	// Output:
	// 200 VALVE
	// 422 {"title":"Unprocessable Entity","status":422,"detail":"The member \"nam\" is not known."}
}

// Lines of JSON in, lines of JSON out, each as soon as it is there: in constant memory,
// however many come.
func ExampleReadNDJSON() {
	double := func(r *server.Request) server.Response {
		numbers := codec.ReadNDJSON[int](r.Body, 100)
		return codec.NDJSON(pipeline.Map(numbers, func(n int) (int, error) { return 2 * n, nil }))
	}
	post(double, "application/x-ndjson", "1\n2\n\n3")
	post(double, "application/x-ndjson", "one\n")
	// Output:
	// 200 2
	// 4
	// 6
	// 400 {"title":"Bad Request","status":400,"detail":"The JSON is malformed at line 1, column 1 (byte 1): invalid character 'o' looking for beginning of value."}
}

func ExampleWithForm() {
	greet := func(r *server.Request) server.Response {
		return codec.WithForm(r, func(form codec.Values) server.Response {
			return server.Text(http.StatusOK, "Hello, "+form.Get("name")+"!")
		}, codec.FormLimits{Pairs: 10})
	}
	post(greet, "application/x-www-form-urlencoded", "name=Jos%C3%A9+B&other=1")
	// Output:
	// 200 Hello, José B!
}

func ExampleCSV() {
	report := func(*server.Request) server.Response {
		rows := pipeline.FromSlice([][]string{{"valve", "2"}, {`pipe, 3"`, "-1"}, {"=1+1", "1"}})
		return codec.CSV([]string{"name", "count"}, rows, codec.GuardFormulas()).
			With("Content-Disposition", `attachment; filename="report.csv"`)
	}
	post(report, "", "")
	// Output:
	// 200 name,count
	// valve,2
	// "pipe, 3""",-1
	// '=1+1,1
}

func ExampleWriteLines() {
	upper := func(r *server.Request) server.Response {
		lines := pipeline.Map(pipeline.Lines(r.Body, 1<<10), func(line []byte) ([]byte, error) {
			return []byte(strings.ToUpper(string(line))), nil
		})
		return server.Stream(http.StatusOK, "text/plain; charset=utf-8", codec.WriteLines(lines))
	}
	post(upper, "text/plain", "one\ntwo")
	// Output:
	// 200 ONE
	// TWO
}

// post has a server with this handler answer one request, and prints the answer.
func post(h server.Handler, contentType, body string) {
	s, err := server.New(h, server.Options{Loops: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	address, err := s.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	resp, err := http.Post("http://"+address.String(), contentType, strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(resp.StatusCode, " ")
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		fmt.Println(lines.Text())
	}
	if err := lines.Err(); err != nil {
		fmt.Println(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if err := errors.Join(s.Shutdown(context.Background()), <-served); err != nil {
		fmt.Println(err)
	}
}
