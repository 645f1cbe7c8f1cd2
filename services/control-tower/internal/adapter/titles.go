package adapter

import (
	"regexp"
	"strings"
	"unicode"

	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
)

// titles are what facts mean in plain words, by package and name. A part in brackets is told
// when the step has the detail in it; "~" turns the name of an enum value into words. A fact
// without a title is told by its name.
var titles = map[string]map[string]string{
	"orderrelease": {
		"OrderReceived":        "Order received[, revision {revision}]",
		"OrderValidated":       "Order is valid",
		"OrderRejected":        "Order rejected",
		"HoldPlaced":           "Hold placed[: {type~}]",
		"HoldLifted":           "Hold lifted[: {type~}]",
		"PromiseRequested":     "Stock asked for[, attempt {attempt}]",
		"LinesPromised":        "Stock promised",
		"PromiseRefused":       "Stock refused",
		"PromiseClosed":        "Attempt to get stock given up",
		"OrderReleased":        "Released[ to {site}]",
		"ReleaseBackordered":   "Remainder waits for stock[ at {site}]",
		"ReleaseAllocated":     "Stock allocated to the release",
		"ReleaseAcknowledged":  "Warehouse has the release",
		"LinesPicked":          "Lines picked",
		"LinesShorted":         "Lines picked short",
		"LinesIssued":          "Lines issued",
		"LinesDispatched":      "Lines dispatched",
		"LinesShipped":         "Counts as shipped[ by {policy~}]",
		"OrderFulfilled":       "Order fulfilled",
		"LinesDelivered":       "Lines delivered",
		"RemainderCancelled":   "Remainder cancelled[: {reason~}]",
		"CancelRequested":      "Warehouse asked to cancel the release[ at {site}]",
		"ReleaseCancelled":     "Release cancelled",
		"CancelRefused":        "Warehouse does not cancel the release",
		"StopRequested":        "Warehouse asked to stop[ at {site}][ for the hold {hold~}]",
		"StopRefused":          "Warehouse goes on whatever is held[: {reason~}]",
		"ReleaseWithdrawn":     "Release withdrawn; its stock stays promised",
		"AmendmentRequested":   "Warehouse asked to take something off the release[ at {site}][: {reason~}]",
		"ReleaseAmended":       "Release amended",
		"AmendmentRefused":     "Warehouse does not amend the release",
		"OrderCancelled":       "Order cancelled[: {reason~}]",
		"OrderClosed":          "Order closed",
		"ReportContradicted":   "A report does not fit the order",
		"IssueReversalAllowed": "Order lets the goods issue be reversed",
		"IssueReversalDenied":  "Order does not let the goods issue be reversed[: {reason~}]",
		"LinesIssueReversed":   "Issued lines taken back",
		"IssueReversalEnded":   "Goods issue stays[: {reason~}]",

		"OrderSourced":          "Sites that may deliver are chosen",
		"ReleaseDeferred":       "Release[ from {deferral.site}] waits for its channel[: {deferral.reason~}]",
		"SourcingRulesChanged":  "Sourcing rules changed",
		"ReleaseChannelDefined": "Release channel defined",
		"ReleaseChannelClosed":  "Release channel closed[ at {site}]",
		"ReleaseChannelOpened":  "Release channel opened[ at {site}]",
		"OrderWordObserved":     "Kept as an observation, nothing changed[: {word.command}][ by {word.system}][, which {word.owner} owns]",
		"PromiseDated":          "Promised by a date[ at {site}][: {reason~}]",
		"PromiseUndated":        "Not promised[ at {site}][: {reason~}]",
		"ChannelPlaceTaken":     "Release has a place in its channel's window[ at {site}]",
		"ChannelPlaceFreed":     "Release left its place in its channel's window[ at {site}]",
	},
	"inventorymovement": {
		"StockMoved":                     "Stock moved[: {type~}][, from {from.location}][ to {to.location}]",
		"StockReserved":                  "Stock reserved",
		"ReservationReleased":            "Reservation given back",
		"ReservationConfirmed":           "Reservation confirmed",
		"StockAllocated":                 "Stock allocated to the warehouse order",
		"AllocationFreed":                "Allocation given back",
		"WarehouseOrderCreated":          "Warehouse order created[ at {site}]",
		"WarehouseOrderAllocated":        "Pick tasks made",
		"WarehouseOrderAcknowledged":     "Warehouse order acknowledged",
		"PickConfirmed":                  "Picked",
		"PickShorted":                    "Picked short[: {reason~}]",
		"ReportContradicted":             "A report of the warehouse contradicts its order[: {reason~}]",
		"CartonPacked":                   "Carton packed",
		"GoodsIssued":                    "Goods issued",
		"WarehouseOrderCancelled":        "Warehouse order cancelled[: {reason~}]",
		"WarehouseOrderCancelRefused":    "Warehouse goes on with the order[: {reason~}]",
		"WarehouseOrderPutBackStarted":   "Picked goods are to be put back[: {reason~}]",
		"PutBackConfirmed":               "Put back",
		"WarehouseOrderStopped":          "Warehouse order stopped[: {reason~}]",
		"WarehouseOrderStopRefused":      "Warehouse does not stop[: {reason~}]",
		"WarehouseOrderStockKept":        "Stock kept for the order",
		"WarehouseOrderAmended":          "Warehouse order amended",
		"WarehouseOrderAmendmentRefused": "Warehouse goes on with the order as it is",
		"NumbersTaken":                   "Numbers for cartons taken",
		"WarehouseOrderWordObserved":     "Kept as an observation, nothing changed[: {word.command}][ by {word.system}][, which {word.owner} owns]",
		"StockWordObserved":              "Kept as an observation, nothing changed[: {word.command}][ by {word.system}][, which {word.owner} owns]",
		"AllocationPolicySet":            "Allocation policy set",
		"AsnRegistered":                  "Delivery announced",
		"DeliveryArrived":                "Delivery arrived",
		"GoodsReceived":                  "Goods received",
		"ReceiptDiscrepancyFound":        "What came is not what was announced[: {type~}]",
		"InboundRemainderCancelled":      "Remainder of the delivery cancelled[: {reason~}]",
		"InspectionRecorded":             "Goods inspected",
		"OverReceiptResolved":            "Decided on goods that were too many[: {decision~}]",
		"PutawayConfirmed":               "Goods put away",
		"PutawayRulesSet":                "Put-away rules set[ at {rules.site}]",
		"PutawayProposed":                "Put-away proposed[ at {keys.site}]",
		"PutawaySettled":                 "Bins kept for goods are free",
		"HandlingUnitCreated":            "Handling unit made[ at {keys.site}]",
		"HandlingUnitNestRequested":      "Handling unit to go into another",
		"HandlingUnitNestRefused":        "Handling unit not taken[: {reason~}]",
		"HandlingUnitNested":             "Handling unit put into another",
		"HandlingUnitUnnested":           "Handling unit taken out of another",
		"HandlingUnitFreed":              "Handling unit in no other any more",
		"HandlingUnitClosed":             "Handling unit closed",
		"HandlingUnitReopened":           "Handling unit opened again",
		"HandlingUnitVoided":             "Handling unit given up[: {reason~}]",
		"HandlingUnitIssued":             "Handling unit left",
		"ContainedUnitIssued":            "A unit in the handling unit left",
		"HandlingUnitWeighed":            "Handling unit weighed",
		"AuditHoldReleased":              "Handling unit may leave in spite of its weight[: {reason~}]",
		"WaveRequested":                  "Wave asks its orders[ at {site}]",
		"WavePlanned":                    "Wave planned",
		"WaveReleased":                   "Wave released",
		"WaveCancelled":                  "Wave called off[: {reason~}]",
		"WarehouseOrderWaved":            "Warehouse order put into a wave",
		"WarehouseOrderUnwaved":          "Warehouse order in no wave any more",
		"CartonTypeDefined":              "Carton type defined[ at {site}]",
		"CartonTypeRetired":              "Carton type retired[ at {site}]",
		"PackAuditToleranceSet":          "Tolerance of weights set[ at {site}]",
		"DeliveryRescheduled":            "Delivery expected at another time[: {reason}]",
		"SupplyChanged":                  "Supply of stock changed[: {reason~}]",
		"SupplyPromised":                 "Promised of what is to come",
		"SupplyPromiseDated":             "Promise of what is to come dated[: {reason~}]",
		"SnapshotCreated":                "Balance file announced",
		"SnapshotRowsAdded":              "Rows of the balance file taken",
		"SnapshotComparisonStarted":      "Comparison with the ledger begun",
		"SnapshotPartCompared":           "A part of the balance file compared",
		"SnapshotCompared":               "Balance file compared with the ledger",
		"SnapshotClosed":                 "Balance file done with",
		"GoodsIssueReversalRequested":    "Goods issue to be reversed[: {reason~}]",
		"GoodsIssueReversalAgreed":       "Goods issue may be reversed[, says the {party~}]",
		"GoodsIssueReversalRefused":      "Goods issue stays[: {reason~}]",
		"GoodsIssueReversed":             "Goods issue reversed[: {reason~}]",
		"WarehouseOrderRestCancelled":    "What was taken back is cancelled[: {reason~}]",
		"HandlingUnitIssueReversed":      "Handling unit back",
		"ContainedUnitIssueReversed":     "A unit in the handling unit back",
		"SerialClaimed":                  "Serial number claimed for a stock",
		"SerialClaimVoided":              "Serial number given up by a stock",
		"TransferRequested":              "Transfer to another site asked for",
		"TransferShipped":                "Goods on their way to the other site",
		"TransferReceived":               "Goods came from the other site",
		"TransferEnded":                  "Rest of the transfer does not come[: {outcome~}]",
		"CountPlanned":                   "Count planned[ at {keys.site}]",
		"CountStarted":                   "Counting begun",
		"CountSubmitted":                 "Places counted",
		"CountApproved":                  "Count to be posted[: {reason~}]",
		"CountAdjusted":                  "Stock adjusted to the count",
		"CountCompleted":                 "Count complete",
		"CountCancelled":                 "Count called off[: {reason~}]",
		"CountPolicySet":                 "Count policy set[ at {site}]",
	},
	"shipmentvisibility": {
		"ShipmentPlanned":         "Shipment planned[ from {site}]",
		"ShipmentWordObserved":    "Kept as an observation, nothing changed[: {word.command}][ by {word.system}][, which {word.owner} owns]",
		"ShipmentAmended":         "Less is to ship than was planned",
		"ShipmentReady":           "Shipment ready at the dock",
		"ShipmentTendered":        "Tendered[ to {carrier}][, {carrier_service}]",
		"TenderAccepted":          "Tender accepted[ by {carrier}]",
		"TenderClosed":            "Tender[ to {carrier}] ended[: {outcome~}]",
		"ShipmentDispatched":      "Dispatched[ with {carrier}]",
		"MilestoneRecorded":       "Milestone[: {milestone.code~}][, {milestone.classifier~}][, at {milestone.place}]",
		"ShipmentDelivered":       "Delivered",
		"ProofOfDeliveryRecorded": "Proof of delivery recorded",
		"ShipmentCancelled":       "Shipment called off[: {reason~}]",
		"ShipmentClosed":          "Shipment closed",
		"ShipmentReversalAllowed": "Shipment lets the goods issue be reversed",
		"ShipmentReversalDenied":  "Shipment does not let the goods issue be reversed[: {reason~}]",
		"ShipmentIssueReversed":   "Cartons off the shipment[: {reason~}]",
	},
	"freightsettlement": {
		"RateCardPublished":          "Rate card published",
		"FreightEstimated":           "Freight estimated[ with {rating.carrier}]",
		"FreightAccrued":             "Freight accrued[ with {rating.carrier}]",
		"FreightFinalised":           "Freight trued up to what was delivered",
		"FreightReferenced":          "Shipment known by a further number",
		"FreightReversed":            "Freight reversed[: {reason~}]",
		"ChargesClaimed":             "Charges claimed for the invoice",
		"ChargesFreed":               "Charges given back",
		"ChargesSettled":             "Charges settled",
		"FreightInvoiceReceived":     "Freight invoice received[ from {carrier}]",
		"MatchRequested":             "Match begun[, attempt {attempt}]",
		"MatchDecided":               "Match decided[: {outcome~}]",
		"FreightInvoiceApproved":     "Freight invoice approved[: {resolution~}]",
		"FreightInvoiceCredited":     "Freight invoice credited",
		"FreightInvoiceWordObserved": "Kept as an observation, nothing changed[: {word.command}][ by {word.system}][, which {word.owner} owns]",
		"VoucherPosted":              "Voucher posted",
		"FreightInvoicePaid":         "Freight invoice paid",
	},
	"integration": {
		"DocumentReceived":   "Document received[: {type~}]",
		"DocumentRepeated":   "The same document came again",
		"DocumentParsed":     "Document read",
		"DocumentProgressed": "Part of the document handed over[, portion {portion}]",
		"DocumentCompleted":  "Document done[: {state~}]",
	},
	"returns": {
		"ReturnWordObserved":    "Kept as an observation, nothing changed[: {word.command}][ by {word.system}][, which {word.owner} owns]",
		"ReturnRequested":       "Return requested",
		"ReturnHeld":            "Quantities held for the return",
		"ReturnAuthorised":      "Return authorised",
		"ReturnDenied":          "Return denied",
		"ReturnCancelled":       "Return called off[: {reason~}]",
		"ReturnReceiptRecorded": "Returned goods received[ at {site}]",
		"ItemsInspected":        "Returned goods inspected[: {grade~}]",
		"ItemsDisposed":         "Disposition of returned goods[: {disposition~}]",
		"CreditRequested":       "Credit requested",
		"CreditConfirmed":       "Credit posted",
		"ReturnCompleted":       "Return completed",
		"ItemsIssued":           "Issued goods can be returned",
		"ItemsIssueReversed":    "Goods taken back cannot be returned",
		"ReturnClaimed":         "Return holds quantities of the order",
		"ReturnClaimReleased":   "Return gives quantities of the order back",
	},
}

var (
	optional = regexp.MustCompile(`\[[^\]]*\]`)
	named    = regexp.MustCompile(`\{([a-z_.]+)(~?)\}`)
)

// title says what happened.
func title(s *controltowerv1.TraceStep) string {
	name := s.GetType()[strings.LastIndexByte(s.GetType(), '.')+1:]
	parts := strings.Split(s.GetType(), ".")
	template := ""
	if len(parts) == 4 && parts[0] == "lockstep" {
		template = titles[parts[1]][name]
	}
	if template == "" {
		return plainName(name)
	}
	return optional.ReplaceAllStringFunc(template, func(part string) string {
		field := named.FindStringSubmatch(part)
		for _, d := range s.GetDetails() {
			if d.GetName() == field[1] && d.GetValue() != "" {
				value := d.GetValue()
				if field[2] != "" {
					value = words(value)
				}
				return strings.Replace(part[1:len(part)-1], field[0], value, 1)
			}
		}
		return ""
	})
}

// words turns a code into words; what is not in capitals stays as it is.
func words(code string) string {
	if strings.ToUpper(code) != code {
		return code
	}
	return strings.ToLower(strings.ReplaceAll(code, "_", " "))
}

// plainName turns OrderReceived into "Order received".
func plainName(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
