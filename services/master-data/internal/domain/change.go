package domain

import (
	"reflect"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// ChangeState is where a proposed change stands.
type ChangeState string

// The states.
const (
	Proposed ChangeState = "PROPOSED"
	Approved ChangeState = "APPROVED"
	Rejected ChangeState = "REJECTED"
	Applied  ChangeState = "APPLIED"
	Failed   ChangeState = "FAILED"
)

// Change is a proposed change of one record: what it shall be, from when, and who decided.
type Change struct {
	Code      string      `bson:"k"`
	State     ChangeState `bson:"s"`
	Item      *Item       `bson:"i,omitempty"`
	Party     *Party      `bson:"p,omitempty"`
	Location  *Location   `bson:"l,omitempty"`
	Carrier   *Carrier    `bson:"c,omitempty"`
	Effective time.Time   `bson:"e,omitempty"` // zero: as soon as it is approved
	Note      string      `bson:"n,omitempty"`
	Proposer  string      `bson:"w"`
	Proposed  time.Time   `bson:"t"`
	Decider   string      `bson:"d,omitempty"`
	Decided   time.Time   `bson:"u,omitempty"`
	Applied   time.Time   `bson:"a,omitempty"`
	Reason    string      `bson:"r,omitempty"`
}

// Key implements Value.
func (c Change) Key() string { return c.Code }

// Check implements Value: what is proposed is well formed.
func (c Change) Check() error {
	switch {
	case c.Item != nil:
		return c.Item.Check()
	case c.Party != nil:
		return c.Party.Check()
	case c.Location != nil:
		return c.Location.Check()
	case c.Carrier != nil:
		return c.Carrier.Check()
	}
	return fault.New(fault.Invalid, "REQUIRED", "a change is of a record").WithField("item", "REQUIRED", "or another record")
}

// Propose returns the change as it is proposed now. The same once more is the one that is
// there; another under its code is refused.
func (c Change) Propose(current Record[Change], by string, now time.Time) (Change, error) {
	c.State, c.Proposer, c.Proposed = Proposed, by, now
	if current.State == Absent {
		return c, nil
	}
	old := current.Value
	same := old
	same.State, same.Proposer, same.Proposed = c.State, c.Proposer, c.Proposed
	if old.State == Proposed && old.Proposer == by && reflect.DeepEqual(same, c) {
		return old, nil
	}
	return c, fault.New(fault.Conflict, "CHANGE_TAKEN", "%s is a change that is %s", c.Code, old.State).WithField("code", "CHANGE_TAKEN", "is a change that is %s", old.State)
}

// Approve returns the change approved by somebody else than who proposed it.
func (c Change) Approve(by string, now time.Time) (Change, error) {
	switch {
	case c.Code == "":
		return c, noChange()
	case c.State == Approved && c.Decider == by:
		return c, nil
	case c.State != Proposed:
		return c, fault.New(fault.Refused, "CHANGE_DECIDED", "the change is %s", c.State).With("from", string(c.State)).With("to", string(Approved))
	case c.Proposer == by:
		return c, fault.New(fault.Refused, "SAME_PERSON", "who proposed a change does not approve it")
	}
	c.State, c.Decider, c.Decided = Approved, by, now
	return c, nil
}

// Reject returns the change rejected; one that is approved may be, until it takes effect.
func (c Change) Reject(by, reason string, now time.Time) (Change, error) {
	switch {
	case c.Code == "":
		return c, noChange()
	case c.State == Rejected:
		return c, nil
	case c.State != Proposed && c.State != Approved:
		return c, fault.New(fault.Refused, "CHANGE_DECIDED", "the change is %s", c.State).With("from", string(c.State)).With("to", string(Rejected))
	}
	c.State, c.Decider, c.Decided, c.Reason = Rejected, by, now, reason
	return c, nil
}

func noChange() error {
	return fault.New(fault.NotFound, "NOT_FOUND", "there is no change under this code")
}

// Due is when an approved change takes effect; false for one that does not.
func (c Change) Due() (time.Time, bool) {
	if c.State != Approved {
		return time.Time{}, false
	}
	if c.Effective.After(c.Decided) {
		return c.Effective, true
	}
	return c.Decided, true
}

// Done returns the change after it took effect, or could not for a reason.
func (c Change) Done(reason string, now time.Time) Change {
	if c.State != Approved {
		return c
	}
	c.State, c.Applied, c.Reason = Applied, now, reason
	if reason != "" {
		c.State = Failed
	}
	return c
}
