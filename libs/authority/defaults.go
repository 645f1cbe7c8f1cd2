package authority

import (
	"maps"
	"slices"
	"strings"
)

// defaults is who owns what where a tenant has said nothing: the ERP owns demand, commercial
// holds, item and customer data, vouchers and payments; the WMS owns bins, measures taken in
// the warehouse and all that happens to goods there; the TMS owns carriers, planning, tender
// and dispatch; the carrier owns what happens on the way and its invoice.
//
// A line is a type of object, a subject, its owner and the rule. Commands by which a system
// reports what happened are observed when a stranger gives them, because a report is never
// refused; those that ask for something are refused.
const defaults = `
ITEM * erp OBSERVE
ITEM base_weight_grams wms ACCEPT
ITEM base_dimensions wms ACCEPT
PARTY * erp OBSERVE
LOCATION * wms ACCEPT
CARRIER * tms ACCEPT
ORDER SubmitOrder erp ACCEPT
ORDER PlaceHold erp ACCEPT
ORDER LiftHold erp REFUSE
ORDER RequestCancel erp ACCEPT
RELEASE AcknowledgeWarehouseOrder wms OBSERVE
WAREHOUSE_ORDER AcknowledgeWarehouseOrder wms OBSERVE
WAREHOUSE_ORDER ConfirmPicks wms OBSERVE
WAREHOUSE_ORDER ReportShortPick wms OBSERVE
WAREHOUSE_ORDER PackCarton wms OBSERVE
WAREHOUSE_ORDER PostGoodsIssue wms OBSERVE
STOCK RecordReceipt wms OBSERVE
STOCK MoveStock wms OBSERVE
STOCK AdjustStock wms OBSERVE
SHIPMENT TenderShipment tms REFUSE
SHIPMENT RespondTender carrier OBSERVE
SHIPMENT DispatchShipment tms OBSERVE
SHIPMENT RecordMilestones carrier ACCEPT
SHIPMENT RecordProofOfDelivery carrier ACCEPT
FREIGHT_INVOICE ReceiveFreightInvoice carrier ACCEPT
FREIGHT_INVOICE RecordVoucherPosted erp OBSERVE
FREIGHT_INVOICE RecordPayment erp OBSERVE
RETURN AuthoriseReturn erp ACCEPT
RETURN RecordReturnReceipt wms OBSERVE
RETURN InspectItems wms OBSERVE
RETURN ConfirmCredit erp OBSERVE
`

var embedded, systems = parse(defaults)

func parse(text string) (tables map[string]Table, systems map[string]bool) {
	tables, systems = map[string]Table{}, map[string]bool{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 4 {
			continue
		}
		t := tables[f[0]]
		t.Embedded = true
		t.Policies = append(t.Policies, Policy{Subject: f[1], Owner: f[2], Rule: Rule(f[3])})
		tables[f[0]], systems[f[2]] = t, true
	}
	return tables, systems
}

// Default returns the embedded table for a type of object, e.g. "ITEM"; the zero table for one
// that none is written for.
func Default(objectType string) Table {
	t := embedded[objectType]
	t.Policies = slices.Clone(t.Policies)
	return t
}

// Types returns the types of object that have an embedded table, sorted.
func Types() []string { return slices.Sorted(maps.Keys(embedded)) }

// Known reports whether the embedded tables speak of a system of this name. A system by a name
// of its own ("sap-eu") is bound by the tenant's tables only.
func Known(system string) bool { return systems[system] }
