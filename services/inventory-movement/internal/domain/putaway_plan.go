package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// maxPutaways bounds the tasks of a site for which bins are kept at a time.
const maxPutaways = 2000

// PutawayPlan is what a site keeps room for: the bins that were proposed for goods that are not
// there yet. Each proposal is decided on all others, so that no two take the same room.
type PutawayPlan struct {
	Site     string        `bson:"s,omitempty"`
	Revision int           `bson:"r"` // facts so far: what was decided on another plan is decided anew
	Tasks    []PlannedTask `bson:"t,omitempty"`
}

// PlannedTask is the goods of a task with the bins that are kept for them.
type PlannedTask struct {
	Delivery   string           `bson:"d"`
	Number     int              `bson:"n"`
	Item       string           `bson:"i"`
	Lot        string           `bson:"t,omitempty"`
	Weight     quantity.Decimal `bson:"w,omitempty"` // grams of a base unit
	Version    int              `bson:"v"`           // of the rules
	Bins       []KeptBin        `bson:"b,omitempty"`
	Unplaced   quantity.Decimal `bson:"u,omitempty"`
	Considered []Considered     `bson:"c,omitempty"`
}

// KeptBin is a bin that was proposed for a task. What is done is booked there, or elsewhere instead.
type KeptBin struct {
	Bin      string           `bson:"b"`
	Rule     string           `bson:"r"`
	Quantity quantity.Decimal `bson:"q"`
	Done     quantity.Decimal `bson:"d,omitempty"`
}

// kept is for how much the bin is still kept.
func (b KeptBin) kept() quantity.Decimal { return b.Quantity.Sub(b.Done) }

func (t PlannedTask) kept() (sum quantity.Decimal) {
	for _, b := range t.Bins {
		sum = sum.Add(b.kept())
	}
	return sum
}

// ProposedTask is what was found for goods of a task, beside what was found before.
type ProposedTask struct {
	Task            int
	Item, SKU, Unit string
	Lot             string
	Weight          quantity.Decimal
	Version         int
	Parts           []BinPart
	Unplaced        quantity.Decimal
	Considered      []Considered
}

// SettledPart is a quantity of a task for which nothing is kept any more.
type SettledPart struct {
	Task     int
	Bin      string // that was kept; "": none was
	Unit     string
	Quantity quantity.Decimal
	PutAway  bool
}

// PutawayFact is what happened to a plan.
type PutawayFact interface{ isPutawayFact() }

// The facts of a plan.
type (
	// PutawayProposed keeps bins for goods of a delivery.
	PutawayProposed struct {
		InboundKeys
		Tasks []ProposedTask
	}
	// PutawaySettled gives them free.
	PutawaySettled struct {
		InboundKeys
		Parts []SettledPart
		Over  []int // tasks
	}
)

func (PutawayProposed) isPutawayFact() {}
func (PutawaySettled) isPutawayFact()  {}

// EvolvePutaways applies one fact.
func EvolvePutaways(p PutawayPlan, fact PutawayFact) PutawayPlan {
	p.Revision++
	p.Tasks = slices.Clone(p.Tasks)
	switch f := fact.(type) {
	case PutawayProposed:
		p.Site = f.Site
		for _, t := range f.Tasks {
			p = p.propose(f.ID, t)
		}
	case PutawaySettled:
		for _, part := range f.Parts {
			if i := p.index(f.ID, part.Task); i >= 0 {
				p.Tasks[i] = p.Tasks[i].settle(part)
			}
		}
		p.Tasks = slices.DeleteFunc(p.Tasks, func(t PlannedTask) bool { return t.Delivery == f.ID && slices.Contains(f.Over, t.Number) })
	}
	return p
}

// ApplyPutaways folds facts onto a plan.
func ApplyPutaways(p PutawayPlan, facts ...PutawayFact) PutawayPlan {
	for _, f := range facts {
		p = EvolvePutaways(p, f)
	}
	return p
}

func (p PutawayPlan) index(delivery string, task int) int {
	return slices.IndexFunc(p.Tasks, func(t PlannedTask) bool { return t.Delivery == delivery && t.Number == task })
}

func (p PutawayPlan) propose(delivery string, t ProposedTask) PutawayPlan {
	i := p.index(delivery, t.Task)
	if i < 0 {
		i, p.Tasks = len(p.Tasks), append(p.Tasks, PlannedTask{Delivery: delivery, Number: t.Task})
	}
	task := p.Tasks[i]
	task.Item, task.Lot, task.Weight, task.Version, task.Unplaced, task.Considered = t.Item, t.Lot, t.Weight, t.Version, t.Unplaced, t.Considered
	task.Bins = slices.Clone(task.Bins)
	for _, part := range t.Parts {
		n := slices.IndexFunc(task.Bins, func(b KeptBin) bool { return b.Bin == part.Bin })
		if n < 0 {
			task.Bins = append(task.Bins, KeptBin{Bin: part.Bin, Rule: part.Rule, Quantity: part.Quantity})
			continue
		}
		task.Bins[n].Rule, task.Bins[n].Quantity = part.Rule, task.Bins[n].Quantity.Add(part.Quantity)
	}
	p.Tasks[i] = task
	return p
}

// settle gives free what was kept for a quantity of the task. What was put away uses up its bin;
// what went on otherwise gives back what had no bin first, then the last bins.
func (t PlannedTask) settle(part SettledPart) PlannedTask {
	q := part.Quantity
	t.Bins = slices.Clone(t.Bins)
	if part.Bin == "" {
		n := quantity.Min(t.Unplaced, q)
		t.Unplaced, q = t.Unplaced.Sub(n), q.Sub(n)
	}
	for i := len(t.Bins) - 1; i >= 0; i-- {
		b := &t.Bins[i]
		n := quantity.Min(b.kept(), q)
		switch {
		case part.PutAway && part.Bin == b.Bin:
			b.Done = b.Done.Add(n)
		case !part.PutAway:
			b.Quantity, q = b.Quantity.Sub(n), q.Sub(n)
		}
	}
	return t
}

// keptIn is what is on its way to a bin.
func (p PutawayPlan) keptIn(bin string) (out []BinGoods) {
	for _, t := range p.Tasks {
		for _, b := range t.Bins {
			if q := b.kept(); b.Bin == bin && q.Sign() > 0 {
				out = append(out, BinGoods{t.Item, t.Lot, q, t.Weight})
			}
		}
	}
	return out
}

// Wanting are the goods of a delivery for which bins are to be found: tasks for which less is kept
// than stands there. Items are by id. Of more tasks than a plan holds those that come later wait.
func (p PutawayPlan) Wanting(d Inbound, items map[string]Item) (out []PutawayGoods) {
	room := maxPutaways - len(p.Tasks)
	for _, s := range d.Standings {
		l, _ := d.Line(s.Line)
		item, known := items[l.Item]
		if s.Stored || !known {
			continue
		}
		want, i := s.Quantity, p.index(d.Keys.ID, s.Number)
		if i >= 0 {
			want = want.Sub(p.Tasks[i].kept())
		} else if room--; room < 0 {
			continue
		}
		if want.Sign() > 0 {
			out = append(out, PutawayGoods{Keys: d.Keys, Task: s.Number, Item: item, Place: s.Place, Quantity: want})
		}
	}
	return out
}

// News reports whether a proposal says anything that the plan does not.
func (p PutawayPlan) News(delivery string, t ProposedTask) bool {
	i := p.index(delivery, t.Task)
	return i < 0 || len(t.Parts) > 0 || p.Tasks[i].Version != t.Version || p.Tasks[i].Unplaced != t.Unplaced || !slices.Equal(p.Tasks[i].Considered, t.Considered)
}

// SettlePutaways gives free what was kept for goods that moved on, in the order of the delivery's
// facts. A task is over when the delivery has it no more and nothing is kept for it.
func SettlePutaways(p PutawayPlan, d Inbound, moves []InboundMove, putAway bool) []PutawayFact {
	f := PutawaySettled{InboundKeys: d.Keys}
	for _, m := range moves {
		if p.index(d.Keys.ID, m.Task) >= 0 {
			f.Parts = append(f.Parts, SettledPart{Task: m.Task, Bin: m.Proposed, Unit: m.Unit, Quantity: m.Quantity, PutAway: putAway})
		}
	}
	for _, t := range EvolvePutaways(p, f).Tasks {
		if _, err := d.Task(t.Number); t.Delivery == d.Keys.ID && err != nil && t.kept().IsZero() {
			f.Over = append(f.Over, t.Number)
		}
	}
	if len(f.Parts)+len(f.Over) == 0 {
		return nil
	}
	return []PutawayFact{f}
}

// PutawayView is where the goods of a task are to go, as people read it.
type PutawayView struct {
	Version    int
	Parts      []BinPart
	Unplaced   quantity.Decimal
	Considered []Considered
}

// View is what is proposed for goods of a delivery that are not put away; false if nothing was.
func (p PutawayPlan) View(d Inbound, s Standing) (PutawayView, bool) {
	i := p.index(d.Keys.ID, s.Number)
	if i < 0 || s.Stored {
		return PutawayView{}, false
	}
	t := p.Tasks[i]
	v := PutawayView{Version: t.Version, Considered: t.Considered, Unplaced: s.Quantity}
	for _, part := range p.Parts(d, s.Number) {
		if part.Quantity = quantity.Min(part.Quantity, v.Unplaced); part.Quantity.Sign() > 0 {
			v.Parts, v.Unplaced = append(v.Parts, part), v.Unplaced.Sub(part.Quantity)
		}
	}
	return v, true
}

// Parts are the bins proposed for a task, without what the delivery says was put away of them: the
// plan may not have heard of it yet.
func (p PutawayPlan) Parts(d Inbound, task int) (out []BinPart) {
	i := p.index(d.Keys.ID, task)
	if i < 0 {
		return nil
	}
	for _, b := range p.Tasks[i].Bins {
		if q := b.Quantity.Sub(d.taken(task, b.Bin)); q.Sign() > 0 {
			out = append(out, BinPart{b.Bin, b.Rule, q})
		}
	}
	return out
}

// Without leaves bins out.
func Without(parts []BinPart, fit []string) []BinPart {
	return slices.DeleteFunc(slices.Clone(parts), func(p BinPart) bool { return !slices.Contains(fit, p.Bin) })
}
