package adapter

import (
	"context"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
)

// knownNumbers is how many numbers a process remembers to have stored, so that a fact which
// names them again costs one row and not several.
const knownNumbers = 1 << 16

// Recorder keeps the facts of all services as rows.
type Recorder struct {
	rows  *combiner
	known *lru.Cache[number, struct{}]
	quiet *lru.Cache[document, struct{}]
}

// document is one whose request for claims this process stored, and no give-back since.
type document struct{ tenant, id string }

// quietDocuments is how many documents a process remembers as quiet; of others it reads the
// claims once more than needed.
const quietDocuments = 1 << 15

type number struct {
	tenant string
	key    domain.Key
}

// NewRecorder returns a recorder that writes to the database's table.
func NewRecorder(db *store.DB) *Recorder {
	known, err := lru.New[number, struct{}](knownNumbers)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	quiet, err := lru.New[document, struct{}](quietDocuments)
	if err != nil {
		panic(err) // as above
	}
	return &Recorder{rows: &combiner{rows: db.Table(table, index)}, known: known, quiet: quiet}
}

// together is how many facts of one aggregate go into one write: rows do not depend on the
// order in which they come, and an item that every order takes has many facts a second.
const together = 64

// Consumers are the recorders of each source. Their names carry the fold, so that a new one
// begins at the first fact.
func (r *Recorder) Consumers() []bus.Consumer {
	var out []bus.Consumer
	for _, source := range Sources {
		out = append(out, bus.Consumer{
			Name: fmt.Sprintf("trace-%d-%s", Fold, source), Kind: bus.Recorder, From: source, Handle: r.Record, Opaque: true, Together: together,
		})
	}
	return out
}

// Record stores one fact, and the numbers that it is the first to name, in one write. A fact
// that cannot be read is kept as what its envelope says; one of an unknown type besides as a
// whole, until a release knows it.
func (r *Recorder) Record(ctx context.Context, f bus.Fact) error {
	e, numbers, err := entryOf(f)
	if err != nil {
		return err
	}
	var rows []store.Row
	if !knows(f.Type) {
		row, err := unread(f)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	for k, row := range numbers {
		if !r.known.Contains(number{f.Tenant, k}) {
			rows = append(rows, row)
		}
	}
	claims := number{tenant: f.Tenant} // no number: that the tenant has claims
	if e.owing && !r.known.Contains(claims) {
		rows = append(rows, tenantRow(f.Tenant))
	}
	if err := r.rows.put(ctx, e, rows); err != nil {
		return err
	}
	for k := range numbers {
		r.known.Add(number{f.Tenant, k}, struct{}{})
	}
	if e.owing {
		r.known.Add(claims, struct{}{})
	}
	return r.markMadeAgain(ctx, e)
}
