package app

import (
	"context"

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

// Advance hands over the portion that begins at a place, unless another run has.
func (a *App) Advance(ctx context.Context, id string, from domain.Place) error {
	view, err := a.Documents.Get(ctx, id)
	if err != nil {
		return err
	}
	d, tenant := view.State, store.CauseOf(ctx).Tenant
	if d.State != domain.Parsed || d.Next != from {
		return nil
	}
	var records []document.Record
	var p domain.Portion
	err = a.Contents.Lend(ctx, tenant, d.Header.SHA256, d.Header.Size, func(content []byte) {
		records, p = portion(d, content, a.apart(id, d.Header, content))
	})
	if err != nil {
		return err
	}
	errs, err := a.hand(ctx, d, records, &p.Counts)
	if err != nil {
		return err
	}
	if err := a.Report.Write(ctx, tenant, id, d.Portions+1, errs); err != nil {
		return err
	}
	if p.Last {
		err = faultpoint.Hit(faultpoint.E2)
	} else {
		err = faultpoint.Hit(faultpoint.E1)
	}
	if err != nil {
		return err
	}
	return a.commit(ctx, id, func(d domain.Document) []domain.Fact { return domain.Progress(d, p) })
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

// portion reads the records of the next portion. Where it ends depends on the document
// alone: every run reports and counts the same records under its number.
func portion(d domain.Document, content []byte, apart *document.Apart) ([]document.Record, domain.Portion) {
	p := domain.Portion{From: d.Next}
	reader, _ := document.Open(spec(d.Header), content, d.Next, false) // it was opened before
	var records []document.Record
	for {
		r, ok := reader.Next()
		if ok {
			apart.Judge(&r)
			records = append(records, r)
		}
		p.Next = reader.Place()
		p.Last = !ok || p.Next.Records >= d.Records
		if p.Last || len(records) >= d.Header.PortionRecords || p.Next.Offset-p.From.Offset >= d.Header.PortionBytes {
			return records, p
		}
	}
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
