package brunel

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Dataset is the tables as they are written, values read exactly.
type Dataset struct {
	Orders     []OrderRow
	Rates      []RateRow
	PlantPorts []Pair // plant, port
	Products   []Pair // plant, product
	VMI        []Pair // plant, customer: such a plant serves these customers only
}

// Pair is a row of a table of two columns.
type Pair struct{ Plant, Of string }

// OrderRow is one order.
type OrderRow struct {
	Line                           int // of the file
	Number                         string
	Date                           time.Time
	Carrier, Service, Days         string // transit days as written
	OriginPort, Plant, Destination string
	Customer, Product              string
	Quantity                       int64
	Kilograms                      quantity.Decimal
	Grams                          int64 // Kilograms, rounded half up
}

// RateRow is one weight band of a carrier's service between two ports.
type RateRow struct {
	Carrier, Origin, Destination string
	Service, Days, Mode          string
	From, To                     quantity.Decimal // kg, both inclusive
	Minimum                      money.Amount
	Rate                         money.Rate // for a kilogram
}

// currency is what the dollar signs of the tables are taken for.
const currency = "USD"

// ErrAbsent says that the data set is not there.
var ErrAbsent = errors.New("the Brunel data set is not there")

// Read reads the tables of a folder. A row that cannot be read ends it: the data set is a
// fixed publication.
func Read(dir string) (*Dataset, error) {
	if _, err := os.Stat(filepath.Join(dir, "OrderList.csv")); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: no OrderList.csv in %s; it is no part of this repository, name its folder with --data-dir or DEMO_DATA_DIR", ErrAbsent, dir)
	}
	var d Dataset
	pairs := func(all *[]Pair) func(row) error {
		return func(r row) error {
			*all = append(*all, Pair{r.at(0), r.at(1)})
			return nil
		}
	}
	for _, t := range []struct {
		file    string
		columns int
		read    func(row) error
	}{
		{"OrderList.csv", 14, d.order},
		{"FreightRates.csv", 11, d.rate},
		{"PlantPorts.csv", 2, pairs(&d.PlantPorts)},
		{"ProductsPerPlant.csv", 2, pairs(&d.Products)},
		{"VmiCustomers.csv", 2, pairs(&d.VMI)},
	} {
		if err := table(filepath.Join(dir, t.file), t.columns, t.read); err != nil {
			return nil, err
		}
	}
	return &d, nil
}

// row is one row of a table.
type row struct {
	fields []string
	line   int
}

// at returns a value without the blanks around it: some columns are padded.
func (r row) at(i int) string { return strings.TrimSpace(r.fields[i]) }

func table(path string, columns int, read func(row) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // read only
	if err := rows(file, columns, read); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}

// rows calls read with every row after the header that is not empty.
func rows(from io.Reader, columns int, read func(row) error) error {
	in := csv.NewReader(from)
	in.FieldsPerRecord = columns
	if _, err := in.Read(); err != nil {
		return err
	}
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := in.FieldPos(0)
		if strings.TrimSpace(strings.Join(fields, "")) == "" {
			continue
		}
		if err := read(row{fields, line}); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func (d *Dataset) order(r row) error {
	date, err := time.Parse("1/2/06", r.at(1))
	if err != nil {
		return err
	}
	units, err := strconv.ParseInt(r.at(12), 10, 64)
	if err != nil {
		return err
	}
	kg, err := quantity.Parse(plain(r.at(13)))
	if err != nil {
		return err
	}
	weight, err := grams(kg)
	if err != nil {
		return err
	}
	d.Orders = append(d.Orders, OrderRow{
		Line: r.line, Number: r.at(0), Date: date, OriginPort: r.at(2), Carrier: r.at(3), Days: r.at(4), Service: r.at(5),
		Customer: r.at(8), Product: r.at(9), Plant: r.at(10), Destination: r.at(11), Quantity: units, Kilograms: kg, Grams: weight,
	})
	return nil
}

func (d *Dataset) rate(r row) error {
	from, err := quantity.Parse(plain(r.at(3)))
	if err != nil {
		return err
	}
	to, err := quantity.Parse(plain(r.at(4)))
	if err != nil {
		return err
	}
	minimum, err := money.Parse(plain(r.at(6)), currency)
	if err != nil {
		return err
	}
	per, err := money.ParseRate(plain(r.at(7)))
	if err != nil {
		return err
	}
	d.Rates = append(d.Rates, RateRow{
		Carrier: r.at(0), Origin: r.at(1), Destination: r.at(2), From: from, To: to, Service: r.at(5), Minimum: minimum, Rate: per,
		Mode: r.at(8), Days: r.at(9),
	})
	return nil
}

// plain is a number without the dollar sign and the commas between its thousands.
func plain(text string) string {
	return strings.TrimSpace(strings.NewReplacer("$", "", ",", "").Replace(text))
}

// grams rounds a weight half up. Rounding keeps the order of weights, so a weight within a
// band is within it still when both are rounded.
func grams(kg quantity.Decimal) (int64, error) {
	whole, err := kg.MulRounded(quantity.Ratio{Num: 1000, Den: 1}, 0, quantity.HalfUp)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(whole.String(), 10, 64)
}
