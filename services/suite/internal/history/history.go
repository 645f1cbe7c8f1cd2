// Package history writes down what the clients of a running suite sent and what they were
// answered, one JSON object a line, so that a checker can hold the suite to it afterwards. A
// command is one entry, however often it had to be sent; one whose outcome nobody told stays
// open for ever.
package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Outcomes of a command, in the words of the retry taxonomy.
const (
	OK      = "ok"      // answered with success: its effect is certain
	Refused = "refused" // answered with a refusal that no retry changes
	Unknown = "unknown" // given up without an answer: it has had its effect, or not
)

// Entry is one command of one client.
type Entry struct {
	Client    int             `json:"client"`
	Tenant    string          `json:"tenant"`
	Principal string          `json:"principal"`
	Key       string          `json:"key"`    // idempotency key
	Method    string          `json:"method"` // full gRPC name, "/lockstep.…/SubmitOrder"
	Request   json.RawMessage `json:"request"`
	Call      time.Duration   `json:"call"`   // first sent, since the log was begun
	Return    time.Duration   `json:"return"` // answered; 0 for never
	Attempts  int             `json:"attempts"`
	Outcome   string          `json:"outcome"`
	Response  json.RawMessage `json:"response,omitempty"` // of success
	Status    int             `json:"status,omitempty"`   // HTTP status of a refusal, or of the last failure
	Code      string          `json:"code,omitempty"`     // its reason
	Detail    string          `json:"detail,omitempty"`
}

// Log is written by many clients at once.
type Log struct {
	mu    sync.Mutex
	w     *bufio.Writer
	file  io.Closer
	begun time.Time
}

// Create begins a log in a file.
func Create(path string) (*Log, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &Log{w: bufio.NewWriter(f), file: f, begun: time.Now()}, nil
}

// Since is the time of the log.
func (l *Log) Since() time.Duration { return time.Since(l.begun) }

// Add writes an entry.
func (l *Log) Add(e *Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.w.Write(append(line, '\n'))
	return err
}

// Close ends the log.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.w.Flush(), l.file.Close())
}

// Read returns the entries of a log.
func Read(path string) ([]*Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	var out []*Entry
	for d := json.NewDecoder(bufio.NewReader(f)); ; {
		e := new(Entry)
		switch err := d.Decode(e); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return out, fmt.Errorf("entry %d of %s: %w", len(out)+1, path, err)
		}
		out = append(out, e)
	}
}
