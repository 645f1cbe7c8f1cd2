package domain

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Fact is something that happened to a return.
type Fact interface{ fact() }

// AskedLine is what a customer wants to send back.
type AskedLine struct {
	OrderLine int
	Quantity  quantity.Quantity
	Reason    string
	Note      string
}

// ReturnRequested starts a return.
type ReturnRequested struct {
	Keys
	Source, ClaimKey, Returnable, Site, SoldTo, SoldToID string

	Lines []AskedLine
	At    time.Time
}

// ReturnHeld says that the order has what is asked for, and that it is held.
type ReturnHeld struct {
	Keys
	SoldTo, SoldToID string

	Lines []ClaimedLine
}

// ReturnAuthorised allows it.
type ReturnAuthorised struct {
	Keys
	By, Site string

	Lines []ClaimedLine
	At    time.Time
}

// ReturnDenied does not; the claim goes back.
type ReturnDenied struct {
	Keys
	Reasons                  []Reason
	By, ClaimKey, Returnable string
}

// ReturnCancelled calls it off; the claim goes back.
type ReturnCancelled struct {
	Keys
	Reason, ClaimKey, Returnable string
}

// ReceiptRecorded says that goods arrived.
type ReceiptRecorded struct {
	Keys
	Named, Booked int // line that the receipt names, and that it counts on
	Stand         Stand
	Quantity      quantity.Quantity
	Excess        quantity.Quantity // part that was not authorised; without unit if all was
	Marks         []Reason
	At            time.Time
}

// ItemsInspected says what inspection made of goods.
type ItemsInspected struct {
	Keys
	Line                 int
	Accepted, Rejected   quantity.Quantity // without unit if none
	Grade, Finding, Note string
}

// ItemsDisposed says what becomes of goods that stand at one place.
type ItemsDisposed struct {
	ID, Number, Order string

	Line        int
	Disposition Disposition
	Quantity    quantity.Quantity
	Stand       Stand
	To          string // location
	At          time.Time
}

// CreditRequested asks the ERP for a credit.
type CreditRequested struct {
	Keys
	Credit int // number, from 1
	SoldTo string
	Lines  []CreditLine

	Gross, Fee, Net money.Amount
	At              time.Time
}

// CreditConfirmed is the ERP's credit memo.
type CreditConfirmed struct {
	Keys
	Credit         int
	Memo           string
	Amount         money.Amount
	Contradictions []Reason
	At             time.Time
}

// ReturnCompleted ends it; what the claim holds beyond the kept lines goes back.
type ReturnCompleted struct {
	Keys
	Kept                 []ClaimedLine
	ClaimKey, Returnable string
	Short                bool
}

func (ReturnRequested) fact()  {}
func (ReturnHeld) fact()       {}
func (ReturnAuthorised) fact() {}
func (ReturnDenied) fact()     {}
func (ReturnCancelled) fact()  {}
func (ReceiptRecorded) fact()  {}
func (ItemsInspected) fact()   {}
func (ItemsDisposed) fact()    {}
func (CreditRequested) fact()  {}
func (CreditConfirmed) fact()  {}
func (ReturnCompleted) fact()  {}
