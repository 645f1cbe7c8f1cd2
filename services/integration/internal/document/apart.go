package document

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// Apart knows the records of a CSV document whose rows do not stand together: none of their
// parts is the whole of them, so that none may be handed over. It is found by reading all of the
// document, and takes 16 bytes a record, or row that cannot be read, while it is; what is kept
// is what stands apart.
type Apart struct {
	seed maphash.Seed
	met  []met // by key and record; two or more of a key
}

// met says that a record has a key, or a row that seems to have it. Keys are told apart by 64
// bits under a seed that nobody can know, so nobody can make two that are taken for one.
type met struct {
	key          uint64
	record, line uint32 // a document has fewer of both than bytes, and no 4 GiB
}

// FindApart reads a document for the records whose rows stand apart.
func FindApart(spec Spec, data []byte) *Apart {
	a := &Apart{seed: maphash.MakeSeed()}
	if spec.Format != "CSV" || !schemas[spec.Type].grouped {
		return a // one value, or one row, is one record
	}
	n := 0
	a.each(spec, data, func(met) { n++ })
	all := make([]met, 0, n)
	a.each(spec, data, func(m met) { all = append(all, m) })
	slices.SortFunc(all, func(x, y met) int {
		return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.record, y.record), cmp.Compare(x.line, y.line))
	})
	apart := all[:0]
	for rest := all; len(rest) > 0; {
		same := 1
		for same < len(rest) && rest[same].key == rest[0].key {
			same++
		}
		if rest[same-1].record != rest[0].record {
			apart = append(apart, rest[:same]...)
		}
		rest = rest[same:]
	}
	a.met = append(make([]met, 0, len(apart)), apart...)
	return a
}

// each yields every record with its key, and every row that cannot be read with the key that
// it seems to have.
func (a *Apart) each(spec Spec, data []byte, yield func(met)) {
	r, errs := openCSV(spec, data, domain.Place{}, true)
	if len(errs) > 0 {
		return
	}
	r.misread = func(bad row) {
		if key := r.guess(bad); key != nil {
			yield(met{a.hash(key), uint32(r.records), uint32(bad.line)}) //nolint:gosec // see met
		}
	}
	for {
		record, ok := r.Next()
		if !ok {
			return
		}
		if record.key != nil {
			yield(met{a.hash(record.key), uint32(record.Number), uint32(record.Line)}) //nolint:gosec // see met
		}
	}
}

func (a *Apart) hash(key []string) uint64 {
	var h maphash.Hash
	h.SetSeed(a.seed)
	for _, part := range key {
		_, _ = h.WriteString(part) // never fails
		_ = h.WriteByte(0xff)      // no UTF-8 has it
	}
	return h.Sum64()
}

// guess returns the key that a row which cannot be read seems to have: what stands in its
// columns when quotes mean nothing; nil when they are not all there.
func (r *csvReader) guess(bad row) []string {
	line, _, _ := bytes.Cut(r.table.data[bad.start:bad.end], []byte{'\n'})
	fields := strings.Split(string(line), string(r.table.sep))
	key := make([]string, len(r.schema.key))
	for i, c := range r.header {
		if at := slices.Index(r.schema.key, c.name); at >= 0 && i < len(fields) {
			key[at] = strings.Trim(fields[i], "\" \t\r")
		}
	}
	if slices.Contains(key, "") {
		return nil
	}
	return key
}

// Size is the bytes that it takes.
func (a *Apart) Size() int64 { return apartSelf + apartEach*int64(cap(a.met)) }

// Bytes of Apart itself, with its place in a cache, and of one met.
const apartSelf, apartEach = 256, 16

// named bounds the lines that an error names.
const named = 5

// Judge makes a record invalid that is a part of one whose rows stand apart.
func (a *Apart) Judge(r *Record) {
	if len(a.met) == 0 || r.key == nil {
		return
	}
	key := a.hash(r.key)
	at, _ := slices.BinarySearchFunc(a.met, key, func(m met, key uint64) int { return cmp.Compare(m.key, key) })
	var lines []string
	more := 0
	for ; at < len(a.met) && a.met[at].key == key; at++ {
		switch {
		case int64(a.met[at].record) == r.Number, at > 0 && a.met[at-1].key == key && a.met[at-1].record == a.met[at].record:
		case len(lines) < named:
			lines = append(lines, fmt.Sprint(a.met[at].line))
		default:
			more++
		}
	}
	if len(lines) == 0 {
		return
	}
	also := strings.Join(lines, ", ")
	if more > 0 {
		also += fmt.Sprintf(" and %d more", more)
	}
	e := Error{
		Line: r.Line, Record: r.Number, Key: r.Key, Reason: "ROWS_APART",
		Message: fmt.Sprintf("the rows of %s must stand together: some are at line %d, others at line %s", r.Key, r.Line, also),
	}
	r.Message, r.Errors = nil, slices.Insert(r.Errors, 0, e)
	r.Errors = r.Errors[:min(len(r.Errors), maxErrors)]
}
