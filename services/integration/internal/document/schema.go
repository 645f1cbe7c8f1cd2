package document

import (
	"strings"

	"google.golang.org/protobuf/proto"

	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// schema says how the rows of one document type become messages.
type schema struct {
	message func() proto.Message
	key     []string // columns that name a record
	grouped bool     // rows of one key that stand together are one record
	columns []column
	// finish completes a message from its rows, beyond what columns say by themselves.
	finish func(m proto.Message, rows []values)
}

// column is one column of CSV with the field it fills. A path with [] fills a new element
// for each row of the record.
type column struct {
	name, path string
	need       bool
	ofRow      bool   // each row of a record may have a value of its own
	currency   string // for an amount: the column with its currency
}

// values are a row's values by column.
type values map[string]string

// columnsOf reads a table: name, path, * for a column that must be there, row for one that
// each row has though its path does not say so.
func columnsOf(text string) []column {
	var all []column
	for line := range strings.Lines(strings.TrimSpace(text)) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		c := column{name: f[0], path: f[1], ofRow: strings.Contains(f[1], "[]")}
		for _, option := range f[2:] {
			switch option {
			case "*":
				c.need = true
			case "row":
				c.ofRow = true
			default:
				c.currency = strings.TrimPrefix(option, "currency=")
			}
		}
		if c.path == "-" { // filled by finish, or read with another column
			c.path = ""
		}
		all = append(all, c)
	}
	return all
}

// address is the columns of an address under a prefix of name and path.
func address(name, path string) string {
	var b strings.Builder
	for _, part := range []string{
		"name name", "line1 lines", "line2 lines", "line3 lines", "line4 lines", "line5 lines", "city city", "region region", "postal_code postal_code", "country country",
	} {
		column, field, _ := strings.Cut(part, " ")
		b.WriteString(name + column + " " + path + "." + field + "\n")
	}
	return b.String()
}

// schemas by document type. The README has the same table for the sender.
var schemas = map[string]*schema{
	"ORDERS": {
		message: func() proto.Message { return &orderreleasev1.OrderDocument{} },
		key:     []string{"order_number"}, grouped: true,
		columns: columnsOf(`
			order_number order_number *
			purchase_order purchase_order
			sold_to sold_to.party_code *
			sold_to_address sold_to.address_code
			ship_to ship_to.party_code
			ship_to_address ship_to.address_code
			` + address("ship_to_", "ship_to.address") + `
			bill_to bill_to.party_code
			incoterm incoterm
			carrier carrier_preference
			service_level service_level
			priority priority
			delivery_rule delivery_rule
			release_mode release_mode
			requested_time requested_time
			promised_time promised_time
			ship_by ship_by
			deliver_by deliver_by
			time_zone time_zone
			currency currency
			value value currency=currency
			site site
			line_number lines[].line_number *
			sku lines[].sku
			gtin lines[].gtin
			quantity lines[].quantity.value *
			unit lines[].quantity.unit *
			unit_price lines[].unit_price
			line_site lines[].site
			customer_item lines[].customer_item`),
	},
	"ITEMS": {
		message: func() proto.Message { return &masterdatav1.Item{} },
		key:     []string{"sku"}, grouped: true, finish: identifiers,
		columns: columnsOf(`
			sku sku *
			name name *
			base_unit base_unit *
			base_weight_grams base_weight_grams
			length_mm base_dimensions.length_mm
			width_mm base_dimensions.width_mm
			height_mm base_dimensions.height_mm
			lot tracking.lot
			serial tracking.serial
			expiry tracking.expiry
			shelf_life_days tracking.shelf_life_days
			min_remaining_days tracking.min_remaining_days
			un_number hazmat.un_number
			hazard_class hazmat.hazard_class
			packing_group hazmat.packing_group
			customs_code customs_code
			country_of_origin country_of_origin
			gtin -
			packaging_unit packaging_units[].unit
			packaging_numerator packaging_units[].numerator
			packaging_denominator packaging_units[].denominator
			packaging_gross_weight_grams packaging_units[].gross_weight_grams
			packaging_length_mm packaging_units[].dimensions.length_mm
			packaging_width_mm packaging_units[].dimensions.width_mm
			packaging_height_mm packaging_units[].dimensions.height_mm
			packaging_gtin - row
			identifier_type - row
			identifier_value - row
			identifier_party - row
			identifier_unit - row`),
	},
	"PARTIES": {
		message: func() proto.Message { return &masterdatav1.Party{} },
		key:     []string{"code"}, grouped: true,
		columns: columnsOf(`
			code code *
			name name *
			roles roles *
			gln gln
			address_code addresses[].code
			` + address("address_", "addresses[].address") + `
			address_gln addresses[].gln
			address_time_zone addresses[].time_zone`),
	},
	"LOCATIONS": {
		message: func() proto.Message { return &masterdatav1.Location{} },
		key:     []string{"code"},
		columns: columnsOf(`
			code code *
			name name *
			kind kind *
			parent_code parent_code
			time_zone time_zone
			un_locode un_locode
			` + address("address_", "address") + `
			gln gln
			default_site default_site
			gs1_company_prefix gs1_company_prefix
			latitude latitude
			longitude longitude`),
	},
	"CARRIERS": {
		message: func() proto.Message { return &masterdatav1.Carrier{} },
		key:     []string{"code"}, grouped: true,
		columns: columnsOf(`
			code code *
			name name *
			party_code party_code
			service_code services[].code
			service_name services[].name
			mode services[].mode
			transit_days services[].transit_days`),
	},
	"CROSS_REFERENCES": {
		message: func() proto.Message { return &masterdatav1.CrossReference{} },
		key:     []string{"system", "object_type", "external_id"},
		columns: columnsOf(`
			system system *
			object_type object_type *
			external_id external_id *
			object_key object_key *
			direction direction *
			valid_from valid_from
			valid_to valid_to`),
	},
	"CODE_LISTS": {
		message: func() proto.Message { return &masterdatav1.CodeList{} },
		key:     []string{"code"}, grouped: true,
		columns: columnsOf(`
			code code *
			standard standard
			name name
			version version
			entry_code entries[].code *
			canonical_code entries[].canonical_code
			meaning entries[].meaning
			valid_from entries[].valid_from
			valid_to entries[].valid_to`),
	},
	"STOCK_RECEIPTS": {
		message: func() proto.Message { return &inventorymovementv1.GoodsReceipt{} },
		key:     []string{"site", "sku"},
		columns: columnsOf(`
			site site *
			sku sku *
			owner owner
			location location *
			lot lot
			expiry_date expiry_date
			quantity quantity.value *
			unit quantity.unit *
			document document`),
	},
	"FREIGHT_INVOICES": {
		message: func() proto.Message { return &freightsettlementv1.ReceiveFreightInvoiceRequest{} },
		key:     []string{"carrier", "invoice_number"}, grouped: true,
		columns: columnsOf(`
			carrier carrier *
			invoice_number invoice_number *
			invoice_date invoice_date *
			reference lines[].reference *
			charge_code lines[].charge_code *
			amount lines[].amount * currency=currency
			currency - * row`),
	},
}

// identifiers adds the GTINs of an item's base unit and of its packaging units.
func identifiers(m proto.Message, rows []values) {
	item := m.(*masterdatav1.Item)
	add := func(gtin, unit string) {
		if gtin != "" {
			item.Identifiers = append(item.Identifiers, &masterdatav1.ItemIdentifier{
				Type: masterdatav1.IdentifierType_IDENTIFIER_TYPE_GTIN, Value: gtin, Unit: unit,
			})
		}
	}
	add(rows[0]["gtin"], "")
	for _, row := range rows {
		add(row["packaging_gtin"], row["packaging_unit"])
		if row["identifier_value"] == "" && row["identifier_type"] == "" {
			continue
		}
		prefix := "IDENTIFIER_TYPE_"
		name := prefix + strings.TrimPrefix(strings.ToUpper(row["identifier_type"]), prefix)
		item.Identifiers = append(item.Identifiers, &masterdatav1.ItemIdentifier{
			Type:  masterdatav1.IdentifierType(masterdatav1.IdentifierType_value[name]), // another word is none, and refused as such
			Value: row["identifier_value"], PartyCode: row["identifier_party"], Unit: row["identifier_unit"],
		})
	}
	for _, p := range item.GetPackagingUnits() {
		if p.GetDenominator() == 0 {
			p.Denominator = 1
		}
	}
}

// complete fills in what a document's records take from the document itself, and refuses
// what differs from it.
func complete(r *Record, spec Spec) {
	order, ok := r.Message.(*orderreleasev1.OrderDocument)
	if !ok {
		if invoice, ok := r.Message.(*freightsettlementv1.ReceiveFreightInvoiceRequest); ok {
			invoice.Source = nil // the document's own
		}
		return
	}
	if order.GetSourceSystem() == "" {
		order.SourceSystem = spec.System
	}
	if order.GetSourceSystem() != spec.System {
		r.Errors = append(r.Errors, r.Refuse("source_system", "SOURCE_DIFFERS",
			"the order is of system "+order.GetSourceSystem()+", the document of "+spec.System))
	}
}

// keyOf returns what names a record whose message is there.
func keyOf(m proto.Message) string {
	switch m := m.(type) {
	case *orderreleasev1.OrderDocument:
		return m.GetOrderNumber()
	case *masterdatav1.Item:
		return m.GetSku()
	case *masterdatav1.CrossReference:
		return join(m.GetSystem(), strings.TrimPrefix(m.GetObjectType().String(), "OBJECT_TYPE_"), m.GetExternalId())
	case *inventorymovementv1.GoodsReceipt:
		return join(m.GetSite(), m.GetSku())
	case *freightsettlementv1.ReceiveFreightInvoiceRequest:
		return join(m.GetCarrier(), m.GetInvoiceNumber())
	case interface{ GetCode() string }:
		return m.GetCode()
	}
	return ""
}

func join(parts ...string) string { return strings.Trim(strings.Join(parts, "/"), "/") }
