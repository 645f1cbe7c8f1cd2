package checker

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
)

// decideWithin bounds the search for an order of one object's operations.
const decideWithin = 30 * time.Second

// linearizable checks the objects that several clients worked on at once: keys (I1) and
// contended stocks (I2).
func linearizable(entries []*history.Entry, r *Report) {
	Keys(entries, r)
	Stocks(entries, r)
}

// check searches for an order of an object's operations that the model allows.
func check(r *Report, invariant, where string, model porcupine.NondeterministicModel, ops []porcupine.Operation) {
	switch m := model.ToModel(); porcupine.CheckOperationsTimeout(m, ops, decideWithin) {
	case porcupine.Illegal:
		r.add(invariant, Whole, where, "no order of its %d commands explains what its clients were answered:%s", len(ops), tale(ops))
	case porcupine.Unknown:
		r.Undecided = append(r.Undecided, where)
	}
}

// toldOps is how many operations a violation names.
const toldOps = 20

// tale tells operations in the order of their calls: client, times, what it sent and was answered.
func tale(ops []porcupine.Operation) string {
	slices.SortFunc(ops, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var out strings.Builder
	for _, op := range ops[:min(len(ops), toldOps)] {
		end := "…"
		if op.Return != math.MaxInt64 {
			end = time.Duration(op.Return).Round(time.Millisecond).String()
		}
		fmt.Fprintf(&out, " [client %d, %v to %s: %v → %v]", op.ClientId, time.Duration(op.Call).Round(time.Millisecond), end, op.Input, op.Output)
	}
	return out.String()
}

// operation is an entry as porcupine takes it: one without an answer stays open to the end.
func operation(e *history.Entry, in, out any) porcupine.Operation {
	op := porcupine.Operation{ClientId: e.Client, Input: in, Output: out, Call: int64(e.Call), Return: int64(e.Return)}
	if e.Outcome == history.Unknown {
		op.Return = math.MaxInt64
	}
	return op
}

// register is a key: the request that took it, with its effect, and the requests that tried.
type register struct{ request, effect, tried string }

// Outputs of an operation on a register beside an effect.
const (
	reused  = "reused"  // refused: another request has the key
	nothing = "nothing" // refused for another reason: it may have the key for that
	unknown = "unknown" // it had its effect, or not
)

type outcome struct{ kind, effect string }

// some is an effect that nobody was told of.
const some = "?"

// registerStep: the first request to have an effect keeps the key; the same request gets the
// same answer for ever, another is refused. One that was refused for what it asked keeps the key
// too, so others may be told either.
func registerStep(state, input, output any) []any {
	s, request, o := state.(register), input.(string), output.(outcome)
	other := func(fingerprints string) bool {
		return slices.ContainsFunc(strings.Fields(fingerprints), func(f string) bool { return f != request })
	}
	tried := s
	if !slices.Contains(strings.Fields(s.tried), request) {
		tried.tried = strings.TrimSpace(s.tried + " " + request)
	}
	switch o.kind {
	case history.OK:
		switch {
		case s.effect == "", s.effect == some && s.request == request:
			return []any{register{request, o.effect, s.tried}}
		case s.request == request && s.effect == o.effect:
			return []any{s}
		}
		return nil
	case reused:
		if s.effect != "" && s.request != request || s.effect == "" && other(s.tried) {
			return []any{s}
		}
		return nil
	case unknown:
		if s.effect == "" {
			return []any{tried, register{request, some, s.tried}}
		}
	}
	return []any{tried}
}

// Keys checks every key that more than one command named as a register that is written once.
func Keys(entries []*history.Entry, r *Report) {
	by := map[scope][]*history.Entry{}
	for _, e := range entries {
		s := scope{e.Tenant, e.Principal, e.Key}
		by[s] = append(by[s], e)
	}
	model := porcupine.NondeterministicModel{Init: func() []any { return []any{register{}} }, Step: registerStep}
	for _, s := range slices.SortedFunc(maps.Keys(by), func(a, b scope) int { return strings.Compare(a.String(), b.String()) }) {
		if len(by[s]) < 2 {
			continue
		}
		var ops []porcupine.Operation
		requests := map[string]string{} // request → a short name
		for _, e := range by[s] {
			text := e.Method + compact(e.Request)
			if requests[text] == "" {
				requests[text] = strconv.Itoa(len(requests) + 1)
			}
			o := outcome{kind: nothing}
			switch {
			case e.Outcome == history.OK:
				o = outcome{history.OK, compact(e.Response)}
			case e.Outcome == history.Unknown:
				o.kind = unknown
			case e.Code == keyReused:
				o.kind = reused
			}
			ops = append(ops, operation(e, requests[text], o))
		}
		check(r, "I1", s.String(), model, ops)
	}
}

// compact is JSON in one form, whatever its spaces and order.
func compact(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	out, err := json.Marshal(v)
	if err != nil {
		return string(raw)
	}
	return string(out)
}

// adjustment is an AdjustStock command, as far as the model of a stock needs it.
type adjustment struct {
	Site, Sku, Owner, Location, Lot, Reason string
	Change                                  struct{ Value string }
}

// stockStep: a quantity at a place; what is taken must be there, and a command is refused as
// insufficient only when it is not.
func stockStep(state, input, output any) []any {
	q, change, o := state.(int64), input.(int64), output.(outcome)
	switch {
	case o.kind == nothing:
		return []any{q}
	case o.kind == insufficient:
		if change < 0 && q+change < 0 {
			return []any{q}
		}
		return nil
	case o.kind == unknown && q+change >= 0:
		return []any{q, q + change}
	case o.kind == unknown:
		return []any{q}
	case q+change >= 0:
		return []any{q + change}
	}
	return nil
}

const insufficient = "INSUFFICIENT_STOCK"

// Stocks checks every place of a stock that Contend worked on; nothing else may have.
func Stocks(entries []*history.Entry, r *Report) {
	by := map[string][]porcupine.Operation{}
	for _, e := range entries {
		var a adjustment
		if !strings.HasSuffix(e.Method, "/AdjustStock") || json.Unmarshal(e.Request, &a) != nil || a.Reason != reasonStock {
			continue
		}
		where := fmt.Sprintf("stock %s %s/%s/%s/%s/%s", e.Tenant, a.Site, a.Sku, a.Owner, a.Location, a.Lot)
		change, err := strconv.ParseInt(a.Change.Value, 10, 64)
		if err != nil {
			r.Undecided = append(r.Undecided, where)
			continue
		}
		o := outcome{kind: nothing}
		switch {
		case e.Outcome == history.OK:
			o.kind = history.OK
		case e.Outcome == history.Unknown:
			o.kind = unknown
		case e.Code == insufficient:
			o.kind = insufficient
		}
		by[where] = append(by[where], operation(e, change, o))
	}
	model := porcupine.NondeterministicModel{Init: func() []any { return []any{int64(0)} }, Step: stockStep}
	for _, where := range slices.Sorted(maps.Keys(by)) {
		check(r, "I2", where, model, by[where])
	}
}
