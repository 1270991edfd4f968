package codec

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// deaf is a waker for sources that are never pending.
type deaf struct{}

func (deaf) Wake() {}

var benchmarkOrders = map[string]string{
	"small": `{"name":"valve","count":2,"items":[{"price":1.5,"paid":true}]}`,
	"64KiB": `{"name":"valve","items":[` + strings.Repeat(`{"price":1.5,"paid":true,"tags":{"1":"one"}},`, 1450) + `{}]}`,
}

// One JSON text to one value, beside encoding/json alone.
func BenchmarkReadJSON(b *testing.B) {
	for name, text := range benchmarkOrders {
		data := []byte(text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				source := ReadJSON[order](pipeline.Once(data))
				if _, err := source.Poll(deaf{}); err != nil {
					b.Fatal(err)
				}
				source.Close()
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				var o order
				if err := json.Unmarshal(data, &o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// An item is one value written as a line and read again.
func BenchmarkNDJSON(b *testing.B) {
	b.ReportAllocs()
	lines := ReadNDJSON[item](WriteNDJSON(pipeline.Source[item](repeated[item]{})), 1<<10)
	defer lines.Close()
	for b.Loop() {
		if _, err := lines.Poll(deaf{}); err != nil {
			b.Fatal(err)
		}
	}
}

// An item is one row written as CSV.
func BenchmarkWriteCSV(b *testing.B) {
	b.ReportAllocs()
	row := []string{"valve", "2", `pipe, 3"`, "-1"}
	lines := WriteCSV(repeated[[]string]{row}, GuardFormulas())
	defer lines.Close()
	for b.Loop() {
		if _, err := lines.Poll(deaf{}); err != nil {
			b.Fatal(err)
		}
	}
}

// A form of ten values.
func BenchmarkReadForm(b *testing.B) {
	b.ReportAllocs()
	content := bytes.Repeat([]byte("name=A+value&"), 10)
	for b.Loop() {
		source := ReadForm(pipeline.Once(content), FormLimits{})
		if values, err := source.Poll(deaf{}); err != nil || len(values) != 10 {
			b.Fatal(values, err)
		}
		if _, err := source.Poll(deaf{}); err != io.EOF {
			b.Fatal(err)
		}
		source.Close()
	}
}

// repeated gives the same value for ever.
type repeated[T any] struct{ value T }

func (s repeated[T]) Poll(pipeline.Waker) (T, error) { return s.value, nil }
func (repeated[T]) Close()                           {}
