package domain

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Columns of a balance file.
const (
	columnSite     = "site"
	columnSKU      = "sku"
	columnOwner    = "owner"
	columnLocation = "location"
	columnLot      = "lot"
	columnSerial   = "serial"
	columnStatus   = "status"
	columnQuantity = "quantity"
	columnUnit     = "unit"
	columnAsOf     = "as_of_time"
)

// longestRow is how long a row may be, in bytes.
const longestRow = 4096

// Header is what the first line of a file says.
type Header struct {
	Columns   []string
	Separator string
}

// index is where a column stands; -1 where it does not.
func (h Header) index(column string) int { return slices.Index(h.Columns, column) }

// ReadHeader reads the first line of a file.
func ReadHeader(line string, sites int) (Header, error) {
	h := Header{Separator: ","}
	line = strings.TrimPrefix(line, "\ufeff")
	if strings.Count(line, ";") > strings.Count(line, ",") {
		h.Separator = ";"
	}
	fields, err := fieldsOf(line, h.Separator)
	if err != nil {
		return h, Invalid("content", "COLUMNS_INVALID", "the header cannot be read")
	}
	all := []string{columnSite, columnSKU, columnOwner, columnLocation, columnLot, columnSerial, columnStatus, columnQuantity, columnUnit, columnAsOf}
	for _, f := range fields {
		name := strings.ToLower(strings.TrimSpace(f))
		switch {
		case !slices.Contains(all, name):
			return h, Invalid("content", "COLUMNS_INVALID", "the header has a column %q: use %s", name, strings.Join(all, ", "))
		case slices.Contains(h.Columns, name):
			return h, Invalid("content", "COLUMNS_INVALID", "the header has column %s twice", name)
		}
		h.Columns = append(h.Columns, name)
	}
	need := []string{columnSKU, columnQuantity, columnUnit}
	if sites > 1 {
		need = append(need, columnSite)
	}
	for _, name := range need {
		if !slices.Contains(h.Columns, name) {
			return h, Invalid("content", "COLUMNS_INVALID", "the header has no column %s", name)
		}
	}
	return h, nil
}

// fieldsOf reads the fields of one line.
func fieldsOf(line, separator string) ([]string, error) {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, separator), nil
	}
	r := csv.NewReader(strings.NewReader(line))
	r.Comma, r.FieldsPerRecord = rune(separator[0]), -1
	return r.Read()
}

// Line is one row of a file as it stands there.
type Line struct {
	Number int64 // from 1, over all portions
	Fields []string
	Err    *RowError // it cannot be read
}

// field is a trimmed field; "" where the file has no such column.
func (l Line) field(h Header, column string) string {
	if i := h.index(column); i >= 0 {
		return strings.TrimSpace(l.Fields[i])
	}
	return ""
}

// SKU is the item that a line names.
func (l Line) SKU(h Header) string {
	if l.Err != nil {
		return ""
	}
	return l.field(h, columnSKU)
}

// Lines cuts content into rows, the header left out if it begins with one; before is how many
// lines of the file came before. Empty lines are none.
func Lines(content []byte, h Header, before int64) (out []Line, lines int64) {
	for len(content) > 0 {
		var line []byte
		if i := bytes.IndexByte(content, '\n'); i >= 0 {
			line, content = content[:i], content[i+1:]
		} else {
			line, content = content, nil
		}
		lines++
		text := strings.TrimRight(string(line), "\r")
		if number := before + lines; number > 1 && strings.TrimSpace(text) != "" {
			out = append(out, readLine(text, number, h))
		}
	}
	return out, lines
}

func readLine(text string, number int64, h Header) Line {
	l := Line{Number: number}
	bad := func(why string) Line {
		l.Err = &RowError{Line: number, Reason: "ROW_MALFORMED", Message: why}
		return l
	}
	if len(text) > longestRow {
		return bad("the row is longer than 4 KiB")
	}
	if !utf8.ValidString(text) {
		return bad("the row is no UTF-8")
	}
	fields, err := fieldsOf(text, h.Separator)
	switch {
	case err != nil:
		return bad("a field with quotes begins and ends with one, and has others doubled")
	case len(fields) != len(h.Columns):
		return bad("the row has " + strconv.Itoa(len(fields)) + " fields, the header " + strconv.Itoa(len(h.Columns)))
	}
	l.Fields = fields
	return l
}

// SnapshotRow is a row of a file in the item's base unit.
type SnapshotRow struct {
	Site, SKU, Owner, Unit string
	Place                  Place
	Quantity               quantity.Decimal
	Line                   int64
	Bad                    bool // its quantity cannot be read: its key is not compared
}

// Portion is a part of a file that was read.
type Portion struct {
	Header Header
	Lines  int64
	Taken  int64
	Bad    int64
	Rows   []SnapshotRow // those taken, and those whose key alone can be read
	Errors []RowError
}

// Add reads a line against master data.
func (p *Portion) Add(l Line, k SnapshotKeys, items map[string]Item) {
	row, err := p.read(l, k, items)
	if err == nil {
		p.Taken++
		p.Rows = append(p.Rows, row)
		return
	}
	p.Bad++
	if len(p.Errors) < maxSnapshotErrors {
		p.Errors = append(p.Errors, *err)
	}
	if row.Unit != "" {
		row.Bad = true
		p.Rows = append(p.Rows, row)
	}
}

// read reads a row; one of which only the quantity is bad has its unit.
func (p *Portion) read(l Line, k SnapshotKeys, items map[string]Item) (SnapshotRow, *RowError) {
	if l.Err != nil {
		return SnapshotRow{}, l.Err
	}
	h := p.Header
	bad := func(field, reason, text string) *RowError { return &RowError{l.Number, field, reason, text} }
	row := SnapshotRow{
		Site: l.field(h, columnSite), SKU: l.field(h, columnSKU), Owner: l.field(h, columnOwner), Line: l.Number,
		Place: Place{Location: l.field(h, columnLocation), Lot: l.field(h, columnLot), Serial: l.field(h, columnSerial), Status: Status(strings.ToUpper(l.field(h, columnStatus)))},
	}
	if row.Site == "" && h.index(columnSite) < 0 {
		row.Site = k.Sites[0]
	}
	if row.Owner == "" {
		row.Owner = OwnStock
	}
	item, known := items[row.SKU]
	switch {
	case !slices.Contains(k.Sites, row.Site):
		return row, bad(columnSite, "SITE_OUT_OF_SCOPE", "the snapshot is not of this site")
	case row.SKU == "":
		return row, bad(columnSKU, "VALUE_REQUIRED", "name the item")
	case !known:
		return row, bad(columnSKU, "ITEM_UNKNOWN", "master data has no such item")
	case h.index(columnLocation) >= 0 && row.Place.Location == "":
		return row, bad(columnLocation, "VALUE_REQUIRED", "name the bin, or leave the column away for all rows")
	case Reserved(row.Place.Location):
		return row, bad(columnLocation, "LOCATION_RESERVED", "it is no bin")
	case h.index(columnStatus) >= 0 && !slices.Contains(statuses, row.Place.Status):
		return row, bad(columnStatus, "STATUS_UNKNOWN", "use one of the statuses of stock")
	}
	if text := l.field(h, columnAsOf); text != "" {
		if at, err := time.Parse(time.RFC3339, text); err != nil || !at.Equal(k.AsOf) {
			return row, bad(columnAsOf, "AS_OF_CONFLICT", "it is not the moment of the snapshot")
		}
	}
	row.Unit = item.BaseUnit
	var err *RowError
	if row.Quantity, err = p.amount(l, item); err == nil && row.Place.Serial != "" {
		err = numberedRow(row, item, bad)
	}
	return row, err
}

// numberedRow refuses a row of a piece that is none.
func numberedRow(row SnapshotRow, item Item, bad func(field, reason, text string) *RowError) *RowError {
	switch {
	case !item.Serial:
		return bad(columnSerial, "SERIAL_UNTRACKED", "the item is not kept by serial number")
	case One.Less(row.Quantity):
		return bad(columnSerial, "SERIAL_COUNT", "one piece has one serial number")
	}
	return nil
}

// amount reads a quantity: none is none, less is bad.
func (p *Portion) amount(l Line, item Item) (quantity.Decimal, *RowError) {
	text, unit := l.field(p.Header, columnQuantity), l.field(p.Header, columnUnit)
	d, err := quantity.Parse(text)
	if err != nil || d.Sign() < 0 {
		return quantity.Decimal{}, &RowError{l.Number, columnQuantity, "QUANTITY_INVALID", "it is no decimal of 0 or more"}
	}
	if d.IsZero() {
		return d, nil
	}
	q, err := item.Base(quantity.Quantity{Value: d, Unit: unit}, columnQuantity)
	if err == nil {
		return q.Value, nil
	}
	out := &RowError{l.Number, columnQuantity, "QUANTITY_INVALID", "it cannot be converted to the base unit"}
	var f *fault.Error
	if errors.As(err, &f) && len(f.Fields) > 0 {
		out.Reason, out.Message = f.Fields[0].Reason, f.Fields[0].Description
		if out.Reason == "UNIT_UNKNOWN" {
			out.Field = columnUnit
		}
	}
	return quantity.Decimal{}, out
}

// statuses are all statuses of stock.
var statuses = []Status{Available, QI, Blocked, Damaged, Returned, Quarantine}
