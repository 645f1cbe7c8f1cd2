// Package app holds the use cases of integration: take a document, read it through, hand
// its records over portion by portion, and tell what became of it.
package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/memory"
)

// Prefix of the ids of documents.
const Prefix = "doc"

// Indexes of the lists.
const (
	IndexState   = "state"
	IndexType    = "type"
	IndexMessage = "message"
)

// App is the use cases with what they work on.
type App struct {
	Documents store.Aggregates[domain.Document, domain.Fact]
	Contents  Contents
	Report    Report
	Owners    Owners
	Apart     *memory.Recent[*document.Apart] // by document, for its next portions
	// Portions of documents that are received from now on.
	PortionRecords int
	PortionBytes   int64
	Portions       int // of one document that are handed over at a time, where no record looks at another
}

// Contents keeps the bytes of documents by their hash.
type Contents interface {
	// Put keeps content; it is durable on return. What is kept already is not written again.
	Put(ctx context.Context, tenant, sha string, content []byte) error
	// Lend lends content of a size to use, which must not keep it; an error when it is not
	// there whole. Whoever comes waits until there is memory for it.
	Lend(ctx context.Context, tenant, sha string, size int64, use func(content []byte)) error
}

// Report keeps the errors of documents by portion; portion 0 is the document itself.
type Report interface {
	// Write replaces the errors of a portion; durable on return.
	Write(ctx context.Context, tenant, id string, portion int, errors []document.Error) error
	// Page returns up to limit errors from a place on, of portions up to one, and where the
	// next ones begin; nil when there are none.
	Page(ctx context.Context, tenant, id string, from Cursor, upTo, limit int) ([]document.Error, *Cursor, error)
}

// Cursor is a place in a report: the error of an index, from 0, of a portion.
type Cursor struct{ Portion, Index int }

// Owners are the services that take records.
type Owners interface {
	// Hand gives records to the service that owns their type, each under a key that derives
	// from the document and the record's number, and returns the errors of each record in
	// order, none for one that was taken. An error says that the outcome of some is unknown:
	// handing over the same records again is a no-op for those that were taken.
	Hand(ctx context.Context, d domain.Document, records []document.Record) ([][]document.Error, error)
}

func spec(h domain.Header) document.Spec {
	return document.Spec{Type: h.Type, Format: h.Format, System: h.Source.System}
}

func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
