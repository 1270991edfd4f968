package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/server"
)

const (
	largeUpload = 64 << 20
	mostGrowth  = 16 << 20 // of the heap, of which client and server of this test share one
)

// zeros gives a number of bytes, and keeps the most memory that the heap has had meanwhile.
type zeros struct {
	left  int64
	inUse uint64
}

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	before := z.left
	n := int(min(int64(len(p)), z.left))
	clear(p[:n])
	z.left -= int64(n)
	if before>>20 != z.left>>20 {
		z.inUse = max(z.inUse, heapInUse())
	}
	return n, nil
}

func heapInUse() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse
}

func TestUploadTakesConstantMemory(t *testing.T) {
	p := run(t, largeUpload+1<<10, server.Options{Loops: 1})
	runtime.GC()
	before := heapInUse()
	content := &zeros{left: largeUpload}
	const head = "--b\r\nContent-Disposition: form-data; name=f; filename=large\r\n\r\n"
	body := io.MultiReader(strings.NewReader(head), content, strings.NewReader("\r\n--b--\r\n"))
	request, err := http.NewRequest("POST", p.base+"/upload", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 201 {
		t.Fatalf("a file of 64 MiB should be answered 201, and was answered %d", resp.StatusCode)
	}
	files, err := filepath.Glob(filepath.Join(p.dir, "*-large"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the folder should have the file, and has %q", files)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Size() != largeUpload {
		t.Errorf("the file should have %d bytes, and is %v", largeUpload, info)
	}
	if content.inUse > before+mostGrowth {
		t.Errorf("while 64 MiB were uploaded the heap grew by %s, at most %s were expected", mebibytes(content.inUse-before), mebibytes(mostGrowth))
	}
	t.Logf("while 64 MiB were uploaded the heap grew by %s", mebibytes(max(content.inUse, before)-before))
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
