package adapter

import (
	"bytes"
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/app"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// sheet is how records of one type stand in CSV: one row or more each, under the columns that
// the documents of the type have.
type sheet[V domain.Value] struct {
	columns string
	rows    func(V) []line
}

// line is one row by column; what is empty is left out.
type line map[string]string

func (l line) set(column, value string) {
	if value != "" {
		l[column] = value
	}
}

func (l line) number(column string, n int64) {
	if n != 0 {
		l[column] = strconv.FormatInt(n, 10)
	}
}

func (l line) flag(column string, on bool) {
	if on {
		l[column] = "true"
	}
}

func (l line) time(column string, t time.Time) {
	if !t.IsZero() {
		l[column] = t.Format(time.RFC3339Nano)
	}
}

func (l line) address(prefix string, a domain.Address) {
	l.set(prefix+"name", a.Name)
	for i, text := range a.Lines {
		l.set(prefix+"line"+strconv.Itoa(i+1), text)
	}
	l.set(prefix+"city", a.City)
	l.set(prefix+"region", a.Region)
	l.set(prefix+"postal_code", a.PostalCode)
	l.set(prefix+"country", a.Country)
}

func (l line) dimensions(prefix string, d domain.Dimensions) {
	l.number(prefix+"length_mm", d.Length)
	l.number(prefix+"width_mm", d.Width)
	l.number(prefix+"height_mm", d.Height)
}

const addressColumns = "address_name address_line1 address_line2 address_line3 address_line4 address_line5 address_city address_region address_postal_code address_country"

var itemSheet = sheet[domain.Item]{
	columns: `sku name base_unit base_weight_grams length_mm width_mm height_mm lot serial expiry shelf_life_days min_remaining_days
		un_number hazard_class packing_group customs_code country_of_origin
		packaging_unit packaging_numerator packaging_denominator packaging_gross_weight_grams packaging_length_mm packaging_width_mm packaging_height_mm
		identifier_type identifier_value identifier_party identifier_unit`,
	rows: func(i domain.Item) []line {
		rows := make([]line, max(1, len(i.Packagings), len(i.Identifiers)))
		for n := range rows {
			rows[n] = line{"sku": i.SKU}
		}
		first := rows[0]
		first.set("name", i.Name)
		first.set("base_unit", i.BaseUnit)
		if !i.BaseWeight.IsZero() {
			first.set("base_weight_grams", i.BaseWeight.String())
		}
		first.dimensions("", i.Base)
		first.flag("lot", i.Tracking.Lot)
		first.flag("serial", i.Tracking.Serial)
		first.flag("expiry", i.Tracking.Expiry)
		first.number("shelf_life_days", int64(i.Tracking.ShelfLifeDays))
		first.number("min_remaining_days", int64(i.Tracking.MinRemainingDays))
		if h := i.Hazmat; h != nil {
			first.set("un_number", h.UNNumber)
			first.set("hazard_class", h.Class)
			first.set("packing_group", h.PackingGroup)
		}
		first.set("customs_code", i.CustomsCode)
		first.set("country_of_origin", i.Origin)
		for n, p := range i.Packagings {
			rows[n].set("packaging_unit", p.Unit)
			rows[n].number("packaging_numerator", p.Ratio.Num)
			rows[n].number("packaging_denominator", p.Ratio.Den)
			rows[n].number("packaging_gross_weight_grams", p.GrossWeight)
			rows[n].dimensions("packaging_", p.Dimensions)
		}
		for n, d := range i.Identifiers {
			rows[n].set("identifier_type", string(d.Type))
			rows[n].set("identifier_value", d.Value)
			rows[n].set("identifier_party", d.Party)
			rows[n].set("identifier_unit", d.Unit)
		}
		return rows
	},
}

var partySheet = sheet[domain.Party]{
	columns: "code name roles gln address_code " + addressColumns + " address_gln address_time_zone",
	rows: func(p domain.Party) []line {
		rows := make([]line, max(1, len(p.Addresses)))
		for n := range rows {
			rows[n] = line{"code": p.Code}
		}
		rows[0].set("name", p.Name)
		rows[0].set("roles", strings.Join(p.Roles, "|"))
		rows[0].set("gln", p.GLN)
		for n, a := range p.Addresses {
			rows[n].set("address_code", a.Code)
			rows[n].address("address_", a.Address)
			rows[n].set("address_gln", a.GLN)
			rows[n].set("address_time_zone", a.Zone)
		}
		return rows
	},
}

var locationSheet = sheet[domain.Location]{
	columns: "code name kind parent_code time_zone un_locode " + addressColumns + " gln default_site gs1_company_prefix latitude longitude",
	rows: func(l domain.Location) []line {
		row := line{"code": l.Code, "name": l.Name, "kind": string(l.Kind)}
		row.set("parent_code", l.Parent)
		row.set("time_zone", l.TimeZone)
		row.set("un_locode", l.UNLocode)
		if l.Address != nil {
			row.address("address_", *l.Address)
		}
		row.set("gln", l.GLN)
		row.flag("default_site", l.DefaultSite)
		row.set("gs1_company_prefix", l.GS1Prefix)
		row.set("latitude", l.Latitude)
		row.set("longitude", l.Longitude)
		return []line{row}
	},
}

var carrierSheet = sheet[domain.Carrier]{
	columns: "code name party_code service_code service_name mode transit_days",
	rows: func(r domain.Carrier) []line {
		rows := make([]line, max(1, len(r.Services)))
		for n := range rows {
			rows[n] = line{"code": r.Code}
		}
		rows[0].set("name", r.Name)
		rows[0].set("party_code", r.Party)
		for n, s := range r.Services {
			rows[n].set("service_code", s.Code)
			rows[n].set("service_name", s.Name)
			rows[n].set("mode", s.Mode)
			rows[n].number("transit_days", int64(s.TransitDays))
		}
		return rows
	},
}

var referenceSheet = sheet[domain.CrossReference]{
	columns: "system object_type external_id object_key direction valid_from valid_to",
	rows: func(r domain.CrossReference) (rows []line) {
		for _, m := range r.Meanings {
			row := line{"system": r.System, "object_type": r.Type, "external_id": r.External, "object_key": m.Object, "direction": string(m.Direction)}
			row.time("valid_from", m.From)
			row.time("valid_to", m.To)
			rows = append(rows, row)
		}
		return rows
	},
}

// ExportRecords writes a page of records as CSV.
func (s *Server) ExportRecords(ctx context.Context, req *mdv1.ExportRecordsRequest) (*mdv1.ExportRecordsResponse, error) {
	q := query(req)
	switch req.GetType() {
	case mdv1.ExportType_EXPORT_TYPE_PARTIES:
		return exported(ctx, s.parties.Registry, partySheet, q)
	case mdv1.ExportType_EXPORT_TYPE_LOCATIONS:
		return exported(ctx, s.locations.Registry, locationSheet, q)
	case mdv1.ExportType_EXPORT_TYPE_CARRIERS:
		return exported(ctx, s.carriers, carrierSheet, q)
	case mdv1.ExportType_EXPORT_TYPE_CROSS_REFERENCES:
		return exported(ctx, s.references.Registry, referenceSheet, q)
	}
	return exported(ctx, s.items, itemSheet, q)
}

func exported[V domain.Value](ctx context.Context, r *app.Registry[V], sh sheet[V], q store.Query) (*mdv1.ExportRecordsResponse, error) {
	page, err := r.List(ctx, q)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	columns := strings.Fields(sh.columns)
	if q.PageToken == "" {
		_ = w.Write(columns) // into memory
	}
	n := int32(0)
	for _, v := range page.Items {
		if v.State.State != domain.Active {
			continue
		}
		n++
		for _, row := range sh.rows(v.State.Value) {
			_ = w.Write(protovalue.Each(columns, func(c string) string { return row[c] })) // into memory
		}
	}
	w.Flush()
	return &mdv1.ExportRecordsResponse{Content: out.Bytes(), RecordCount: n, NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}, w.Error()
}
