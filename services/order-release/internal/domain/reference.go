package domain

import "github.com/lockstep-logistics/lockstep/libs/quantity"

// Reference is the master data that an order names: what validation checks against.
type Reference struct {
	Items       map[string]Item        // by SKU
	GTINs       map[string][]Item      // by GTIN of 14 digits
	Parties     map[string]PartyRecord // by code
	Sites       map[string]Site        // by code
	DefaultSite string                 // code; empty if the tenant has none
	Carriers    map[string]Carrier     // by code
	Rules       Rulebook               // that source lines without a site
}

// Item is an item with its units.
type Item struct {
	ID       string                    `json:"id"`
	SKU      string                    `json:"sku"`
	BaseUnit string                    `json:"base"`
	Units    map[string]quantity.Ratio `json:"units,omitempty"` // other units: base units in one of them
	Retired  bool                      `json:"retired,omitempty"`
}

// PartyRecord is a party with its addresses, the first one standing where none is named.
type PartyRecord struct {
	Code      string         `json:"code"`
	Roles     []string       `json:"roles"`
	Addresses []PartyAddress `json:"addresses,omitempty"`
	Retired   bool           `json:"retired,omitempty"`
}

// PartyAddress is one address of a party.
type PartyAddress struct {
	Code    string  `json:"code"`
	Address Address `json:"address"`
}

// Site is a place of the tenant that may ship, or not.
type Site struct {
	Code    string `json:"code"`
	Ships   bool   `json:"ships"`          // it is a site, not a zone or a bin
	Zone    string `json:"zone,omitempty"` // IANA time zone; empty in a copy from before it was noted
	Retired bool   `json:"retired,omitempty"`
}

// Carrier is a carrier with the codes of its services.
type Carrier struct {
	Code     string   `json:"code"`
	Services []string `json:"services,omitempty"`
	Retired  bool     `json:"retired,omitempty"`
}

// Roles of a party.
const (
	RoleCustomer = "CUSTOMER"
	RoleShipTo   = "SHIP_TO"
	RoleBillTo   = "BILL_TO"
)
