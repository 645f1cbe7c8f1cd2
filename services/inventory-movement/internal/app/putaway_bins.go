package app

import (
	"context"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// siteBins are the bins of a site as one decision sees them: read once, in portions.
type siteBins struct {
	ctx   context.Context
	a     *Inbound
	site  string
	rules []domain.PutawayRule
	found map[int][]string
	next  []string // bins that are likely to be asked for
	in    map[string][]domain.BinGoods
}

// Of implements domain.Bins.
func (s *siteBins) Of(rule int) ([]string, error) {
	bins, known := s.found[rule]
	if !known {
		r := s.rules[rule]
		var err error
		if r.Zone != "" {
			bins, err = s.a.Putaways.Zones.BinsOf(s.ctx, s.site, r.Zone)
		} else {
			bins, err = s.a.Putaways.Zones.InUse(s.ctx, s.site, r.Bins)
		}
		if err != nil {
			return nil, err
		}
		if r.Strategy != domain.FixedBins {
			slices.SortFunc(bins, domain.Natural)
		}
		s.found[rule] = bins
	}
	s.next = bins
	return bins, nil
}

// In implements domain.Bins.
func (s *siteBins) In(bin string) ([]domain.BinGoods, error) {
	if in, known := s.in[bin]; known {
		return in, nil
	}
	from := max(0, slices.Index(s.next, bin))
	bins := []string{bin}
	for _, b := range s.next[from:] {
		if _, known := s.in[b]; !known && b != bin && len(bins) < shelvesAtOnce {
			bins = append(bins, b)
		}
	}
	err := s.read(bins)
	return s.in[bin], err
}

// read reads what is in bins from the stocks that are noted there.
func (s *siteBins) read(bins []string) error {
	shelves, err := s.a.Putaways.Shelves.Stocks(s.ctx, s.site, bins)
	if err != nil {
		return err
	}
	var ids []string
	for _, b := range bins {
		for _, n := range shelves[b] {
			ids = append(ids, n.Stock)
		}
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	stocks := map[string]domain.Stock{}
	var items []string
	for ids := range slices.Chunk(ids, shelvesAtOnce) {
		views, err := s.a.Stocks.GetMany(s.ctx, ids)
		if err != nil {
			return err
		}
		for _, v := range views {
			stocks[v.ID] = v.State
			items = append(items, v.State.Key.Item)
		}
	}
	known, err := s.a.Reference.Items(s.ctx, items)
	if err != nil {
		return err
	}
	for _, b := range bins {
		var gone []Noted
		s.in[b] = nil
		for _, n := range shelves[b] {
			stock := stocks[n.Stock]
			in := stock.InBin(b, known[stock.Key.Item].Weight)
			if len(in) == 0 {
				gone = append(gone, n)
			}
			s.in[b] = append(s.in[b], in...)
		}
		if len(gone) > 0 && !store.CauseOf(s.ctx).Validate {
			if err := s.a.Putaways.Shelves.Forget(s.ctx, s.site, b, gone); err != nil {
				return err
			}
		}
	}
	return nil
}
