package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// ringSize is how many receipts of each kind a state remembers by itself: twice the
// largest batch, so that one commit can never turn a ring over.
const ringSize = 2 * maxCommands

// entry says where a receipt may be: small, for it is part of every snapshot. Half a hash
// is enough to know absence by; presence shows in the commit.
type entry struct {
	Hash    [8]byte // the first half
	Version uint64
	Time    int64 // derived: key time; client: recorded time; ms, rounded up
}

type ring []entry

// find returns the versions that may have a receipt, the newest first.
func (r ring) find(h [16]byte) (versions []uint64) {
	for i := len(r) - 1; i >= 0; i-- {
		if r[i].Hash == [8]byte(h[:8]) {
			versions = append(versions, r[i].Version)
		}
	}
	return versions
}

// entrySize is what most entries take packed.
const entrySize = 8 + 1 + 4

// pack writes versions and times as differences, most of which are small.
func (r ring) pack() []byte {
	out := make([]byte, 0, len(r)*entrySize)
	var last entry
	for _, e := range r {
		out = append(out, e.Hash[:]...)
		out = binary.AppendUvarint(out, e.Version-last.Version)
		out = binary.AppendVarint(out, e.Time-last.Time)
		last = e
	}
	return out
}

// unpackRing is the inverse of pack.
func unpackRing(data []byte) (ring, error) {
	r := make(ring, 0, len(data)/entrySize)
	var e entry
	for len(data) > 0 {
		hash := copy(e.Hash[:], data)
		version, v := binary.Uvarint(data[hash:])
		if hash < len(e.Hash) || v <= 0 {
			return nil, fmt.Errorf("%w: its receipts are cut", errUnreadable)
		}
		at, t := binary.Varint(data[hash+v:])
		if t <= 0 {
			return nil, fmt.Errorf("%w: its receipts are cut", errUnreadable)
		}
		e.Version, e.Time = e.Version+version, e.Time+at
		r, data = append(r, e), data[hash+v+t:]
	}
	return r, nil
}

// header is what the store knows of an aggregate beside its state.
type header struct {
	version uint64
	parent  int64  // hash of the commit of version
	prev    uint64 // last version that had facts
	created int64
	updated int64
	writer  int32
	client  ring
	derived ring
	floor   int64 // greatest key time among derived receipts that left the ring
	evicted int64 // recorded time of the newest client receipt that left the ring
}

// push remembers a receipt; what leaves a ring raises the mark that says when to look behind it.
func (h *header) push(r *receiptDoc, version uint64, at int64) {
	e := entry{Version: version, Time: ceilMillis(at)}
	copy(e.Hash[:], r.Hash.Data)
	if r.Derived {
		e.Time = ceilMillis(r.KeyTime)
		h.derived, h.floor = h.derived.push(e, h.floor)
		return
	}
	h.client, h.evicted = h.client.push(e, h.evicted)
}

// ceilMillis rounds microseconds up: a mark that is too late only looks behind a ring once more.
func ceilMillis(micros int64) int64 {
	ms := micros / 1000 // towards zero
	if micros%1000 > 0 {
		ms++
	}
	return ms
}

// push appends to a copy, for cached states share their rings.
func (r ring) push(e entry, mark int64) (ring, int64) {
	if len(r) < ringSize {
		return append(r[:len(r):len(r)], e), mark
	}
	out := make(ring, 0, ringSize+maxCommands)
	out = append(append(out, r[len(r)-ringSize+1:]...), e)
	return out, max(mark, r[0].Time*1000)
}

// behind reports whether a receipt that is in no ring may still be in a commit.
func (h *header) behind(c Cause, now time.Time) bool {
	if c.Derived {
		return len(h.derived) >= ringSize && h.below(c.KeyTime)
	}
	return h.evicted != 0 && h.evicted > micros(now.Add(-retention))
}

// snapDoc is a snapshot as it is stored.
type snapDoc struct {
	ID      string              `bson:"_id"` // tenant/aggregate
	Tenant  string              `bson:"t"`
	Version int64               `bson:"v"`
	Fold    int32               `bson:"fo"`
	Writer  int32               `bson:"w"`
	Parent  int64               `bson:"p"`
	Prev    int64               `bson:"pv"`
	Created int64               `bson:"c"`
	Updated int64               `bson:"u"`
	Client  []byte              `bson:"rc,omitempty"`
	Derived []byte              `bson:"rd,omitempty"`
	Floor   int64               `bson:"fl,omitempty"`
	Evicted int64               `bson:"ev,omitempty"`
	State   bson.Raw            `bson:"s"`
	Keys    map[string][]string `bson:"x,omitempty"` // index name → keys
}

func (d *snapDoc) header() (header, error) {
	client, err := unpackRing(d.Client)
	if err != nil {
		return header{}, err
	}
	derived, err := unpackRing(d.Derived)
	return header{
		version: uint64(d.Version), parent: d.Parent, prev: uint64(d.Prev), created: d.Created,
		updated: d.Updated, writer: d.Writer, client: client, derived: derived,
		floor: d.Floor, evicted: d.Evicted,
	}, err
}

// snap renders an aggregate as its snapshot.
func (h *header) snap(agg string, fold int, state []byte, keys map[string][]string) *snapDoc {
	tenant, _ := splitKey(agg)
	return &snapDoc{
		ID: agg, Tenant: tenant, Version: int64(h.version), Fold: int32(fold), Writer: max(h.writer, writerVersion),
		Parent: h.parent, Prev: int64(h.prev), Created: h.created, Updated: h.updated,
		Client: h.client.pack(), Derived: h.derived.pack(), Floor: h.floor, Evicted: h.evicted, State: state, Keys: keys,
	}
}
