// Package domain says which business keys hang together and how far a story goes: the kinds
// of key, what a fact's keys say about each other, and the bounded walk from any key to the
// facts that belong to it. It reads nothing itself; the caller looks facts up for the walk.
package domain

import (
	"regexp"
	"strings"
	"unicode"
)

// KeyType is a kind of business key, named as in the contract, e.g. "ORDER_NUMBER". Empty is
// an aggregate that is no business key.
type KeyType string

// Kinds of key that the walk treats in their own way.
const (
	Order          KeyType = "ORDER"
	Release        KeyType = "RELEASE"
	WarehouseOrder KeyType = "WAREHOUSE_ORDER"
	Wave           KeyType = "WAVE"
	Shipment       KeyType = "SHIPMENT"
	Load           KeyType = "LOAD"
	Freight        KeyType = "FREIGHT"
	FreightInvoice KeyType = "FREIGHT_INVOICE"
	RMA            KeyType = "RMA"
	Stock          KeyType = "STOCK"
	Item           KeyType = "ITEM"
	OrderLine      KeyType = "ORDER_LINE"
	SSCC           KeyType = "SSCC"
	ControlNumber  KeyType = "CONTROL_NUMBER"
	Voucher        KeyType = "VOUCHER"
)

// Role is what a key does in the graph.
type Role int

// The roles.
const (
	// Label says what a fact is about and links nothing: with items as links every order
	// would hang together with every other.
	Label Role = iota
	// Name is a number given by people or other systems. A walk may start at one and shows
	// those it meets, but never passes through one: two systems may use the same number.
	Name
	// Document is an id of a document that belongs to one order: the walk passes through.
	Document
	// Gather is an id of a document that gathers several orders' goods or charges. The walk
	// passes through only when it was asked for; otherwise it tells that document's own facts.
	Gather
)

// roles of the types that are not numbers. ORDER_LINE is a part of ORDER.
var roles = map[KeyType]Role{
	"": Document, Order: Document, Release: Document, WarehouseOrder: Document, Shipment: Document, Freight: Document,
	FreightInvoice: Gather, Load: Gather, Wave: Gather, ControlNumber: Gather, RMA: Document,
	Item: Label, Stock: Label, OrderLine: Label,
}

// prefixes are the ids of the aggregates that are business keys.
var prefixes = map[string]KeyType{
	"ord": Order, "who": WarehouseOrder, "wav": Wave, "shp": Shipment, "lod": Load, "frt": Freight,
	"inv": FreightInvoice, "rma": RMA, "stk": Stock, "itm": Item, "doc": ControlNumber,
}

// Key is one business key.
type Key struct {
	Type  KeyType
	Value string
}

var idForm = regexp.MustCompile(`^[a-z]{3}_[a-z2-7]{26}$`)

// twofold are the types of an id and of the number that people know it by; their form tells
// them apart.
var twofold = map[KeyType]bool{FreightInvoice: true, RMA: true, ControlNumber: true}

// Role returns what the key does.
func (k Key) Role() Role {
	role, known := roles[k.Type]
	if !known || twofold[k.Type] && !idForm.MatchString(k.Value) {
		return Name
	}
	return role
}

// Alone reports that a walk may ask for the facts of the aggregate which the key is, without
// those that only name it.
func (k Key) Alone() bool { return k.Role() != Document || k.Type == "" }

// Links reports that the key ties facts together.
func (k Key) Links() bool { return k.Role() != Label }

// OfAggregate returns the key that an aggregate id is.
func OfAggregate(id string) Key {
	prefix, _, _ := strings.Cut(id, "_")
	if !idForm.MatchString(id) {
		return Key{Value: id}
	}
	return Key{Type: prefixes[prefix], Value: id}
}

// opens reports that a number of this type was asked for in order to see all that the
// document under it gathers.
func (t KeyType) opens(gather KeyType) bool {
	return t == gather || gather == FreightInvoice && t == Voucher
}

// Normal is the form under which a key is found: letters and digits, in upper case.
func Normal(value string) string {
	out := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, value)
	if out == "" {
		return value
	}
	return out
}

// Forms are the normal forms that a key may have been stored under: its own and, for a
// scanned SSCC, that without the application identifier (00).
func Forms(value string) []string {
	n := Normal(value)
	if digits := strings.Trim(n, "0123456789") == ""; digits && len(n) == 20 && strings.HasPrefix(n, "00") {
		return []string{n, n[2:]}
	}
	return []string{n}
}
