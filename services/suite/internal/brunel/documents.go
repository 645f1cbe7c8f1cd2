package brunel

import (
	"cmp"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"time"

	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
)

// sheet is a CSV document as the documents' door takes it, one record a row.
type sheet struct {
	kind    integrationv1.DocumentType
	message string // message id
	header  []string
	rows    [][]string
}

func (s sheet) text() string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(s.header)  // a builder takes everything
	_ = w.WriteAll(s.rows) // flushes
	return b.String()
}

// What the data set does not say. Its places are anonymous; an address needs a country, a
// site a time zone, and its cartons a company prefix: 952 is GS1's for demonstrations.
const (
	country = "US"
	zone    = "UTC"
	prefix  = "9521234"
	bin     = "BULK"
)

// MasterData is the documents that come before the orders, but for the stock.
func (p *Plan) MasterData() []sheet {
	return []sheet{p.sites(), p.items(), p.customers(), p.carriers()}
}

// sites are the plants; the first port of each is where it stands.
func (p *Plan) sites() sheet {
	s := sheet{
		kind: integrationv1.DocumentType_DOCUMENT_TYPE_LOCATIONS, message: "LOCATIONS",
		header: []string{"code", "name", "kind", "time_zone", "address_name", "address_city", "address_country", "gs1_company_prefix"},
	}
	seen := map[string]bool{}
	for _, l := range p.data.PlantPorts {
		if !seen[l.Plant] {
			seen[l.Plant] = true
			s.rows = append(s.rows, []string{l.Plant, "Plant " + l.Plant, "SITE", zone, l.Plant, l.Of, country, prefix})
		}
	}
	return s
}

// items are the products that some plant makes. They have no weight of their own: the data
// set has the same product at many weights, each order its own.
func (p *Plan) items() sheet {
	s := sheet{kind: integrationv1.DocumentType_DOCUMENT_TYPE_ITEMS, message: "ITEMS", header: []string{"sku", "name", "base_unit"}}
	seen := map[string]bool{}
	for _, pair := range p.data.Products {
		if !seen[pair.Of] {
			seen[pair.Of] = true
			s.rows = append(s.rows, []string{pair.Of, "Microchip " + pair.Of, "EA"})
		}
	}
	return s
}

// customers are the parties, each with one address a destination port.
func (p *Plan) customers() sheet {
	s := sheet{
		kind: integrationv1.DocumentType_DOCUMENT_TYPE_PARTIES, message: "PARTIES",
		header: []string{"code", "name", "roles", "address_code", "address_name", "address_city", "address_country"},
	}
	seen := map[Pair]bool{}
	for _, o := range p.data.Orders {
		if at := (Pair{o.Customer, o.Destination}); !seen[at] {
			seen[at] = true
			s.rows = append(s.rows, []string{o.Customer, "Customer " + o.Customer, "CUSTOMER|SHIP_TO", o.Destination, o.Customer, o.Destination, country})
		}
	}
	slices.SortStableFunc(s.rows, func(a, b []string) int { return cmp.Compare(a[0], b[0]) }) // rows of a party stand together
	return s
}

// modes of transport in the words of master data.
var modes = map[string]string{"AIR": "AIR", "GROUND": "LESS_THAN_TRUCKLOAD", "": "COURIER"}

// carriers are those of the rate table and of the orders, with every service that either names.
func (p *Plan) carriers() sheet {
	s := sheet{
		kind: integrationv1.DocumentType_DOCUMENT_TYPE_CARRIERS, message: "CARRIERS",
		header: []string{"code", "name", "service_code", "service_name", "mode", "transit_days"},
	}
	seen := map[Pair]bool{}
	add := func(carrier, level, days, mode string) {
		if at := (Pair{carrier, service(level, days)}); !seen[at] {
			seen[at] = true
			s.rows = append(s.rows, []string{carrier, "Carrier " + carrier, at.Of, level + " in " + days + " days", modes[mode], days})
		}
	}
	for _, r := range p.data.Rates {
		add(r.Carrier, r.Service, r.Days, r.Mode)
	}
	for _, o := range p.data.Orders {
		add(o.Carrier, o.Service, o.Days, "")
	}
	slices.SortStableFunc(s.rows, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	return s
}

// Stock is the opening stock: of each product at each plant as much as is ordered of it there.
func (p *Plan) Stock() sheet {
	s := sheet{
		kind: integrationv1.DocumentType_DOCUMENT_TYPE_STOCK_RECEIPTS, message: "STOCK",
		header: []string{"site", "sku", "location", "quantity", "unit", "document"},
	}
	for _, n := range p.stock() {
		s.rows = append(s.rows, n.row())
	}
	return s
}

// export is a document of orders.
func export(message string, orders []OrderRow) sheet {
	s := sheet{
		kind: integrationv1.DocumentType_DOCUMENT_TYPE_ORDERS, message: message,
		header: []string{
			"order_number", "sold_to", "ship_to", "ship_to_address", "site", "carrier", "service_level", "requested_time",
			"line_number", "sku", "quantity", "unit",
		},
	}
	for _, o := range orders {
		s.rows = append(s.rows, []string{
			o.Number, o.Customer, o.Customer, o.Destination, o.Plant, o.Carrier, service(o.Service, o.Days), o.Date.Format(time.DateOnly),
			"1", o.Product, strconv.FormatInt(o.Quantity, 10), "EA",
		})
	}
	return s
}
