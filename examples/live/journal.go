package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
)

// The file of the board: one JSON object a line, the oldest first. Its rules:
//
//   - A line is appended with one write. If that is cut, by an error or by the end of the
//     process, the next line begins on a line of its own: a broken line costs only itself.
//   - A reader leaves out lines that it does not understand, and says so in the log.
//   - The file grows while the program runs, and is cut to what is kept when it starts.
//   - Nothing is synced: the file survives the end of the process, not that of the machine.

// A message is one line of the file.
type message struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// A journal appends to the file. It is used by one goroutine at a time.
type journal struct {
	file *os.File
	torn bool // the last line has no end
}

// compactAt is the number of lines with which a file is too long.
const compactAt = 2 * messagesKept

// openJournal opens the file, which is made if there is none, and returns the last
// messages in it.
func openJournal(path string) (*journal, []message, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("the file of the board cannot be opened: %w", err)
	}
	j := &journal{file: file}
	messages, lines, err := j.read(path)
	if err == nil && lines > compactAt {
		err = j.compact(path, messages)
	}
	if err != nil {
		_ = j.file.Close()
		return nil, nil, fmt.Errorf("the file of the board cannot be read: %w", err)
	}
	return j, messages, nil
}

// read returns the last messages and the number of lines of the file.
func (j *journal) read(path string) (messages []message, lines int, err error) {
	in := bufio.NewReader(j.file)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return nil, 0, err
		}
		if len(line) == 0 {
			return messages[max(0, len(messages)-messagesKept):], lines, nil
		}
		lines++
		j.torn = err == io.EOF
		if string(line) == "\n" {
			continue // left by a write of which nothing arrived
		}
		var m message
		if err := json.Unmarshal(line, &m); err != nil {
			slog.Warn("a line of the board's file is left out", "file", path, "line", lines, "cut", j.torn, "error", err)
			continue
		}
		if len(messages) == 2*messagesKept {
			messages = append(messages[:0], messages[messagesKept:]...)
		}
		messages = append(messages, m)
	}
}

// compact replaces the file by one that has only these messages. The old one stays until
// the new one is whole.
func (j *journal) compact(path string, messages []message) error {
	short, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(short)
	encoder := json.NewEncoder(out)
	for _, m := range messages {
		if err = encoder.Encode(m); err != nil {
			break
		}
	}
	if err = errors.Join(err, out.Flush(), short.Chmod(0o644), short.Close()); err == nil {
		err = os.Rename(short.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(short.Name()))
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	old := j.file
	j.file, j.torn = file, false
	return old.Close()
}

// append writes a message. After an error the message may be in the file or not.
func (j *journal) append(m message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if j.torn {
		line = append([]byte{'\n'}, line...)
	}
	if _, err := j.file.Write(line); err != nil {
		j.torn = true
		return fmt.Errorf("a message could not be written to the file of the board: %w", err)
	}
	j.torn = false
	return nil
}

// Close closes the file.
func (j *journal) Close() error { return j.file.Close() }
