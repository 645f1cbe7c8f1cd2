package checker

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gowebpki/jcs"

	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
)

// scope is whose command it is: clients' keys belong to their principal.
type scope struct{ tenant, principal, key string }

func (s scope) String() string { return s.tenant + " " + s.principal + " " + s.key }

// trace is what a command left in a database.
type trace struct {
	receipt
	where string
	facts int
}

// receipts are the receipts of clients' commands in all databases.
type receipts struct{ by map[scope][]trace }

func newReceipts() *receipts { return &receipts{map[scope][]trace{}} }

// left notes receipt i of a commit.
func (r *receipts) left(service string, d *commit, i int, doc receipt) {
	if doc.Derived {
		return
	}
	t := trace{receipt: doc, where: service + " " + d.ID}
	for _, f := range d.Facts {
		if int(f.Receipt) == i {
			t.facts++
		}
	}
	tenant, _, _ := strings.Cut(d.Agg, "/")
	s := scope{tenant, doc.Principal, doc.Key}
	r.by[s] = append(r.by[s], t)
}

// told is what a client was answered about one command, or about one item of a batch.
type told struct {
	outcome     string
	code        string
	answer      *reply
	fingerprint []byte
	validate    bool
}

// reply is a receipt as the API tells it.
type reply struct {
	ID      string            `json:"id"`
	ETag    string            `json:"etag"`
	State   string            `json:"state"`
	Created []string          `json:"createdIds"`
	Values  map[string]string `json:"values"`
	Reasons []struct {
		Code string `json:"code"`
	} `json:"reasons"`
}

// Refusals that say nothing of the command itself, only of its key.
const (
	keyReused  = "IDEMPOTENCY_KEY_REUSED"
	inProgress = "IDEMPOTENCY_IN_PROGRESS"
)

// clients holds what clients were answered against what is stored (I1), and looks for effects
// of commands that nobody sent (I11).
func (c *checker) clients(entries []*history.Entry) error {
	commands := map[scope][]told{}
	for _, e := range entries {
		c.foreign("answer", e.Tenant+"/"+e.Key, e.Response)
		if err := tell(e, commands); err != nil {
			return fmt.Errorf("entry %s of the history: %w", e.Key, err)
		}
	}
	for _, s := range slices.SortedFunc(maps.Keys(commands), byName) {
		c.command(s, commands[s], c.by[s])
	}
	for _, s := range slices.SortedFunc(maps.Keys(c.by), byName) {
		_, sent := commands[s]
		for _, t := range c.by[s] {
			if !sent && !t.own(s) {
				c.report.add("I11", Whole, s.String(), "left a receipt in %s, and no client sent it", t.where)
			}
		}
	}
	return nil
}

// own reports whether a service did it to its own data and as itself: it takes numbers for
// documents in blocks, each time under a new key.
func (t trace) own(s scope) bool {
	service, _, _ := strings.Cut(t.where, " ")
	return s.principal == "service:"+service
}

func byName(a, b scope) int { return strings.Compare(a.String(), b.String()) }

// tell adds what an entry says of its key, or of the keys of its items.
func tell(e *history.Entry, into map[scope][]told) error {
	canonical, err := jcs.Transform(e.Request)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(e.Method + "\x00" + e.Tenant + "\x00" + string(canonical)))
	t := told{outcome: e.Outcome, code: e.Code, fingerprint: append([]byte("v1:"), sum[:]...)}
	var request map[string]json.RawMessage
	if err := json.Unmarshal(e.Request, &request); err != nil {
		return err
	}
	t.validate = string(request["validateOnly"]) == "true"
	own := scope{e.Tenant, e.Principal, e.Key}
	var answer struct {
		Receipt *reply `json:"receipt"`
		Results []struct {
			Receipt *reply `json:"receipt"`
			Failure *struct {
				Reason    string `json:"reason"`
				Retryable bool   `json:"retryable"`
			} `json:"failure"`
		} `json:"results"`
	}
	if e.Outcome == history.OK {
		if err := json.Unmarshal(e.Response, &answer); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(e.Method[strings.LastIndex(e.Method, "/")+1:], "Batch") {
		t.answer = answer.Receipt
		into[own] = append(into[own], t)
		return nil
	}
	for i := range items(request) {
		item, told := scope{own.tenant, own.principal, own.key + "/" + strconv.Itoa(i)}, t
		if i < len(answer.Results) {
			told.answer = answer.Results[i].Receipt
			if f := answer.Results[i].Failure; f != nil {
				told.outcome, told.code = history.Refused, f.Reason
				if f.Retryable {
					told.outcome = history.Unknown
				}
			}
		}
		into[item] = append(into[item], told)
	}
	return nil
}

// items is how many items a batch has: its one list says.
func items(request map[string]json.RawMessage) (n int) {
	for _, field := range request {
		var list []json.RawMessage
		if json.Unmarshal(field, &list) == nil {
			n = max(n, len(list))
		}
	}
	return n
}

// command checks one key: what its clients were told, and the traces that it left.
func (c *checker) command(s scope, all []told, traces []trace) {
	bad := func(format string, args ...any) { c.report.add("I1", Aggregate, s.String(), format, args...) }
	if len(traces) > 1 {
		c.report.Twice += len(traces) - 1
		bad("left %d receipts, the first two in %s and %s", len(traces), traces[0].where, traces[1].where)
	}
	for _, t := range all {
		var mine *trace
		for i := range traces {
			if bytes.Equal(traces[i].Fingerprint, t.fingerprint) {
				mine = &traces[i]
			}
		}
		switch {
		case t.validate:
			if mine != nil {
				bad("was only to be validated and left a receipt in %s", mine.where)
			}
		case t.outcome == history.OK:
			c.acknowledged(bad, t, mine, traces)
		case t.outcome == history.Refused:
			refused(bad, t, mine, all)
		}
	}
}

func (c *checker) acknowledged(bad func(string, ...any), t told, mine *trace, traces []trace) {
	c.report.Acknowledged++
	switch {
	case t.answer == nil:
		bad("was answered with success and without a receipt")
	case len(traces) == 0:
		c.report.Lost++
		bad("was acknowledged and left no receipt")
	case mine == nil:
		c.report.Lost++
		bad("was acknowledged, and the receipt in %s is of another request", traces[0].where)
	case mine.Answer == nil:
		bad("was acknowledged, and %s has it as refused", mine.where)
	default:
		if stored := mine.Answer.reply(); !equal(stored, *t.answer) {
			bad("was answered %+v, and %s has %+v", *t.answer, mine.where, stored)
		}
	}
}

// refused checks a command that was refused: it has had no effect.
func refused(bad func(string, ...any), t told, mine *trace, all []told) {
	if mine == nil || t.code == inProgress {
		return
	}
	mixed := slices.ContainsFunc(all, func(o told) bool { // the same request fared otherwise at another time
		return o.outcome != history.Refused && bytes.Equal(o.fingerprint, t.fingerprint)
	})
	switch {
	case mixed:
	case mine.Refusal == nil:
		bad("was refused with %s, and %s has it as done", t.code, mine.where)
	case mine.facts > 0:
		bad("was refused with %s, and has facts in %s", t.code, mine.where)
	case mine.Refusal.Reason != t.code && t.code != keyReused:
		bad("was refused with %s, and %s says %s", t.code, mine.where, mine.Refusal.Reason)
	}
}

// reply renders a stored answer as the API does.
func (a *answer) reply() reply {
	r := reply{ID: a.ID, ETag: a.ETag, State: a.State, Created: a.Created, Values: a.Values}
	for _, w := range a.Reasons {
		r.Reasons = append(r.Reasons, struct {
			Code string `json:"code"`
		}{w.Code})
	}
	return r
}

func equal(a, b reply) bool {
	same := maps.Equal(a.Values, b.Values) && slices.Equal(a.Created, b.Created) && len(a.Reasons) == len(b.Reasons)
	a.Values, a.Created, b.Values, b.Created = nil, nil, nil, nil
	if len(a.Reasons) == 0 {
		a.Reasons, b.Reasons = nil, nil
	}
	return same && reflect.DeepEqual(a, b)
}
