package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"strings"
	"time"
)

// A store is the folder of the uploads. A file is ".<id>.part" until it is whole, and
// "<id>-<name>" then: the id is random, so no client chooses a name that is taken or that it
// knows. All paths are resolved within the folder. Its methods block, and may be called on
// any goroutine.
type store struct{ root *os.Root }

const (
	partPrefix, partSuffix = ".", ".part"
	idLength               = 16 // of 32 letters and digits: 80 bits
	mostListed             = 200
)

// openStore opens the folder, which it makes if need be, and removes what an earlier
// program has left unfinished there.
func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	s := &store{root}
	entries, err := s.entries()
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	for _, entry := range entries {
		if isPart(entry.Name()) {
			err = errors.Join(err, root.Remove(entry.Name()))
		}
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return s, nil
}

func (s *store) Close() error { return s.root.Close() }

func (s *store) entries() ([]os.DirEntry, error) {
	folder, err := s.root.Open(".")
	if err != nil {
		return nil, err
	}
	entries, err := folder.ReadDir(-1)
	return entries, errors.Join(err, folder.Close())
}

func isPart(name string) bool {
	return strings.HasPrefix(name, partPrefix) && strings.HasSuffix(name, partSuffix)
}

// An upload is a file in the folder, as /uploads shows it.
type upload struct {
	Name string    `json:"name"`
	Size int64     `json:"size"`
	Time time.Time `json:"time"`
}

// list returns the newest files.
func (s *store) list() ([]upload, error) {
	entries, err := s.entries()
	if err != nil {
		return nil, err
	}
	uploads := []upload{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || isPart(entry.Name()) {
			continue // removed or made final meanwhile, or none of ours
		}
		uploads = append(uploads, upload{entry.Name(), info.Size(), info.ModTime()})
	}
	slices.SortFunc(uploads, func(a, b upload) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.Name, b.Name))
	})
	return uploads[:min(len(uploads), mostListed)], nil
}

// An arriving is a file that is being written.
type arriving struct {
	store     *store
	file      *os.File
	part      string // its name while it is written
	finalName string
	finished  time.Time // when it was whole
}

var errUnwanted = errors.New("nobody has written to the file")

// create makes a file, which will be called after name.
func (s *store) create(name string) (*arriving, error) {
	id := strings.ToLower(rand.Text()[:idLength])
	part := partPrefix + id + partSuffix
	file, err := s.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &arriving{store: s, file: file, part: part, finalName: id + "-" + name}, nil
}

func (a *arriving) Write(p []byte) (int, error) { return a.file.Write(p) }

// CloseWithError gives the file its name, or removes it when it is not whole.
func (a *arriving) CloseWithError(cause error) error {
	err := errors.Join(cause, a.file.Close())
	if err == nil {
		a.finished = time.Now()
		err = a.store.root.Rename(a.part, a.finalName)
	}
	if err != nil {
		return errors.Join(err, a.store.root.Remove(a.part))
	}
	return nil
}

// Close removes a file that nobody has come to write.
func (a *arriving) Close() error { return a.CloseWithError(errUnwanted) }
