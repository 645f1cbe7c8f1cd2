package domain

import "time"

// Policy says which facts make a shipment "shipped" for the customer; "" is ShippedOnBoth.
// The values are those of the contract.
type Policy string

// Policies.
const (
	ShippedOnIssue    Policy = "GOODS_ISSUE"
	ShippedOnDispatch Policy = "DISPATCH"
	ShippedOnBoth     Policy = "GOODS_ISSUE_AND_DISPATCH"
)

// Known reports whether p is one of the policies.
func (p Policy) Known() bool {
	return p == ShippedOnIssue || p == ShippedOnDispatch || p == ShippedOnBoth
}

// Shipped says whether the shipment counts as shipped under the policy it was planned with,
// and since when: for both facts, since the later of them.
func (s Shipment) Shipped() (policy Policy, since time.Time, shipped bool) {
	left, _ := s.Dispatched()
	switch policy = s.Policy; policy {
	case ShippedOnIssue:
		since = s.Issued
	case ShippedOnDispatch:
		since = left.At
	default:
		policy = ShippedOnBoth
		if !s.Issued.IsZero() && !left.At.IsZero() {
			since = left.At
			if s.Issued.After(since) {
				since = s.Issued
			}
		}
	}
	return policy, since, !since.IsZero()
}
