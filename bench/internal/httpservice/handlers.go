// Package httpservice is the service as handlers of net/http, for all servers that run these.
package httpservice

import (
	"io"
	"net/http"
	"strconv"

	"github.com/penstock-go/penstock/bench/internal/service"
)

// A Service answers the endpoints of the service. Its methods are handlers, safe for use by
// many goroutines.
type Service struct {
	serverField []string
	block       []byte
}

// Header values are set as whole slices under canonical names: Header.Set would allocate
// a slice for each of them in every request.
var (
	textField      = []string{service.TypeText}
	jsonField      = []string{service.TypeJSON}
	binaryField    = []string{service.TypeBinary}
	keepAliveField = []string{"keep-alive"}
	greetingLength = []string{strconv.Itoa(len(service.Greeting))}
	downloadLength = []string{strconv.Itoa(service.DownloadLength)}
	greeting       = []byte(service.Greeting)
)

// New returns a service whose answers have the name in the field Server, or no such field when
// it is empty.
func New(name string) *Service {
	s := &Service{block: service.Block()}
	if name != "" {
		s.serverField = []string{name}
	}
	return s
}

// Mux returns the service behind a ServeMux that has the routes, too.
func (s *Service) Mux(routes []service.Route) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.Hello)
	mux.HandleFunc("GET /json", s.json)
	mux.HandleFunc("POST /echo", s.echo)
	mux.HandleFunc("GET /download", s.download)
	mux.HandleFunc("POST /upload", s.upload)
	mux.HandleFunc("GET /block", s.wait)
	for _, route := range routes {
		name := route.LastName()
		mux.HandleFunc(route.Method+" "+route.Path, func(w http.ResponseWriter, r *http.Request) {
			s.answer(w, r, textField, []byte(r.PathValue(name)))
		})
	}
	return mux
}

// Hello answers GET /.
func (s *Service) Hello(w http.ResponseWriter, r *http.Request) {
	s.head(w, r, textField, greetingLength)
	w.Write(greeting)
}

// head sets the fields of an answer. A client of HTTP/1.0 that asked for it is told that the
// connection stays open: nbio leaves that to the handler.
func (s *Service) head(w http.ResponseWriter, r *http.Request, mediaType, length []string) {
	header := w.Header()
	if s.serverField != nil {
		header["Server"] = s.serverField
	}
	header["Content-Type"] = mediaType
	header["Content-Length"] = length
	if !r.ProtoAtLeast(1, 1) && !r.Close {
		header["Connection"] = keepAliveField
	}
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request, mediaType []string, body []byte) {
	s.head(w, r, mediaType, []string{strconv.Itoa(len(body))})
	w.Write(body)
}

func (s *Service) json(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, jsonField, service.JSON())
}

// echo reads the whole body and then answers with it.
func (s *Service) echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, service.MaxEcho))
	if err != nil {
		http.Error(w, "the body cannot be read, or is longer than 1 MiB", http.StatusRequestEntityTooLarge)
		return
	}
	s.answer(w, r, r.Header["Content-Type"], body)
}

// download writes block after block. A block is longer than the servers' buffers and passes them.
func (s *Service) download(w http.ResponseWriter, r *http.Request) {
	s.head(w, r, binaryField, downloadLength)
	for range service.BlockCount {
		if _, err := w.Write(s.block); err != nil {
			return
		}
	}
}

func (s *Service) upload(w http.ResponseWriter, r *http.Request) {
	length, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, service.MaxUpload))
	if err != nil {
		http.Error(w, "the body cannot be read, or is longer than 1 GiB", http.StatusRequestEntityTooLarge)
		return
	}
	s.answer(w, r, textField, strconv.AppendInt(nil, length, 10))
}

func (s *Service) wait(w http.ResponseWriter, r *http.Request) {
	service.Wait()
	s.answer(w, r, textField, []byte(service.Done))
}
