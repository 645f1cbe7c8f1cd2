package sandbox

// Scenario is one order from its export to its end, with what goes wrong on the way and what
// must be true at the end. It is data: systems look up by the order number what is scripted.
type Scenario struct {
	Name, Title string
	Number      string // order number, unique in the tenant; every key derives from it

	// The order.
	Format           string // how the ERP exports it: "CSV" or "JSON"
	Customer         string // party code
	Site             string // location code
	Carrier, Service string
	Lines            []Line

	Receive   []Goods // received before the order comes
	Shorts    []Short // of the first release
	Replenish []Goods // received once something is backordered
	Cancel    string  // reason: the order is cancelled before the warehouse begins
	// Overcharge is what the carrier invoices beyond what was agreed, and Resolution how the
	// dispute ends: the name of a DisputeResolution value.
	Overcharge []Charge
	Resolution string
	Returns    []Back // asked for once the order is closed

	Want Want
}

// Line is a line of an order.
type Line struct {
	Number         int
	SKU            string
	Quantity, Unit string
	Price          string // of one unit, EUR
}

// Goods are received into a bin.
type Goods struct {
	Site, SKU, Bin string
	Quantity, Unit string
}

// Short is what a picker does not find.
type Short struct {
	Line     int
	Quantity string // base unit
	Reason   string // name of a ShortReason value
}

// Charge is an amount under a charge code, minor units of EUR.
type Charge struct {
	Code  string
	Minor int64
}

// Back is what the customer sends back of a line.
type Back struct {
	Line     int
	Quantity string // base unit
	Reason   string // name of a ReturnReason value
	Restock  string // bin that it goes to
}

// Want is what must be true at the end.
type Want struct {
	Order     string   // state
	Lines     []Filled // in order
	Releases  int
	Shipments int
	Freight   int64    // settled for the order, all shipments together, minor units of EUR
	Invoices  []string // states, in order of receipt
	Return    string   // state; empty: none
	Credit    int64    // net, minor units of EUR
	// Stock is the change of what is on hand and AVAILABLE, by "site/SKU", over the scenario.
	Stock map[string]string
	// Elsewhere is the change at virtual locations, by "site/SKU/location".
	Elsewhere map[string]string
}

// Filled is what became of a line, base unit.
type Filled struct {
	Line                         int
	Issued, Delivered, Cancelled string
}

// Scenarios are the ones of the demo, each under an order number that begins with the prefix.
// Walk one of a kind at a time in a tenant: they compare stock before and after, and the one
// with the short pick needs its item to itself.
func Scenarios(prefix string) []Scenario {
	all := []Scenario{straight(), shortPick(), cancelled(), disputed(), returned()}
	for i := range all {
		all[i].Number = prefix + all[i].Number
	}
	return all
}

func straight() Scenario {
	return Scenario{
		Name: "straight", Title: "three lines, all there: ordered, shipped, delivered, invoiced, paid",
		Number: "1001", Format: "CSV", Customer: "C-1001", Site: "HAM", Carrier: "NSPX", Service: "STANDARD",
		Lines: []Line{
			{1, "TEA-GREEN-500", "2", "CS", "71.40"}, {2, "MUG-WHITE", "6", "EA", "8.95"}, {3, "COFFEE-BEANS", "12.5", "KGM", "14.20"},
		},
		Overcharge: []Charge{{"BASE", 10}}, // within tolerance
		Want: Want{
			// 24 × 512 g + 6 × 340 g + 12,500 g + one carton of 350 g = 27,178 g: 3.50 + 27.178 × 0.28 = 11.11, and 12.5 % fuel.
			Order: "CLOSED", Releases: 1, Shipments: 1, Freight: 1111 + 139 + 10, Invoices: []string{"PAID"},
			Lines: []Filled{{1, "24", "24", "0"}, {2, "6", "6", "0"}, {3, "12.5", "12.5", "0"}},
			Stock: map[string]string{"HAM/TEA-GREEN-500": "-24", "HAM/MUG-WHITE": "-6", "HAM/COFFEE-BEANS": "-12.5"},
		},
	}
}

func shortPick() Scenario {
	return Scenario{
		Name: "short", Title: "the picker finds 6 of 10; the rest is backordered, replenished and shipped",
		Number: "1002", Format: "JSON", Customer: "C-1002", Site: "HAM", Carrier: "NSPX", Service: "STANDARD",
		Lines:     []Line{{10, "TEAPOT-12", "10", "EA", "19.90"}},
		Receive:   []Goods{{"HAM", "TEAPOT-12", "HAM/B-04", "10", "EA"}},
		Shorts:    []Short{{10, "4", "MISSING"}},
		Replenish: []Goods{{"HAM", "TEAPOT-12", "HAM/B-04", "4", "EA"}},
		Want: Want{
			// 6 × 780 g + 350 g = 5,030 g: 3.50 + 1.41 = 4.91, least 5.90; 4 × 780 g + 350 g = 3,470 g: 3.50 + 0.69 = 4.19, least 4.90; 12.5 % fuel each.
			Order: "CLOSED", Releases: 2, Shipments: 2, Freight: 590 + 74 + 490 + 61, Invoices: []string{"PAID", "PAID"},
			Lines:     []Filled{{10, "10", "10", "0"}},
			Stock:     map[string]string{"HAM/TEAPOT-12": "0"},
			Elsewhere: map[string]string{"HAM/TEAPOT-12/DISCREPANCY": "4", "HAM/TEAPOT-12/CUSTOMER": "10", "HAM/TEAPOT-12/SUPPLIER": "-14"},
		},
	}
}

func cancelled() Scenario {
	return Scenario{
		Name: "cancel", Title: "cancelled before the warehouse begins: nothing leaves, nothing stays claimed",
		Number: "1003", Format: "CSV", Customer: "C-1003", Site: "RTM", Carrier: "NSPX", Service: "EXPRESS",
		Lines:  []Line{{1, "KETTLE-17", "3", "CS", "118.00"}},
		Cancel: "CUSTOMER_REQUEST",
		Want: Want{
			Order: "CLOSED", Releases: 1, Shipments: 1, Lines: []Filled{{1, "0", "0", "12"}},
			Stock: map[string]string{"RTM/KETTLE-17": "0"},
		},
	}
}

func disputed() Scenario {
	return Scenario{
		Name: "dispute", Title: "the carrier charges a detention nobody agreed to; finance pays what was expected",
		Number: "1004", Format: "JSON", Customer: "C-1006", Site: "HAM", Carrier: "RHFR", Service: "GROUPAGE",
		Lines:      []Line{{1, "SCALE-K5", "10", "CS", "129.00"}, {2, "FILTER-4", "4", "CS", "31.20"}},
		Overcharge: []Charge{{"DETENTION", 9500}}, Resolution: "PAY_AS_EXPECTED",
		Want: Want{
			// 100 × 640 g + 96 × 185 g = 81,760 g in 3 cartons of 350 g: 82,810 g: 25.00 + 26.50 = 51.50, and 9.8 % fuel.
			Order: "CLOSED", Releases: 1, Shipments: 1, Freight: 5150 + 505, Invoices: []string{"PAID"},
			Lines: []Filled{{1, "100", "100", "0"}, {2, "96", "96", "0"}},
			Stock: map[string]string{"HAM/SCALE-K5": "-100", "HAM/FILTER-4": "-96"},
		},
	}
}

func returned() Scenario {
	return Scenario{
		Name: "return", Title: "two of four come back as new: restocked and credited",
		Number: "1005", Format: "CSV", Customer: "C-1001", Site: "HAM", Carrier: "NSPX", Service: "STANDARD",
		Lines:   []Line{{1, "CLOTH-COTTON", "4", "EA", "6.50"}, {2, "SPOON-STEEL", "1", "DZN", "30.00"}},
		Returns: []Back{{1, "2", "NOT_AS_DESCRIBED", "HAM/A-08"}},
		Want: Want{
			// 4 × 96 g + 12 × 24.5 g + 350 g = 1,028 g: 3.50 + 0.21 = 3.71, least 4.90, and 12.5 % fuel.
			Order: "CLOSED", Releases: 1, Shipments: 1, Freight: 490 + 61, Invoices: []string{"PAID"},
			Lines:  []Filled{{1, "4", "4", "0"}, {2, "12", "12", "0"}},
			Return: "COMPLETED", Credit: 1300,
			Stock: map[string]string{"HAM/CLOTH-COTTON": "-2", "HAM/SPOON-STEEL": "-12"},
		},
	}
}
