// Package adapter joins freight settlement to the outside: the gRPC API, the store's facts
// and indexes, and the facts of shipments that it follows.
package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// CardsType declares the rate cards of a carrier to the store.
func CardsType() store.Type[domain.Cards, domain.CardFact] {
	return store.Type[domain.Cards, domain.CardFact]{
		Name: "rate_card", Prefix: "rate", Fold: 1,
		Evolve: domain.EvolveCards,
		Encode: func(f domain.CardFact) (string, []byte, error) { return protovalue.Encode(cardMessage(f)) },
		Decode: cardReaders.Decode,
	}
}

// FreightType declares the freight of a shipment to the store.
func FreightType() store.Type[domain.Freight, domain.FreightFact] {
	return store.Type[domain.Freight, domain.FreightFact]{
		Name: "freight", Prefix: "frt", Fold: 2,
		Evolve: domain.EvolveFreight,
		Encode: func(f domain.FreightFact) (string, []byte, error) { return protovalue.Encode(freightMessage(f)) },
		Decode: freightReaders.Decode,
		Indexes: map[string]func(domain.Freight) []string{
			app.IndexState:     func(f domain.Freight) []string { return set(string(f.State())) },
			app.IndexOrder:     func(f domain.Freight) []string { return set(f.Keys.Order) },
			app.IndexReference: references,
			app.IndexCarrier:   carrierKeys,
			app.IndexUnrated: func(f domain.Freight) []string {
				if f.WaitsForRate() {
					return set(f.Basis.Carrier)
				}
				return nil
			},
		},
	}
}

// set returns the keys that are not empty, each once.
func set(keys ...string) []string {
	var out []string
	seen := map[string]bool{}
	for _, k := range keys {
		if k != "" && !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

// references are the numbers that people ask by.
func references(f domain.Freight) []string {
	keys := f.References()
	for _, r := range f.Reported { // also those that another carrier is said to have given
		keys = append(keys, r.Refs.PRO, r.Refs.BillOfLading, r.Refs.Tracking)
	}
	return set(keys...)
}

// carrierKeys are the numbers that its carrier invoices by.
func carrierKeys(f domain.Freight) []string {
	if f.Basis.Carrier == "" {
		return nil
	}
	var keys []string
	for _, r := range f.References() {
		if domain.NormalReference(r) != "" {
			keys = append(keys, app.CarrierKey(f.Basis.Carrier, r))
		}
	}
	return set(keys...)
}

// InvoiceType declares a carrier's invoice to the store.
func InvoiceType() store.Type[domain.Invoice, domain.InvoiceFact] {
	return store.Type[domain.Invoice, domain.InvoiceFact]{
		Name: "freight_invoice", Prefix: "inv", Fold: 1,
		Evolve: domain.EvolveInvoice,
		Encode: func(f domain.InvoiceFact) (string, []byte, error) { return protovalue.Encode(invoiceMessage(f)) },
		Decode: invoiceReaders.Decode,
		Indexes: map[string]func(domain.Invoice) []string{
			app.IndexState:     func(i domain.Invoice) []string { return set(string(i.At)) },
			app.IndexReference: freightsOf,
			app.IndexWaiting:   waitsFor,
			app.IndexDue: func(i domain.Invoice) []string {
				if i.Due.IsZero() {
					return nil
				}
				return set(store.TimeKey(i.Due))
			},
		},
	}
}

func freightsOf(i domain.Invoice) []string {
	keys := make([]string, len(i.Lines))
	for n, l := range i.Lines {
		keys[n] = l.Freight
	}
	return set(keys...)
}

// waitsFor are the references of an invoice that waits for its shipments.
func waitsFor(i domain.Invoice) []string {
	if i.At != domain.Unmatched {
		return nil
	}
	keys := make([]string, len(i.Lines))
	for n, l := range i.Lines {
		keys[n] = app.CarrierKey(i.Carrier, l.Reference)
	}
	return set(keys...)
}
