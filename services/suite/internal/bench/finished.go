package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
)

// finished is an order that was walked to its end, and all that it left but for the stock's own
// records.
type finished struct {
	number  string
	cartons []string
	story   *controltowerv1.TraceResponse // as the tower tells it
	pasts   []past                        // one of each kind, in the same order for every order
	facts   []bus.Fact                    // that the tower was told: the order's, and the stock's of it
	applied []store.Row                   // how far the tower has recorded the order's aggregates
}

// past is the history of one of the order's aggregates.
type past struct {
	service, kind string // kind is its aggregate type
	store.Past[store.RawFact]
}

// owned are the aggregates that are one order's alone, by the prefix of their ids.
var owned = []string{"ord", "who", "hun", "shp", "frt", "inv", "rtb"}

// trace asks the tower what belongs to an order.
func (e *running) trace(ctx context.Context, number string) (*finished, error) {
	tower := controltowerv1.NewControlTowerServiceClient(e.grpc().dial("control-tower"))
	story, err := tower.Trace(ctx, &controltowerv1.TraceRequest{Key: number})
	if err != nil {
		return nil, err
	}
	f := &finished{number: number, story: story}
	for _, s := range story.GetSteps() {
		p := past{service: s.GetSource().GetService(), kind: s.GetSource().GetAggregateType()}
		p.ID = s.GetSource().GetAggregateId()
		prefix, _, _ := strings.Cut(p.ID, "_")
		if slices.Contains(owned, prefix) && !slices.Contains(f.ids(), p.ID) {
			f.pasts = append(f.pasts, p)
		}
	}
	for _, n := range story.GetNodes() {
		if n.GetKey().GetType() == commonv1.BusinessKeyType_BUSINESS_KEY_TYPE_SSCC {
			f.cartons = append(f.cartons, n.GetKey().GetValue())
		}
	}
	if len(f.pasts) != len(owned) || len(f.cartons) == 0 {
		return nil, fmt.Errorf("order %s left the aggregates %v and the cartons %v", number, f.ids(), f.cartons)
	}
	slices.SortFunc(f.pasts, func(a, b past) int { return strings.Compare(a.ID, b.ID) })
	return f, nil
}

func (f *finished) ids() []string {
	out := make([]string, len(f.pasts))
	for i, p := range f.pasts {
		out[i] = p.ID
	}
	return out
}

// read reads from the databases what the story tells of.
func (f *finished) read(ctx context.Context, in *databases) (err error) {
	for i, p := range f.pasts {
		if f.pasts[i].Past, err = in.of[p.service].Past(ctx, p.kind, p.ID); err != nil {
			return err
		}
	}
	for _, s := range f.story.GetSteps() {
		fact, err := in.fact(ctx, s.GetSource(), s.GetEventId())
		if err != nil {
			return err
		}
		f.facts = append(f.facts, fact)
	}
	for _, p := range f.pasts {
		row, exists, err := in.applied().Get(ctx, store.CauseOf(ctx).Tenant, in.tower[p.service].Name+":"+p.ID)
		if err != nil || !exists {
			return errors.Join(err, fmt.Errorf("how far the tower has recorded %s is not known", p.ID))
		}
		f.applied = append(f.applied, row)
	}
	return nil
}

// fact reads a fact as the bus brings it.
func (d *databases) fact(ctx context.Context, of *controltowerv1.SourceAggregate, id string) (bus.Fact, error) {
	var version uint64
	var i int
	if _, err := fmt.Sscanf(id, of.GetAggregateId()+":%d:%d", &version, &i); err != nil {
		return bus.Fact{}, fmt.Errorf("%s: %w", id, err)
	}
	commits, err := d.of[of.GetService()].Commits(ctx, of.GetAggregateType(), store.CauseOf(ctx).Tenant, of.GetAggregateId(), version-1, 1)
	if err != nil || len(commits) == 0 || i >= len(commits[0].Facts) {
		return bus.Fact{}, errors.Join(err, fmt.Errorf("there is no fact %s", id))
	}
	c, f := commits[0], commits[0].Facts[i]
	return bus.Fact{
		ID: id, Service: of.GetService(), AggregateType: c.AggregateType, Tenant: c.Tenant, AggregateID: c.ID,
		Version: c.Version, Previous: c.Previous, Index: i, Count: len(c.Facts), Type: f.Type, Data: f.Data, Recorded: c.Recorded,
		Correlation: f.Cause.Correlation, Causation: f.Cause.Causation, Source: f.Cause.Source,
		TraceParent: f.Cause.TraceParent, Principal: f.Cause.Principal,
	}, nil
}

// walkedNumber and seededNumber are order numbers of one length.
func walkedNumber(n int) string { return fmt.Sprintf("T%09d", n) }
func seededNumber(n int) string { return fmt.Sprintf("S%09d", n) }

// names are whatever names the order, each followed by what names its n-th copy, of the same length.
func (f *finished) names(n int) ([]string, error) {
	number := seededNumber(n)
	names := []string{f.number, number}
	for _, id := range f.ids() {
		prefix, _, _ := strings.Cut(id, "_")
		other := ident.Derive(prefix, number, id)
		names = append(names, id, other, normal(id), normal(other))
	}
	for i, code := range f.cartons {
		other, err := gs1.SSCC("4012345", 7, uint64(100*n+i))
		if err != nil {
			return nil, err
		}
		names = append(names, code, other)
	}
	return names, nil
}

// normal is the form under which ids are compared with numbers.
func normal(id string) string { return strings.ToUpper(strings.ReplaceAll(id, "_", "")) }

// copied returns the history under other names.
func (p past) copied(names *strings.Replacer) store.Past[store.RawFact] {
	out := store.Past[store.RawFact]{ID: names.Replace(p.ID), Steps: slices.Clone(p.Steps)}
	for i := range out.Steps {
		s := &out.Steps[i]
		for _, text := range []*string{&s.Cause.Key, &s.Cause.Correlation, &s.Cause.Causation, &s.Cause.Source.MessageID} {
			*text = names.Replace(*text)
		}
		s.Facts, s.Created = slices.Clone(s.Facts), slices.Clone(s.Created)
		for j, id := range s.Created {
			s.Created[j] = names.Replace(id)
		}
		for j, f := range s.Facts {
			s.Facts[j].Data = []byte(names.Replace(string(f.Data)))
		}
	}
	return out
}

// most is more than what ten orders do to a stock.
const most = 1000

// copiedFact returns the fact under other names; one of a stock, which copies share, as a later
// one of that stock.
func copiedFact(f bus.Fact, names *strings.Replacer, n int) bus.Fact {
	id := names.Replace(f.AggregateID)
	if id == f.AggregateID {
		f.Version, f.Previous = f.Version+uint64(n+1)*most, f.Previous+uint64(n+1)*most
	}
	f.AggregateID, f.ID = id, bus.EventID(id, f.Version, f.Index)
	for _, text := range []*string{&f.Correlation, &f.Causation, &f.Source.MessageID} {
		*text = names.Replace(*text)
	}
	f.Data = []byte(names.Replace(string(f.Data)))
	return f
}
