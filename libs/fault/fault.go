// Package fault is the closed set of ways a Lockstep call can fail.
//
// A fault has a Kind (which fixes the gRPC code, the HTTP status and whether a
// retry can help), a Reason (an upper-snake-case code, an enum value of the
// owning service's proto) and, for bad input, the fields it concerns. Anything
// that is not a *Error is internal: it is logged whole and leaves as a constant text.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"time"
)

// Kind classifies a failure. The table in the wire package maps it to gRPC and HTTP.
type Kind uint8

// The kinds. Refused and Conflict are deterministic business answers: on an
// existing aggregate they are recorded as a receipt, so a replay gets the same answer.
const (
	Internal        Kind = iota // a defect of ours; masked outside
	Invalid                     // the request breaks a field rule
	KeyReused                   // idempotency key seen with another body
	InProgress                  // the same key is being worked on
	Stale                       // If-Match names an older version
	Refused                     // a business rule forbids it in this state
	Conflict                    // the business key is taken
	NotFound                    // unknown, or another tenant's
	Denied                      // the caller may not do this
	Unauthenticated             // no valid credential
	Exhausted                   // a limit or queue is full; retry after a while
	Unavailable                 // a dependency failed or the outcome is unknown; the same key decides on retry
	TooLarge                    // the body is over the limit
	Deadline                    // not enough time was left
)

// Field is one offending field of a request.
type Field struct {
	Path        string // proto field path, e.g. "lines[2].quantity.value"
	Reason      string // upper-snake-case code
	Description string // one sentence for a person
}

// Error is a fault. It is immutable after construction; With and WithField return copies.
type Error struct {
	Kind       Kind
	Reason     string
	Message    string
	Metadata   map[string]string
	Fields     []Field
	RetryAfter time.Duration
	Replayed   bool // the answer of an earlier run under the same key
	cause      error
}

// New returns a fault with a formatted message for people.
func New(kind Kind, reason, format string, args ...any) *Error {
	return &Error{Kind: kind, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (e *Error) Error() string {
	s := e.Reason + ": " + e.Message
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// With returns a copy that carries one more piece of metadata.
func (e *Error) With(key, value string) *Error {
	c := *e
	c.Metadata = maps.Clone(e.Metadata)
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	c.Metadata[key] = value
	return &c
}

// WithField returns a copy that names one more offending field.
func (e *Error) WithField(path, reason, format string, args ...any) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), Field{path, reason, fmt.Sprintf(format, args...)})
	return &c
}

// After returns a copy that tells the caller when a retry makes sense.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Wrap returns a copy that keeps err as its cause, for logs only.
func (e *Error) Wrap(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// As returns the *Error in err's chain, if there is one.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// KindOf returns the kind of err; Internal when err is no fault. It must not be called with nil.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}

// IsKind reports whether err is a fault of one of the kinds.
func IsKind(err error, kinds ...Kind) bool {
	e, ok := As(err)
	if !ok {
		return false
	}
	for _, k := range kinds {
		if e.Kind == k {
			return true
		}
	}
	return false
}

// Recorded reports whether the answer is a deterministic business refusal that a receipt keeps.
func (e *Error) Recorded() bool { return e.Kind == Refused || e.Kind == Conflict }

// Transient reports whether trying the same thing again can succeed without anyone changing anything.
func Transient(err error) bool {
	switch KindOf(err) {
	case Unavailable, Exhausted, InProgress, Deadline, Internal:
		return true
	}
	return false
}
