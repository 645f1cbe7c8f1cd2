package domain

import "slices"

// numbers are those that are given.
func (r Refs) numbers() []string {
	return slices.DeleteFunc([]string{r.PRO, r.BillOfLading, r.Tracking}, func(n string) bool { return n == "" })
}

// Refer adds the numbers of a later report of the departure. It may come before the dispatch
// itself, and after a cancellation; one that names no number adds nothing.
func Refer(f Freight, of Of, r Reported) ([]FreightFact, error) {
	if _, known := f.report(r.Revision); known || len(r.Refs.numbers()) == 0 {
		return nil, nil
	}
	return []FreightFact{FreightReferenced{of, r}}, nil
}

// report returns the place of a report among those that are known.
func (f Freight) report(revision int64) (at int, known bool) {
	return slices.BinarySearchFunc(f.Reported, revision, func(r Reported, revision int64) int { return int(r.Revision - revision) })
}

// Numbers are those of its dispatch, each filled by the first report that names one of its
// carrier where the dispatch named none.
func (f Freight) Numbers() Refs {
	out := f.Refs
	for _, r := range f.reports() {
		for _, n := range []struct{ to, from *string }{
			{&out.PRO, &r.Refs.PRO}, {&out.BillOfLading, &r.Refs.BillOfLading}, {&out.Tracking, &r.Refs.Tracking},
		} {
			if *n.to == "" {
				*n.to = *n.from
			}
		}
	}
	return out
}

// References are the shipment and all numbers by which the carrier may invoice it, each once.
func (f Freight) References() []string {
	out := append([]string{f.Keys.Shipment}, f.Refs.numbers()...)
	for _, r := range f.reports() {
		out = append(out, r.Refs.numbers()...)
	}
	seen := map[string]bool{"": true}
	return slices.DeleteFunc(out, func(n string) bool {
		again := seen[n]
		seen[n] = true
		return again
	})
}

// OtherReferences are the references that are neither the shipment nor among Numbers.
func (f Freight) OtherReferences() []string {
	shown := append(f.Numbers().numbers(), f.Keys.Shipment)
	return slices.DeleteFunc(f.References(), func(n string) bool { return slices.Contains(shown, n) })
}

// reports are those whose numbers are the freight's carrier's: another's number may be any
// shipment's.
func (f Freight) reports() []Reported {
	return slices.DeleteFunc(slices.Clone(f.Reported), func(r Reported) bool { return r.Carrier != "" && r.Carrier != f.Basis.Carrier })
}
