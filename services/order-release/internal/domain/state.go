package domain

import (
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// State is where an order stands. It follows from quantities and facts, nobody sets it.
type State string

// The states of an order.
const (
	Rejected        State = "REJECTED"
	Validated       State = "VALIDATED"
	Promising       State = "PROMISING"
	Promised        State = "PROMISED"
	Backordered     State = "BACKORDERED"
	Released        State = "RELEASED"
	Acknowledged    State = "ACKNOWLEDGED"
	InExecution     State = "IN_EXECUTION"
	Fulfilled       State = "FULFILLED"
	CancelRequested State = "CANCEL_REQUESTED"
	Cancelled       State = "CANCELLED"
	Closed          State = "CLOSED"
)

// ReleaseState is where a release stands.
type ReleaseState string

// The states of a release.
const (
	ReleaseBackorderedState ReleaseState = "BACKORDERED"
	ReleaseSent             ReleaseState = "RELEASED"
	ReleaseAcknowledgedBy   ReleaseState = "ACKNOWLEDGED"
	ReleaseInExecution      ReleaseState = "IN_EXECUTION"
	ReleaseFulfilled        ReleaseState = "FULFILLED"
	ReleaseCancelAsked      ReleaseState = "CANCEL_REQUESTED"
	ReleaseIsCancelled      ReleaseState = "CANCELLED"
	ReleasePutBack          ReleaseState = "CANCELLED_WITH_PUTBACK"
	ReleaseIsWithdrawn      ReleaseState = "WITHDRAWN"
)

// State returns where the release stands.
func (r Release) State() ReleaseState {
	var live, issued, touched, back, withdrawn quantity.Decimal
	for _, l := range r.Lines {
		live = live.Add(l.Live())
		issued = issued.Add(l.Issued)
		touched = touched.Add(l.Picked).Add(l.Short)
		back, withdrawn = back.Add(l.PutBack), withdrawn.Add(l.Withdrawn)
	}
	switch {
	case live.IsZero() && issued.IsZero() && !back.IsZero():
		return ReleasePutBack
	case live.IsZero() && issued.IsZero() && !withdrawn.IsZero():
		return ReleaseIsWithdrawn
	case live.IsZero() && issued.IsZero():
		return ReleaseIsCancelled
	case r.Sent.IsZero():
		return ReleaseBackorderedState
	case live == issued:
		return ReleaseFulfilled
	case r.CancelAsked:
		return ReleaseCancelAsked
	case !touched.IsZero() || r.TakenBack:
		return ReleaseInExecution
	case r.Acknowledged:
		return ReleaseAcknowledgedBy
	}
	return ReleaseSent
}

// stages ranks what a sent release makes of its order.
var stages = map[ReleaseState]State{
	ReleaseCancelAsked:    CancelRequested,
	ReleaseFulfilled:      InExecution, // the order is fulfilled only with its last release
	ReleaseInExecution:    InExecution,
	ReleaseAcknowledgedBy: Acknowledged,
	ReleaseSent:           Released,
}

// State returns where the order stands.
func (o Order) State() State {
	if o.IsClosed {
		return Closed
	}
	if !o.Valid {
		return Rejected
	}
	t := totals(o.Quantities())
	switch {
	case t.Open.IsZero() && t.Issued.IsZero() && t.Released.IsZero():
		return Cancelled
	case t.Open.IsZero() && t.Released == t.Issued:
		return Fulfilled
	}
	found := map[State]bool{}
	for _, r := range o.Releases {
		found[stages[r.State()]] = true
	}
	for _, s := range []State{CancelRequested, InExecution, Acknowledged, Released} {
		if found[s] {
			return s
		}
	}
	switch {
	case o.Attempt.State == AttemptOpen:
		return Promising
	case !t.Promised.IsZero():
		return Promised
	case !t.Backordered.IsZero():
		return Backordered
	}
	return Validated
}

// Command names what may be asked of an order.
type Command string

// The commands that the state may forbid.
const (
	CommandHold      Command = "PlaceHold"
	CommandLift      Command = "LiftHold"
	CommandPromise   Command = "PromiseLines"
	CommandRelease   Command = "ReleaseOrder"
	CommandRemainder Command = "ReleaseRemainder"
	CommandAmend     Command = "AmendRelease"
	CommandCancel    Command = "RequestCancel"
	CommandClose     Command = "CloseOrder"
)

// active are the states between validation and the end.
var active = []State{Validated, Promising, Promised, Backordered, Released, Acknowledged, InExecution, CancelRequested}

// transitions lists the states in which each command may be asked.
var transitions = map[Command][]State{
	CommandHold:      active,
	CommandLift:      active,
	CommandPromise:   active,
	CommandRelease:   append([]State{Fulfilled}, active...), // fulfilled: releasing again changes nothing
	CommandRemainder: {Released, Acknowledged, InExecution, CancelRequested, Backordered, Promised, Promising},
	CommandAmend:     active,
	CommandCancel:    active,
	CommandClose:     {Fulfilled, Cancelled, Rejected},
}

// permit refuses a command that the order's state forbids.
func (o Order) permit(c Command) error {
	from := o.State()
	if slices.Contains(transitions[c], from) {
		return nil
	}
	names := make([]string, 0, len(transitions[c]))
	for _, s := range transitions[c] {
		names = append(names, string(s))
	}
	return fault.New(fault.Refused, "ORDER_STATE", "%s is not possible in state %s, only in %s", c, from, strings.Join(names, ", ")).
		With("from", string(from)).With("command", string(c))
}
