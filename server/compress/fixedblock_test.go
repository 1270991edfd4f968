package compress

import (
	"bytes"
	"compress/flate"
	"io"
	"testing"
)

// Every length at every kind of distance, and every byte.
func TestFixedBlocksAreReadByOthers(t *testing.T) {
	for gap := 1; gap < historySize; gap = gap*5/4 + 1 {
		for length := 1; length <= 3*maxMatch; length += 1 + length/40 {
			before := noise(gap + length)
			text := append(before, before[:length]...) // length bytes, at the distance gap+length
			if len(text) > historySize+little || length > little {
				continue
			}
			checkFixedBlock(t, text, len(before))
		}
	}
	for distance := range 5 {
		text := bytes.Repeat([]byte{'a', 'b', 'c', 'd', 'e'}[:distance+1], 400/(distance+1))
		checkFixedBlock(t, text, 0)
		checkFixedBlock(t, text, len(text)/2)
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	checkFixedBlock(t, all, 0)
	for n := range 10 {
		for from := range n + 1 {
			checkFixedBlock(t, []byte("aaaaaaaaaa")[:n], from)
		}
	}
}

func checkFixedBlock(t *testing.T, text []byte, from int) {
	t.Helper()
	block := appendFixedBlock(nil, text, from)
	r := flate.NewReaderDict(bytes.NewReader(append(block, lastBlock...)), text[:from])
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, text[from:]) {
		t.Fatalf("%d bytes behind %d others should come back, and came as %d bytes with %v", len(text)-from, from, len(got), err)
	}
}

// Short texts are what the fixed codes are for: a table would make them longer than they are.
func TestFixedBlocksAreShort(t *testing.T) {
	event := []byte("id: 17\ndata: {\"gate\":\"north\",\"level\":17}\n\n")
	text := append(append([]byte("id: 16\ndata: {\"gate\":\"north\",\"level\":16}\n\n"), "id: 9\n"...), event...)
	if got := len(appendFixedBlock(nil, text, len(text)-len(event))); got > len(event)/2 {
		t.Errorf("an event of %d bytes like the one before should take half of them, and takes %d", len(event), got)
	}
}
