package checker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// chain checks that the commits of an aggregate are its whole, unbroken history, and that no
// command is in it twice (I4).
func (c *checker) chain(service string, commits []*commit) {
	before := &commit{}
	var withFacts int64
	seen := map[string]string{} // receipt hash → its commit
	for _, d := range commits {
		bad := func(format string, args ...any) { c.report.add("I4", Aggregate, service+" "+d.ID, format, args...) }
		switch {
		case d.ID != fmt.Sprintf("%s/%010d", d.Agg, d.Version):
			bad("is version %d of %s", d.Version, d.Agg)
		case d.Version != before.Version+1:
			bad("follows version %d", before.Version)
		case d.Parent != before.hash:
			bad("names another predecessor than the one that is stored")
		}
		if d.Previous != withFacts {
			bad("says that version %d had the facts before it, it was %d", d.Previous, withFacts)
		}
		if len(d.Facts) > 0 {
			withFacts = d.Version
		}
		if len(d.Causes) != len(d.Receipts) {
			bad("has %d receipts and %d causes", len(d.Receipts), len(d.Causes))
		}
		for i, f := range d.Facts {
			if int(f.Receipt) >= len(d.Receipts) {
				bad("fact %d belongs to no receipt", i)
			}
		}
		for i, r := range d.Receipts {
			if i < len(d.Causes) && !bytes.Equal(d.Causes[i].Data, r.Hash.Data) || !bytes.Equal(r.Hash.Data, r.scope()) {
				bad("receipt %d is indexed as another's", i)
			}
			first, again := seen[string(r.Hash.Data)]
			switch {
			case again:
				c.report.Twice++
				bad("command %q was applied in %s before", r.Key, first)
			case r.Refusal == nil || !r.Derived: // a step may be refused and tried anew
				seen[string(r.Hash.Data)] = d.ID
			}
		}
		before = d
	}
}

// scope is the hash that a receipt is found by.
func (r receipt) scope() []byte {
	text := "c\x00" + r.Principal + "\x00" + r.Key
	if r.Derived {
		text = "d\x00" + r.Key
	}
	sum := sha256.Sum256([]byte(text))
	return sum[:16]
}

// others checks what a service keeps beside its commits: snapshots equal the last commits
// (I7), and nothing names another tenant's aggregates (I8).
func (c *checker) others(ctx context.Context, service string, last map[string]*commit) error {
	names, err := c.db(service).ListCollectionNames(ctx, bson.D{})
	if err != nil {
		return err
	}
	snapped := map[string]bool{}
	for _, name := range names {
		coll := c.db(service).Collection(name)
		switch {
		case strings.HasPrefix(name, "state_"):
			err = each(ctx, coll, bson.D{}, func(s *snapshot, raw bson.Raw) error {
				c.foreign(service, s.ID, raw)
				snapped[s.ID] = true
				c.snapshot(service, name, s, last[s.ID])
				return nil
			})
		case strings.HasPrefix(name, "rows_"):
			err = each(ctx, coll, bson.D{}, func(r *row, raw bson.Raw) error {
				c.foreign(service+" "+name, r.ID, raw)
				return nil
			})
		}
		if err != nil {
			return err
		}
	}
	for agg, d := range last {
		if !snapped[agg] {
			c.report.add("I7", Aggregate, service+" "+agg, "has no snapshot at version %d", d.Version)
		}
		if c.owed[service] == nil {
			c.owed[service] = map[string]int64{}
		}
		if c.owed[service][agg] = d.Previous; len(d.Facts) > 0 {
			c.owed[service][agg] = d.Version
		}
	}
	return nil
}

func (c *checker) snapshot(service, name string, s *snapshot, d *commit) {
	bad := func(format string, args ...any) { c.report.add("I7", Aggregate, service+" "+s.ID, format, args...) }
	if d == nil || name != "state_"+d.Type {
		bad("%s has a snapshot of what was never committed", name)
		return
	}
	facts := d.Previous
	if len(d.Facts) > 0 {
		facts = d.Version
	}
	switch {
	case s.Version != d.Version:
		bad("the snapshot is at version %d of %d", s.Version, d.Version)
	case s.Parent != d.hash:
		bad("the snapshot was made from another commit %d than the one that is stored", s.Version)
	case s.Previous != facts:
		bad("the snapshot says that version %d had the last facts, it was %d", s.Previous, facts)
	}
}

// identifier finds ids of aggregates in any bytes: a prefix of three or four letters, "_", 26
// of the base32 alphabet.
var identifier = regexp.MustCompile(`[a-z]{3,4}_[a-z2-7]{26}`)

// foreign reports ids of other tenants' aggregates in a document, whose id begins with its
// own tenant. What a service keeps under its own name ("_bus/…") is nobody's.
func (c *checker) foreign(place, id string, raw []byte) {
	tenant, _, _ := strings.Cut(id, "/")
	if strings.HasPrefix(tenant, "_") {
		return
	}
	for _, found := range identifier.FindAll(raw, -1) {
		for _, name := range []string{string(found), string(found[1:])} {
			if owner, known := c.tenants[name]; known && owner != tenant {
				c.report.add("I8", Whole, place+" "+id, "names %s, which is %s's", name, owner)
			}
		}
	}
}
