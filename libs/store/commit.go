package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
)

// writerVersion is what this binary writes. A document that asks for more is left alone.
const writerVersion = 1

// commitDoc is one commit as it is stored, the same bytes in both engines. It never changes.
type commitDoc struct {
	ID       string        `bson:"_id"` // tenant/aggregate/version, ten digits
	Type     string        `bson:"t"`   // aggregate type
	Agg      string        `bson:"a"`   // tenant/aggregate
	Version  int64         `bson:"v"`
	Parent   int64         `bson:"p"`  // 8 bytes of the SHA-256 of the predecessor's bytes; 0 at version 1
	Prev     int64         `bson:"pv"` // last version before this one that had facts
	At       int64         `bson:"at"` // recorded time, µs
	Writer   int32         `bson:"w"`  // oldest writer version that may append to it
	Causes   []bson.Binary `bson:"c"`  // key hashes of the receipts
	Facts    []factDoc     `bson:"f,omitempty"`
	Receipts []*receiptDoc `bson:"r"`
	Base     []byte        `bson:"b,omitempty"` // the packed state every baseEvery versions
}

// baseEvery is how often a commit carries the packed state, so that a rebuild starts near the end.
const baseEvery = 512

type factDoc struct {
	Type    string `bson:"t"` // proto full name
	Data    []byte `bson:"d"`
	Receipt int32  `bson:"r,omitempty"` // index of the receipt of the command that made it
}

// receiptDoc is what a command left behind: its cause and its answer.
type receiptDoc struct {
	Hash        bson.Binary     `bson:"h"`
	Key         string          `bson:"k"`
	Derived     bool            `bson:"d,omitempty"`
	KeyTime     int64           `bson:"kt,omitempty"`
	Fingerprint []byte          `bson:"fp,omitempty"`
	Principal   string          `bson:"pr,omitempty"`
	Correlation string          `bson:"co,omitempty"`
	Causation   string          `bson:"ca,omitempty"`
	Source      ident.SourceRef `bson:"so,omitempty"`
	TraceParent string          `bson:"tp,omitempty"`
	Answer      *Receipt        `bson:"an,omitempty"`
	Refusal     *refusalDoc     `bson:"re,omitempty"`
}

type refusalDoc struct {
	Kind     uint8             `bson:"k"`
	Reason   string            `bson:"r"`
	Message  string            `bson:"m"`
	Metadata map[string]string `bson:"x,omitempty"`
	Fields   []fault.Field     `bson:"f,omitempty"`
}

func refusalOf(e *fault.Error) *refusalDoc {
	return &refusalDoc{Kind: uint8(e.Kind), Reason: e.Reason, Message: e.Message, Metadata: e.Metadata, Fields: e.Fields}
}

func (r *refusalDoc) fault() *fault.Error {
	return &fault.Error{Kind: fault.Kind(r.Kind), Reason: r.Reason, Message: r.Message, Metadata: r.Metadata, Fields: r.Fields}
}

func (r receiptDoc) cause(tenant string) Cause {
	c := Cause{
		Tenant: tenant, Principal: r.Principal, Key: r.Key, Derived: r.Derived, Correlation: r.Correlation,
		Causation: r.Causation, Source: r.Source, TraceParent: r.TraceParent,
	}
	if r.Derived {
		c.KeyTime = fromMicros(r.KeyTime)
	}
	return c
}

// scope is the 16-byte hash that a receipt is found by: client keys belong to their
// principal, derived keys to nobody.
func (c Cause) scope() (h [16]byte) {
	sum := sha256.New()
	if c.Derived {
		sum.Write([]byte("d\x00"))
	} else {
		sum.Write([]byte("c\x00" + c.Principal + "\x00"))
	}
	sum.Write([]byte(c.Key))
	copy(h[:], sum.Sum(nil))
	return h
}

func binary16(h [16]byte) bson.Binary { return bson.Binary{Data: h[:]} }

// aggKey names an aggregate in every engine: tenant/id.
func aggKey(tenant, id string) string { return tenant + "/" + id }

// maxName bounds a tenant and an aggregate's id in bytes.
const maxName = 200

// validName reports whether a tenant or id can be part of a key: a slash in it would let one
// aggregate's commits be taken for another's.
func validName(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool { return r == '/' || r < ' ' || r == 0x7f })
}

func splitKey(agg string) (tenant, id string) {
	tenant, id, _ = strings.Cut(agg, "/")
	return tenant, id
}

// commitID names a commit; ten digits keep the order of bytes the order of versions.
func commitID(agg string, version uint64) string { return fmt.Sprintf("%s/%010d", agg, version) }

// chain is the hash by which the next commit names this one.
func chain(doc []byte) int64 {
	sum := sha256.Sum256(doc)
	return int64(binary.LittleEndian.Uint64(sum[:8]))
}

// raw renders a stored commit as Tail yields it.
func (d *commitDoc) raw(pos Position) RawCommit {
	tenant, id := splitKey(d.Agg)
	rc := RawCommit{
		Position: pos, AggregateType: d.Type, Tenant: tenant, ID: id,
		Version: uint64(d.Version), Previous: uint64(d.Prev), Recorded: fromMicros(d.At),
	}
	if len(d.Receipts) > 0 {
		rc.Cause = d.Receipts[0].cause(tenant)
	}
	for _, f := range d.Facts {
		rc.Facts = append(rc.Facts, RawFact{Type: f.Type, Data: f.Data, Cause: d.causeOf(f, tenant)})
	}
	return rc
}

func (d *commitDoc) causeOf(f factDoc, tenant string) Cause {
	if int(f.Receipt) < len(d.Receipts) {
		return d.Receipts[f.Receipt].cause(tenant)
	}
	return Cause{Tenant: tenant}
}

func readCommit(doc []byte) (*commitDoc, error) {
	d := new(commitDoc)
	if err := unmarshal(doc, d); err != nil {
		return nil, fmt.Errorf("%w: commit cannot be read: %w", errUnreadable, err)
	}
	return d, nil
}

// retention is how long a client's receipt is found again.
const retention = 72 * time.Hour
