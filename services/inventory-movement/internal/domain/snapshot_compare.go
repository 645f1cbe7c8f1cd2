package domain

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// SnapshotResult is how a key compares.
type SnapshotResult string

// Results of a comparison.
const (
	Matched      SnapshotResult = "MATCHED"
	Lagging      SnapshotResult = "LAGGING"
	Mismatch     SnapshotResult = "MISMATCH"
	MissingLeft  SnapshotResult = "MISSING_LEFT"
	MissingRight SnapshotResult = "MISSING_RIGHT"
)

// SnapshotLag is what explains a difference that is LAGGING.
type SnapshotLag string

// Explanations of a lag.
const (
	MovedLater      SnapshotLag = "MOVED_LATER"
	PickNotReported SnapshotLag = "PICK_NOT_REPORTED"
)

// SnapshotReason is the reason code of the adjustments that are proposed.
const SnapshotReason = "SNAPSHOT"

// SnapshotDifference is a key that differs.
type SnapshotDifference struct {
	StockKey `bson:"k"`
	Place    Place            `bson:"p"` // as far as the file tells rows apart
	Line     int64            `bson:"n,omitempty"`
	Ledger   quantity.Decimal `bson:"l"`
	Snapshot quantity.Decimal `bson:"s"`
	Result   SnapshotResult   `bson:"r"`
	Lag      SnapshotLag      `bson:"g,omitempty"`
}

// Delta is by how much the snapshot has more.
func (d SnapshotDifference) Delta() quantity.Decimal { return d.Snapshot.Sub(d.Ledger) }

// Adjustable reports whether an adjustment would end the difference: goods on their way end it
// themselves, and only a bin can be adjusted.
func (d SnapshotDifference) Adjustable() bool {
	return d.Result != Lagging && d.Place.Location != "" && d.Place.Status != ""
}

// Grain is by what a file tells its rows apart, beside site, item and owner.
type Grain struct{ Location, Lot, Serial, Status bool }

// GrainOf is the grain of a file by its columns.
func GrainOf(columns []string) Grain {
	has := func(c string) bool { return slices.Contains(columns, c) }
	return Grain{has(columnLocation), has(columnLot), has(columnSerial), has(columnStatus)}
}

// of is a place as the grain sees it.
func (g Grain) of(p Place) Place {
	p.Expiry = "" // it follows from the lot
	if !g.Serial {
		p.Serial = ""
	}
	if !g.Location {
		p.Location = ""
	}
	if !g.Lot {
		p.Lot = ""
	}
	if !g.Status {
		p.Status = ""
	}
	return p
}

// counts reports whether what stands at a place of the ledger is compared. What is beyond the
// site is not in it, and of what is being packed no bin is known.
func (g Grain) counts(p Place) bool {
	return !p.outside() && p.Location != InTransit && (!g.Location || p.Location != Packing)
}

// LedgerStock is what the ledger has of a stock as of the moment of a snapshot.
type LedgerStock struct {
	Key   StockKey
	Rows  []Row
	Later []Moved // what moved after the moment, in the order of time
	Now   []Row   // as it is now
}

// Moved is what a later movement changes.
type Moved struct {
	At   time.Time
	Rows []Row
}

// compared is one key while it is compared.
type compared struct {
	ledger, snapshot, allocated quantity.Decimal
	line                        int64
	inLedger, inFile, bad       bool
}

// CompareStock compares the rows of a file with what the ledger has of one stock. The rows are
// all of this stock; key names it where the ledger does not know it.
func CompareStock(key StockKey, rows []SnapshotRow, l LedgerStock, g Grain) (counts SnapshotCounts, out []SnapshotDifference) {
	keys := map[Place]*compared{}
	at := func(p Place) *compared {
		p = g.of(p)
		if keys[p] == nil {
			keys[p] = &compared{}
		}
		return keys[p]
	}
	for _, r := range l.Rows {
		if g.counts(r.Place) && !r.OnHand.IsZero() {
			c := at(r.Place)
			c.ledger, c.inLedger = c.ledger.Add(r.OnHand), true
		}
	}
	for _, r := range rows {
		c := at(r.Place)
		if c.line == 0 || r.Line < c.line {
			c.line = r.Line
		}
		c.snapshot, c.inFile, c.bad = c.snapshot.Add(r.Quantity), c.inFile || r.Quantity.Sign() != 0, c.bad || r.Bad
	}
	for _, r := range l.Now {
		if c := keys[g.of(r.Place)]; c != nil && g.counts(r.Place) {
			c.allocated = c.allocated.Add(r.Allocated)
		}
	}
	for p, c := range keys {
		d := SnapshotDifference{StockKey: key, Place: p, Line: c.line, Ledger: c.ledger, Snapshot: c.snapshot}
		if counts.add(d.judge(c, p, l.Later, g)); d.Result != Matched && !c.bad {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b SnapshotDifference) int {
		return cmp.Or(strings.Compare(a.Place.Location, b.Place.Location), strings.Compare(a.Place.Lot, b.Place.Lot), strings.Compare(a.Place.Serial, b.Place.Serial), strings.Compare(string(a.Place.Status), string(b.Place.Status)))
	})
	return counts, out
}

// judge says how a key compares; "" if it cannot be.
func (d *SnapshotDifference) judge(c *compared, p Place, later []Moved, g Grain) SnapshotResult {
	switch {
	case c.bad:
		return ""
	case c.ledger == c.snapshot:
		d.Result = Matched
		return d.Result
	case !c.inLedger:
		d.Result = MissingLeft
	case !c.inFile:
		d.Result = MissingRight
	default:
		d.Result = Mismatch
	}
	if d.Lag = lag(c, p, later, g); d.Lag != "" {
		d.Result = Lagging
	}
	return d.Result
}

// lag looks for goods on their way that explain why a key differs.
func lag(c *compared, p Place, later []Moved, g Grain) SnapshotLag {
	sum := c.ledger
	for _, m := range later {
		touched := false
		for _, r := range m.Rows {
			if g.counts(r.Place) && g.of(r.Place) == p && !r.OnHand.IsZero() {
				sum, touched = sum.Add(r.OnHand), true
			}
		}
		if touched && sum == c.snapshot {
			return MovedLater
		}
	}
	if less := c.ledger.Sub(c.snapshot); less.Sign() > 0 && !c.allocated.Less(less) {
		return PickNotReported
	}
	return ""
}

func (c *SnapshotCounts) add(r SnapshotResult) {
	switch r {
	case Matched:
		c.Matched++
	case Lagging:
		c.Lagging++
	case Mismatch:
		c.Mismatch++
	case MissingLeft:
		c.MissingLeft++
	case MissingRight:
		c.MissingRight++
	default:
		c.Unreadable++
	}
}
