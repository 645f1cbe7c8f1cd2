package domain

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// AttemptState is where an attempt to promise stands.
type AttemptState string

// The states of an attempt.
const (
	AttemptOpen     AttemptState = "OPEN"
	AttemptPromised AttemptState = "PROMISED"
	AttemptRefused  AttemptState = "REFUSED"
	AttemptClosed   AttemptState = "CLOSED" // given up, or ended with the order
)

// Attempt is the newest attempt to promise; number 0 means that there was none.
type Attempt struct {
	Number    int           `bson:"n"`
	State     AttemptState  `bson:"s"`
	Requested time.Time     `bson:"q,omitempty"`
	Due       time.Time     `bson:"d,omitempty"` // when it is given up
	Partial   bool          `bson:"p,omitempty"` // a part of a claim helps
	Claims    []Claim       `bson:"c,omitempty"` // while it is open
	Lines     []AttemptLine `bson:"l,omitempty"` // once it is decided
	Retry     time.Time     `bson:"r,omitempty"` // when the next attempt is due; zero for never
	Timeouts  int           `bson:"t,omitempty"` // attempts given up in a row
	Again     bool          `bson:"g,omitempty"` // other sites are asked for what the one before did not get
}

// AttemptLine is what one line asked for and got.
type AttemptLine struct {
	Line      int              `bson:"n"`
	Requested quantity.Decimal `bson:"q"`
	Promised  quantity.Decimal `bson:"p,omitempty"`
}

// Claim is a claim on the stock of one item at one site.
type Claim struct {
	Key      string            `bson:"k"`
	Stock    string            `bson:"s"`
	Site     string            `bson:"w"`
	Item     string            `bson:"i"`
	Quantity quantity.Quantity `bson:"q"` // the sum of the lines
	Lines    []LineQuantity    `bson:"l"`
}

// Ref names the claim.
func (c Claim) Ref() ClaimRef {
	return ClaimRef{Key: c.Key, Stock: c.Stock, Site: c.Site, Item: c.Item}
}

// ClaimKey is the key of a claim: one for each stock and attempt of an order, so that
// a claim made again is the same claim.
func ClaimKey(order string, attempt int, stock string) string {
	return "clm:" + order + ":" + strconv.Itoa(attempt) + ":" + stock
}

// claimant is the order that made a claim.
func claimant(key string) string {
	_, rest, _ := strings.Cut(key, ":")
	order, _, _ := strings.Cut(rest, ":")
	return order
}

// PromiseKey is the key of the promise of what comes that the claim may use up.
func (c Claim) PromiseKey() string { return PromiseKey(claimant(c.Key)) }

// Requests returns what each line asks or asked for.
func (a Attempt) Requests() []AttemptLine {
	if a.State != AttemptOpen {
		return a.Lines
	}
	var lines []AttemptLine
	for _, c := range a.Claims {
		for _, l := range c.Lines {
			lines = append(lines, AttemptLine{Line: l.Line, Requested: l.Quantity.Value})
		}
	}
	slices.SortFunc(lines, func(a, b AttemptLine) int { return a.Line - b.Line })
	return slices.CompactFunc(summedUp(lines), func(a, b AttemptLine) bool { return a.Line == b.Line })
}

// summedUp gives the first of the entries of a line, which stand together, the sum of them all.
func summedUp(lines []AttemptLine) []AttemptLine {
	first := 0
	for i := 1; i < len(lines); i++ {
		if lines[i].Line != lines[first].Line {
			first = i
			continue
		}
		lines[first].Requested = lines[first].Requested.Add(lines[i].Requested)
	}
	return lines
}

// siteOf is the site of a claim of the attempt that is open.
func (a Attempt) siteOf(key string) string {
	if i := slices.IndexFunc(a.Claims, func(c Claim) bool { return c.Key == key }); i >= 0 {
		return a.Claims[i].Site
	}
	return ""
}

// refs names all claims of the attempt.
func (a Attempt) refs() []ClaimRef {
	refs := make([]ClaimRef, len(a.Claims))
	for i, c := range a.Claims {
		refs[i] = c.Ref()
	}
	return refs
}

// stockOf returns the stock that a claim key names.
func stockOf(key string) string { return key[strings.LastIndexByte(key, ':')+1:] }

// decided returns the attempt in its final state.
func (a Attempt) decided(s AttemptState, promised []PromisedLine) Attempt {
	lines := slices.Clone(a.Requests())
	got := map[int]quantity.Decimal{}
	for _, p := range promised {
		got[p.Line] = got[p.Line].Add(p.Quantity.Value)
	}
	for i := range lines {
		lines[i].Promised = got[lines[i].Line]
	}
	a.State, a.Claims, a.Lines = s, nil, lines
	if s != AttemptClosed {
		a.Timeouts = 0
	}
	return a
}
