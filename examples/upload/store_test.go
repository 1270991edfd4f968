package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func newStore(t *testing.T, dir string) *store {
	t.Helper()
	s, err := openStore(dir)
	if err != nil {
		t.Fatalf("the store could not be opened: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func create(t *testing.T, s *store, name, content string) *arriving {
	t.Helper()
	a, err := s.create(name)
	if err != nil {
		t.Fatalf("the file could not be made: %v", err)
	}
	if _, err := a.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestStoreShowsWhatIsWhole(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	for i, name := range []string{"first", "second"} {
		a := create(t, s, name, name)
		if err := a.CloseWithError(nil); err != nil {
			t.Fatalf("the file could not be made final: %v", err)
		}
		when := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(filepath.Join(dir, a.finalName), when, when); err != nil {
			t.Fatal(err)
		}
	}
	coming := create(t, s, "third", "some")
	cause := errors.New("the client has left")
	cut := create(t, s, "fourth", "some")
	if err := cut.CloseWithError(cause); !errors.Is(err, cause) {
		t.Errorf("a file that is cut should say why, and said %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	list, err := s.list()
	if err != nil || len(list) != 2 || withoutID(list[0].Name) != "second" || withoutID(list[1].Name) != "first" || list[1].Size != 5 {
		t.Errorf("the list should have the two files that are whole, the newest first, and is %+v, %v", list, err)
	}
	if err := coming.Close(); !errors.Is(err, errUnwanted) {
		t.Errorf("a file that is given up should say so, and said %v", err)
	}
	if parts, _ := filepath.Glob(filepath.Join(dir, ".*")); len(parts) != 0 {
		t.Errorf("of files that were given up nothing should be left, and there is %q", parts)
	}
}

func TestStoreRemovesWhatWasLeftUnfinished(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".abc.part", "abc-file", ".hidden"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	newStore(t, dir)
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if _, gone := os.Stat(filepath.Join(dir, ".abc.part")); err != nil || len(left) != 2 || gone == nil {
		t.Errorf("the unfinished file alone should be removed, and left are %q", left)
	}
}

func TestStoreSaysThatItCannotBeOpened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(file); err == nil {
		t.Error("a file was opened as the folder of the uploads, an error was expected")
	}
}
