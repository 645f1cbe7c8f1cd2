package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Orders is where orders are kept.
type Orders = store.Aggregates[domain.Order, domain.Fact]

// Stock is inventory as orders need it. Every claim has a key of its own, so that making
// or giving it back again has no second effect.
type Stock interface {
	// Reserve makes the claims and returns what each stock granted, by stock id; a claim that
	// was refused is missing. partial says that a part of a claim helps.
	Reserve(ctx context.Context, claims []domain.Claim, partial bool) (map[string]quantity.Decimal, error)
	// GiveBack closes claims, whether they hold something, nothing, or were never made.
	GiveBack(ctx context.Context, claims []domain.ClaimRef) error
	// Available returns what could be promised to an order now, also what is kept for it because
	// it was promised before; places without stock are missing.
	Available(ctx context.Context, order string, places []Place) (map[Place]quantity.Decimal, error)
	// PromiseSupplies lets orders be promised of what comes to places so much in all, and returns
	// what of each wish is not promised, and why.
	PromiseSupplies(ctx context.Context, wishes []SupplyWish) ([]domain.Undated, error)
}

// Reference is the service's own copy of master data.
type Reference interface {
	// Lookup returns what the document names, and further sites, as far as they exist.
	Lookup(ctx context.Context, h domain.Header, lines []domain.Line, sites []string) (domain.Reference, error)
	// PartyCode returns the code of a party; "" when it is unknown.
	PartyCode(ctx context.Context, id string) (string, error)
}

// Shipped is the service's own copy of what tenants say of releases that count as shipped.
type Shipped interface {
	// Policy returns the policy of the caller's tenant; "" when it says nothing.
	Policy(ctx context.Context) (domain.ShippedPolicy, error)
}

// Conditions compiles what rules and channels ask of orders. A source that cannot be compiled
// is an error that says where and why.
type Conditions interface {
	// OfLine compiles a condition over an order and one of its lines.
	OfLine(source string) (LineCondition, error)
	// OfOrder compiles a condition over an order.
	OfOrder(source string) (OrderCondition, error)
}

// LineCondition decides about a line; an error is one that cannot be decided.
type LineCondition func(h domain.Header, l domain.Line) (bool, error)

// OrderCondition decides about an order; an error is one that cannot be decided.
type OrderCondition func(h domain.Header) (bool, error)
