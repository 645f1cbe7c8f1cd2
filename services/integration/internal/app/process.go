package app

import (
	"context"
	"slices"
	"sync"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// Read reads a received document through.
func (a *App) Read(ctx context.Context, id string) error {
	view, err := a.Documents.Get(ctx, id)
	if err != nil || view.State.State != domain.Received {
		return err
	}
	h, tenant := view.State.Header, store.CauseOf(ctx).Tenant
	var r domain.Reading
	var errs []document.Error
	err = a.Contents.Lend(ctx, tenant, h.SHA256, h.Size, func(content []byte) { r, errs = reading(h, content) })
	if err != nil {
		return err
	}
	if err := a.Report.Write(ctx, tenant, id, 0, errs); err != nil {
		return err
	}
	return a.commit(ctx, id, func(d domain.Document) []domain.Fact { return domain.Read(d, r) })
}

func reading(h domain.Header, content []byte) (domain.Reading, []document.Error) {
	rows, records, first, errs, usable := document.Through(spec(h), content, false)
	r := domain.Reading{Rows: rows, Records: records, First: first, Errors: int64(len(errs))}
	if !usable {
		for _, e := range errs[:min(len(errs), maxReasons)] {
			r.Reasons = append(r.Reasons, domain.Reason{Code: e.Reason, Field: e.Place(), Message: e.Message})
		}
	}
	return r, errs
}

// Advance hands over the portions that come next from a place on, unless another run has.
func (a *App) Advance(ctx context.Context, id string, from domain.Place) error {
	view, err := a.Documents.Get(ctx, id)
	if err != nil {
		return err
	}
	d, tenant := view.State, store.CauseOf(ctx).Tenant
	if d.State != domain.Parsed || d.Next != from {
		return nil
	}
	var next []*stretch
	err = a.Contents.Lend(ctx, tenant, d.Header.SHA256, d.Header.Size, func(content []byte) {
		next = a.stretches(d, content, a.apart(id, d.Header, content))
	})
	if err != nil {
		return err
	}
	done, err := a.handAll(ctx, d, next)
	if len(done) == 0 {
		return err // what was handed over behind it comes again, under the same keys
	}
	if done[len(done)-1].Last {
		err = faultpoint.Hit(faultpoint.E2)
	} else {
		err = faultpoint.Hit(faultpoint.E1)
	}
	if err != nil {
		return err
	}
	return a.commit(ctx, id, func(d domain.Document) []domain.Fact { return domain.Progress(d, done...) })
}

// apart returns the records whose rows stand apart. All of the document is read for it before
// anything is handed over, and again by a process that goes on with it.
func (a *App) apart(id string, h domain.Header, content []byte) *document.Apart {
	apart, ok := a.Apart.Get(id)
	if !ok {
		apart = document.FindApart(spec(h), content)
		a.Apart.Add(id, apart)
	}
	return apart
}

// stretch is a portion with its records.
type stretch struct {
	records []document.Record
	domain.Portion
}

// independent are the types of which no record looks at another one: their portions may be
// handed over side by side. A bin needs its site, and of two orders the first has the stock.
var independent = map[string]bool{"ITEMS": true, "PARTIES": true, "CARRIERS": true, "CROSS_REFERENCES": true}

// stretches reads the portions that may be handed over side by side. A record whose key one of
// them has waits with its portion, so that of two under one key the later one counts.
func (a *App) stretches(d domain.Document, content []byte, apart *document.Apart) []*stretch {
	most := 1
	if independent[d.Header.Type] {
		most = a.Portions
	}
	var all []*stretch
	met := map[string]bool{}
	for from := d.Next; len(all) < most; {
		next := portion(d, from, content, apart)
		var keys []string
		for _, r := range next.records {
			if len(r.Errors) == 0 {
				keys = append(keys, r.Key)
			}
		}
		if slices.ContainsFunc(keys, func(key string) bool { return met[key] }) {
			break
		}
		for _, key := range keys {
			met[key] = true
		}
		all, from = append(all, next), next.Next
		if next.Last {
			break
		}
	}
	return all
}

// portion reads the records of the portion at a place. Where it ends depends on the document
// alone: every run reports and counts the same records under its number.
func portion(d domain.Document, from domain.Place, content []byte, apart *document.Apart) *stretch {
	p := &stretch{Portion: domain.Portion{From: from}}
	reader, _ := document.Open(spec(d.Header), content, from, false) // it was opened before
	for {
		r, ok := reader.Next()
		if ok {
			apart.Judge(&r)
			p.records = append(p.records, r)
		}
		p.Next = reader.Place()
		p.Last = !ok || p.Next.Records >= d.Records
		if p.Last || len(p.records) >= d.Header.PortionRecords || p.Next.Offset-from.Offset >= d.Header.PortionBytes {
			return p
		}
	}
}

// handAll hands portions over side by side and writes their errors. It returns those before the
// first of which the outcome is not known, and why it is not.
func (a *App) handAll(ctx context.Context, d domain.Document, all []*stretch) ([]domain.Portion, error) {
	failed := make([]error, len(all))
	var group sync.WaitGroup
	for i, s := range all {
		group.Go(func() {
			errs, err := a.hand(ctx, d, s.records, &s.Counts)
			if err == nil {
				err = a.Report.Write(ctx, store.CauseOf(ctx).Tenant, d.ID, d.Portions+1+i, errs)
			}
			failed[i] = err
		})
	}
	group.Wait()
	var done []domain.Portion
	for i, s := range all {
		if failed[i] != nil {
			return done, failed[i]
		}
		done = append(done, s.Portion)
	}
	return done, nil
}

// hand gives the good records to their owner, counts, and returns all errors by record.
func (a *App) hand(ctx context.Context, d domain.Document, records []document.Record, counts *domain.Counts) ([]document.Error, error) {
	var good []document.Record
	for _, r := range records {
		if len(r.Errors) == 0 {
			good = append(good, r)
		}
	}
	refusals, err := a.Owners.Hand(ctx, d, good)
	if err != nil {
		return nil, err
	}
	var errs []document.Error
	for i, n := 0, 0; i < len(records); i++ {
		found := records[i].Errors
		if len(found) == 0 {
			found = refusals[n]
			n++
		}
		if len(found) == 0 {
			counts.Applied++
		} else {
			counts.Refused++
		}
		errs = append(errs, found...)
	}
	counts.Errors = int64(len(errs))
	return errs, nil
}

func (a *App) commit(ctx context.Context, id string, decide func(domain.Document) []domain.Fact) error {
	_, err := a.Documents.Update(ctx, id, func(c store.Current[domain.Document]) (store.Decision[domain.Fact], error) {
		facts := decide(c.State)
		return store.Decision[domain.Fact]{Facts: facts, State: string(domain.After(c.State, facts).State)}, nil
	})
	return err
}
