package domain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// permit refuses a command that the return's state forbids.
func (r Return) permit(command string, states ...State) error {
	from := r.State()
	if slices.Contains(states, from) {
		return nil
	}
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = string(s)
	}
	return fault.New(fault.Refused, "RETURN_STATE", "%s is not possible in state %s, only in %s", command, from, strings.Join(names, ", ")).
		With("from", string(from)).With("command", command)
}

// Request takes what a customer wants to send back: the intent that comes before the claim.
func (r Return) Request(e Env, f ReturnRequested) ([]Fact, error) {
	if !r.Requested.IsZero() {
		return nil, fault.New(fault.Conflict, "RMA_NUMBER_TAKEN", "the number belongs to another return").
			With("rma_id", r.ID).With("state", string(r.State()))
	}
	for i, l := range f.Lines {
		if err := check(l.Quantity, "", fmt.Sprintf("lines[%d].quantity", i)); err != nil {
			return nil, err
		}
	}
	f.At = e.Now
	return []Fact{f}, nil
}

// Wanted is what the return wants to claim.
func (r Return) Wanted() []Wanted {
	var wanted []Wanted
	for _, l := range r.Lines {
		if l.OrderLine != 0 {
			wanted = append(wanted, Wanted{Line: l.Number, OrderLine: l.OrderLine, Quantity: l.of(l.Requested)})
		}
	}
	return wanted
}

// Hold takes the outcome of the claim: the quantities are held. The policy authorises what
// it may; the rest waits for somebody.
func (r Return) Hold(e Env, order Returnable, claim Claim) ([]Fact, error) {
	if r.Held {
		return nil, nil
	}
	if err := r.permit("Hold", Requested); err != nil {
		return nil, err
	}
	keys := r.Keys
	keys.OrderNumber = order.Number
	held := ReturnHeld{Keys: keys, SoldTo: order.SoldTo, SoldToID: order.SoldToID, Lines: claim.Lines}
	facts := []Fact{held}
	if next := Evolve(r, held); next.auto(e) {
		facts = append(facts, next.authorised(e, ByPolicy))
	}
	return facts, nil
}

// auto reports whether the policy authorises the return.
func (r Return) auto(e Env) bool {
	if !e.Policy.Auto {
		return false
	}
	return !slices.ContainsFunc(r.Lines, func(l Line) bool {
		return l.OrderLine != 0 && (!slices.Contains(e.Policy.AutoReasons, l.Reason) || e.Now.After(l.IssuedAt.Add(e.Policy.Window)))
	})
}

func (r Return) authorised(e Env, by string) Fact {
	return ReturnAuthorised{Keys: r.Keys, By: by, Site: r.Site, At: e.Now, Lines: r.claimed(func(l Line) Line {
		l.Authorised = l.Held
		return l
	})}
}

// claimed are the lines of the claim as with leaves them; those that nothing is authorised of are left out.
func (r Return) claimed(with func(Line) Line) []ClaimedLine {
	var out []ClaimedLine
	for _, l := range r.Lines {
		if l.Held.IsZero() {
			continue
		}
		l = with(l)
		if l.Authorised.IsZero() {
			continue
		}
		c := ClaimedLine{
			Line: l.Number, OrderLine: l.OrderLine, Quantity: l.of(l.Authorised), Item: l.Item, SKU: l.SKU, Paid: l.Paid, IssuedAt: l.IssuedAt,
		}
		c.Paid.Minor = share(l.Paid.Minor, l.Authorised, l.Held)
		out = append(out, c)
	}
	return out
}

// Refuse takes the outcome of the claim: the order has not got what is asked for.
func (r Return) Refuse(_ Env, reasons []Reason) ([]Fact, error) {
	if r.Denied {
		return nil, nil
	}
	if err := r.permit("Refuse", Requested); err != nil {
		return nil, err
	}
	if r.Held {
		return nil, nil // another driver of the same claim had it
	}
	return []Fact{r.denied(ByPolicy, reasons)}, nil
}

// Undecided reports whether the claim of the return is neither made nor refused.
func (r Return) Undecided() bool { return r.State() == Requested && !r.Held }

// GiveUp denies a return whose claim could not be decided in time; the claim is closed.
func (r Return) GiveUp(_ Env) ([]Fact, error) {
	if !r.Undecided() {
		return nil, nil
	}
	return []Fact{r.denied(ByPolicy, []Reason{{Code: "CLAIM_TIMED_OUT", Message: "it could not be decided what the order has left"}})}, nil
}

func (r Return) denied(by string, reasons []Reason) Fact {
	return ReturnDenied{Keys: r.Keys, Reasons: reasons, By: by, ClaimKey: r.ClaimKey, Returnable: r.Returnable}
}

// Authorise allows the return.
func (r Return) Authorise(e Env) ([]Fact, error) {
	if err := r.permit("AuthoriseReturn", Requested); err != nil {
		return nil, err
	}
	if !r.Held {
		return nil, fault.New(fault.Refused, "RETURN_STATE", "what the order has left is still being claimed").
			With("from", string(Requested)).With("command", "AuthoriseReturn")
	}
	return []Fact{r.authorised(e, e.By)}, nil
}

// Deny does not.
func (r Return) Deny(e Env, reason string) ([]Fact, error) {
	if err := r.permit("DenyReturn", Requested); err != nil {
		return nil, err
	}
	return []Fact{r.denied(e.By, []Reason{{Code: "NOT_AUTHORISED", Message: reason}})}, nil
}

// Cancel calls the return off.
func (r Return) Cancel(_ Env, reason string) ([]Fact, error) {
	if r.anyReceived() {
		return nil, fault.New(fault.Refused, "ALREADY_RECEIVED", "goods of the return have arrived")
	}
	if err := r.permit("CancelReturn", Requested, Authorised); err != nil {
		return nil, err
	}
	return []Fact{ReturnCancelled{Keys: r.Keys, Reason: reason, ClaimKey: r.ClaimKey, Returnable: r.Returnable}}, nil
}
