package service

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

func TestDownloadIsTheBlockOverAndOver(t *testing.T) {
	block := Block()
	if block[250] != 250 || block[251] != 0 || len(block) != BlockLength {
		t.Fatalf("the block has %d bytes, and %d and %d at 250 and 251; expected %d, 250 and 0",
			len(block), block[250], block[251], BlockLength)
	}
	reader := io.Reader(NewDownload(block))
	got := make([]byte, BlockLength)
	for i := range BlockCount {
		if _, err := io.ReadFull(reader, got); err != nil || !bytes.Equal(got, block) {
			t.Fatalf("block %d differs or ends early (%v), expected the pattern", i, err)
		}
	}
	if n, err := reader.Read(got); n != 0 || err != io.EOF {
		t.Errorf("behind the last block there are %d bytes and %v, expected the end", n, err)
	}
}

func TestDownloadDoesNotDependOnTheBuffer(t *testing.T) {
	block := []byte("abc")
	expected := bytes.Repeat(block, BlockCount)
	if err := iotest.TestReader(NewDownload(block), expected); err != nil {
		t.Errorf("a download is no proper reader: %v", err)
	}
}

func TestJSON(t *testing.T) {
	if text := string(JSON()); text != `{"message":"Hello, World!"}` {
		t.Errorf("the JSON is %s, expected the greeting as the message", text)
	}
}
