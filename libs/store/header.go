package store

import (
	"encoding/binary"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// ringSize is how many receipts of each kind a state remembers by itself: twice the
// largest batch, so that one commit can never turn a ring over.
const ringSize = 2 * maxCommands

// entry says where a receipt is: small, for it is part of every snapshot.
type entry struct {
	Hash    [16]byte
	Version uint64
	Index   uint32
	Time    int64 // derived: key time; client: recorded time, µs
}

type ring []entry

const entrySize = 16 + 8 + 4 + 8

func (r ring) find(h [16]byte) (entry, bool) {
	for i := len(r) - 1; i >= 0; i-- {
		if r[i].Hash == h {
			return r[i], true
		}
	}
	return entry{}, false
}

func (r ring) pack() []byte {
	out := make([]byte, 0, len(r)*entrySize)
	for _, e := range r {
		out = append(out, e.Hash[:]...)
		out = binary.LittleEndian.AppendUint64(out, e.Version)
		out = binary.LittleEndian.AppendUint32(out, e.Index)
		out = binary.LittleEndian.AppendUint64(out, uint64(e.Time))
	}
	return out
}

func unpackRing(data []byte) ring {
	r := make(ring, 0, len(data)/entrySize)
	for ; len(data) >= entrySize; data = data[entrySize:] {
		var e entry
		copy(e.Hash[:], data)
		e.Version = binary.LittleEndian.Uint64(data[16:])
		e.Index = binary.LittleEndian.Uint32(data[24:])
		e.Time = int64(binary.LittleEndian.Uint64(data[28:]))
		r = append(r, e)
	}
	return r
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
func (h *header) push(r *receiptDoc, version uint64, index int, at int64) {
	e := entry{Version: version, Index: uint32(index), Time: at}
	copy(e.Hash[:], r.Hash.Data)
	if r.Derived {
		e.Time = r.KeyTime
		h.derived, h.floor = h.derived.push(e, h.floor)
		return
	}
	h.client, h.evicted = h.client.push(e, h.evicted)
}

// push appends to a copy, for cached states share their rings.
func (r ring) push(e entry, mark int64) (ring, int64) {
	if len(r) < ringSize {
		return append(r[:len(r):len(r)], e), mark
	}
	out := make(ring, 0, ringSize+maxCommands)
	out = append(append(out, r[len(r)-ringSize+1:]...), e)
	return out, max(mark, r[0].Time)
}

// behind reports whether a receipt that is in no ring may still be in a commit.
func (h *header) behind(c Cause, now time.Time) bool {
	if c.Derived {
		return len(h.derived) >= ringSize && micros(c.KeyTime) <= h.floor
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

func (d *snapDoc) header() header {
	return header{
		version: uint64(d.Version), parent: d.Parent, prev: uint64(d.Prev), created: d.Created,
		updated: d.Updated, writer: d.Writer, client: unpackRing(d.Client), derived: unpackRing(d.Derived),
		floor: d.Floor, evicted: d.Evicted,
	}
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
