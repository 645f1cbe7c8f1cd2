package domain

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// ClaimKey names a claim: which attempt of which document has it, on what. Without a target it
// stands for every claim of the attempt that no fact says otherwise of.
type ClaimKey struct {
	Document string
	Attempt  int
	Target   string
}

// Prefix is what the keys of the document's claims begin with.
func (k ClaimKey) Prefix() string { return "clm:" + k.Document + ":" }

// String is the key as services write it.
func (k ClaimKey) String() string { return k.Prefix() + strconv.Itoa(k.Attempt) + ":" + k.Target }

// ParseClaim reads a key; false when it is none of a document's attempt.
func ParseClaim(key string) (ClaimKey, bool) {
	part := strings.Split(key, ":")
	if len(part) != 4 || part[0] != "clm" || part[1] == "" {
		return ClaimKey{}, false
	}
	attempt, err := strconv.Atoi(part[2])
	return ClaimKey{Document: part[1], Attempt: attempt, Target: part[3]}, err == nil && attempt > 0
}

// Effect is what a fact does to a claim, named as in the contract.
type Effect string

// The effects. Those of the document may come before or after those of the target.
const (
	Requested Effect = "REQUESTED"  // the document asks for it
	Made      Effect = "MADE"       // the target holds something for it
	Kept      Effect = "KEPT"       // the document was decided with it
	Refused   Effect = "REFUSED"    // decided without it: to be given back
	Closed    Effect = "CLOSED"     // the attempt or the document is over: to be given back
	Used      Effect = "USED"       // the target made something else of it
	GivenBack Effect = "GIVEN_BACK" // whether it held something or not
)

// Owing reports that the effect asks for another: a request for a decision, what is not wanted
// any more for its give-back.
func (e Effect) Owing() bool { return e == Requested || e == Refused || e == Closed }

// ClaimNote is what one fact says of one claim.
type ClaimNote struct {
	Key      ClaimKey
	Effect   Effect
	Quantity quantity.Quantity // zero when the fact says none
	Fact     Fact
}

// Claims are the claims of one document as its notes tell. Which were taken first does not show.
type Claims struct {
	decided map[int]bool // attempts
	of      map[ClaimKey]*claim
}

type claim struct {
	key       ClaimKey
	requested *Fact
	owed      *ClaimNote // the first fact for which it is to be given back
	made      *Fact      // the last one, while it stands
	held      quantity.Quantity
	closed    bool // given back, used up, or taken over by a later attempt: nothing is owed
	again     bool // made after it was given back
}

// Judge reads the notes of one document. What happened at a target is told apart by its
// versions, which no clock and no order of arrival can change.
func Judge(notes []ClaimNote) Claims {
	c := Claims{decided: map[int]bool{}, of: map[ClaimKey]*claim{}}
	notes = slices.Clone(notes)
	slices.SortStableFunc(notes, func(a, b ClaimNote) int {
		return cmp.Or(strings.Compare(a.Fact.Source.ID, b.Fact.Source.ID), cmp.Compare(a.Fact.Version, b.Fact.Version),
			cmp.Compare(a.Fact.Index, b.Fact.Index))
	})
	for _, n := range notes {
		switch n.Effect {
		case Kept, Refused, Closed:
			c.decided[n.Key.Attempt] = true
		}
		if n.Key.Target != "" {
			c.take(n)
		}
	}
	return c
}

func (c Claims) take(n ClaimNote) {
	at := c.of[n.Key]
	if at == nil {
		at = &claim{key: n.Key}
		c.of[n.Key] = at
	}
	switch n.Effect {
	case Requested:
		at.requested = &n.Fact
	case Refused, Closed:
		if at.owed == nil || n.Fact.Recorded.Before(at.owed.Fact.Recorded) {
			at.owed = &n
		}
	case Made:
		c.takeOver(n.Key)
		at.made, at.held, at.again = &n.Fact, n.Quantity, at.closed
	case Used:
		at.held.Value = at.held.Value.Sub(n.Quantity.Value)
		if at.made != nil && at.held.Value.Sign() <= 0 {
			at.made, at.closed = nil, true
		}
	case GivenBack:
		at.made, at.closed = nil, true
	}
}

// takeOver ends the earlier attempts' claims of an invoice: a freight keeps a charge once for
// an invoice, and the attempt that claims it last has it.
func (c Claims) takeOver(k ClaimKey) {
	if OfAggregate(k.Document).Type != FreightInvoice {
		return
	}
	for other, at := range c.of {
		if other.Target == k.Target && other.Attempt < k.Attempt {
			at.made, at.closed = nil, true
		}
	}
}

// Owes reports whether what a fact asked for has not come yet. A fact that says that a claim
// was made asks for something only when the claim had been given back before.
func (c Claims) Owes(n ClaimNote) bool {
	at := c.of[n.Key]
	switch {
	case at == nil:
		return false
	case n.Effect == Requested:
		return !c.decided[n.Key.Attempt]
	case n.Effect == Refused || n.Effect == Closed:
		return !at.closed
	}
	return n.Effect == Made && at.again && at.made != nil && at.made.ID == n.Fact.ID
}

// HangingClaim is a claim that stands although it should not.
type HangingClaim struct {
	Key      ClaimKey
	Target   Aggregate
	Document Aggregate // zero while none of its facts has arrived
	Held     quantity.Quantity
	Made     time.Time
	Since    time.Time
	EventID  string // of the fact whose consequence is missing
	Effect   Effect // Requested: undecided; Refused: decided without it; Closed: over
}

// Hanging returns the claims that hang, the longest first.
func (c Claims) Hanging() []HangingClaim {
	var out []HangingClaim
	for k, at := range c.of {
		if at.made == nil {
			continue
		}
		h := HangingClaim{Key: k, Target: at.made.Source, Held: at.held, Made: at.made.Recorded, Effect: Closed}
		switch {
		case at.owed != nil:
			h.Effect, h.Document, h.Since, h.EventID = at.owed.Effect, at.owed.Fact.Source, at.owed.Fact.Recorded, at.owed.Fact.EventID
		case !c.decided[k.Attempt] && at.requested != nil:
			h.Effect, h.Document, h.Since, h.EventID = Requested, at.requested.Source, at.requested.Recorded, at.requested.EventID
		case !at.again:
			continue // by right, or its document has not arrived
		}
		if at.again {
			h.Since, h.EventID = at.made.Recorded, cmp.Or(h.EventID, at.made.EventID)
		}
		out = append(out, h)
	}
	slices.SortFunc(out, CompareHanging)
	return out
}

// CompareHanging orders claims by how long they hang.
func CompareHanging(a, b HangingClaim) int {
	return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Key.String(), b.Key.String()))
}
