package domain

// Breaking is a Value some changes of which break documents that were made under the old one.
type Breaking[V Value] interface {
	// Breaks returns the paths of what a change from old to the value may break documents by.
	Breaks(old V) []string
}

// Breaks returns what a change of a record that is in use may break open documents by; nothing
// for one that is not there, or retired already.
func Breaks[V Value](current Record[V], next V) []string {
	b, ok := any(next).(Breaking[V])
	if !ok || current.State != Active {
		return nil
	}
	return b.Breaks(current.Value)
}

// Breaks implements Breaking: quantities that are open were counted in the old units, and what is
// in stock was taken in without the lots, serial numbers or dates that are to be tracked.
func (i Item) Breaks(old Item) (fields []string) {
	for _, was := range old.Packagings {
		same := false
		for _, is := range i.Packagings {
			same = same || is.Unit == was.Unit && is.Ratio == was.Ratio
		}
		if !same {
			fields = append(fields, "packaging_units")
			break
		}
	}
	if a, b := i.Tracking, old.Tracking; a.Lot != b.Lot || a.Serial != b.Serial || a.Expiry != b.Expiry {
		fields = append(fields, "tracking")
	}
	return fields
}

// Breaks implements Breaking: promises and cut-offs were worked out by the site's clock.
func (l Location) Breaks(old Location) []string {
	if l.Kind == Site && l.TimeZone != old.TimeZone {
		return []string{"time_zone"}
	}
	return nil
}

// Breaks implements Breaking: documents go by a service that the carrier no longer sells.
func (r Carrier) Breaks(old Carrier) []string {
	for _, was := range old.Services {
		if !r.Sells(was.Code) {
			return []string{"services"}
		}
	}
	return nil
}
