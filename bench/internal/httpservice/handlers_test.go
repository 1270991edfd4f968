package httpservice

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/bench/internal/service"
)

func TestServerFieldIsThatOfTheService(t *testing.T) {
	for name, expected := range map[string]string{"some": "some", "": ""} {
		answer := httptest.NewRecorder()
		New(name).Hello(answer, httptest.NewRequest("GET", "/", nil))
		if got := answer.Header().Get("Server"); got != expected {
			t.Errorf("the service named %q answers with Server %q, expected %q", name, got, expected)
		}
	}
}

func TestBodiesOverTheirLimitAreRefused(t *testing.T) {
	answer := httptest.NewRecorder()
	body := strings.NewReader(strings.Repeat("x", service.MaxEcho+1))
	New("").Mux(nil).ServeHTTP(answer, httptest.NewRequest("POST", "/echo", body))
	if answer.Code != 413 {
		t.Errorf("an echo of %d bytes is answered with %d, expected 413", service.MaxEcho+1, answer.Code)
	}
}

func TestRoutesAnswerWithTheirLastValue(t *testing.T) {
	mux := New("").Mux([]service.Route{{Method: "GET", Path: "/a/{one}/{two...}"}})
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/a/b/c/d", nil))
	if answer.Body.String() != "c/d" {
		t.Errorf("the answer is %q, expected the last value c/d", answer.Body)
	}
}
