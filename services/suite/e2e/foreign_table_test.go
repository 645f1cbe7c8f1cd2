package e2e

import "net/http"

// foreign is what a stranger asks and is answered.
type foreign struct {
	query, body string
	status      int
	code        string
	nothing     bool // the stranger has no master data either
	public      bool // every tenant is answered the same
	alike       bool // an id of nobody is answered the same, though with no error
}

// bodies are the smallest requests that RPCs with an id in their path find nothing wrong with:
// what is not there is looked for only then. An RPC that is not here takes an empty one.
var bodies = map[string]string{
	"PlaceHold":     `{"type":"HOLD_TYPE_MANUAL"}`,
	"LiftHold":      `{"type":"HOLD_TYPE_MANUAL"}`,
	"RequestCancel": `{"reason":"CUSTOMER_REQUEST"}`,
	"AmendRelease":  `{"release_id":"ord_aaaaaaaaaaaaaaaaaaaaaaaaaa-R1","reason":"CUSTOMER_REQUEST","lines":[{"line_number":1,"quantity":{"value":"1","unit":"EA"}}]}`,

	"ConfirmPicks":       `{"lines":[{"lineNumber":1,"quantity":{"value":"1","unit":"EA"}}]}`,
	"ReportShortPick":    `{"lines":[{"lineNumber":1,"quantity":{"value":"1","unit":"EA"}}],"reason":"SHORT_REASON_MISSING"}`,
	"ConfirmPutBack":     `{"lines":[{"lineNumber":1,"quantity":{"value":"1","unit":"EA"},"location":"A-01"}]}`,
	"RefuseCancellation": `{"reason":"LOADED"}`,
	"ReverseGoodsIssue":  `{"reason":"TRUCK_FULL"}`,
	"PackCarton":         `{"lines":[{"lineNumber":1,"quantity":{"value":"1","unit":"EA"}}],"grossWeightGrams":"500"}`,

	"ReceiveLines":       `{"goods":[{"lineNumber":1,"quantity":{"value":"1","unit":"EA"},"location":"A-01"}]}`,
	"CancelRemaining":    `{"reason":"SUPPLIER_SHORT"}`,
	"RecordInspection":   `{"lineNumber":1,"accepted":{"value":"1","unit":"EA"}}`,
	"ResolveOverReceipt": `{"lineNumber":1,"decision":"OVER_RECEIPT_DECISION_KEEP"}`,
	"ConfirmPutaway":     `{"taskNumber":1,"location":"A-01"}`,

	"BatchNestHandlingUnits":    `{"childSsccs":["340123450000000017"]}`,
	"UnnestHandlingUnit":        `{"childSscc":"340123450000000017"}`,
	"VoidHandlingUnit":          `{"reason":"BROKEN"}`,
	"CancelWave":                `{"reason":"REPLAN"}`,
	"WeighHandlingUnit":         `{"weightGrams":"1"}`,
	"ReleaseAuditHold":          `{"reason":"SEEN"}`,
	"RescheduleInboundDelivery": `{"expectedTime":"2099-01-01T00:00:00Z"}`,
	"ReverseMovement":           `{"version":"1","reason":"KEYING_ERROR"}`,
	"SubmitCount":               `{"lines":[{"location":"A-01","sku":"TEA","quantity":{"value":"1","unit":"EA"}}]}`,
	"CancelCount":               `{"reason":"REPLAN"}`,
	"TransferIn":                `{"lines":[{"lineNumber":1,"quantity":{"value":"1","unit":"EA"},"location":"A-01"}]}`,
	"EndTransfer":               `{"outcome":"TRANSFER_OUTCOME_BROUGHT_BACK","location":"A-01","reason":"LATE"}`,
	"AddSnapshotRows":           `{"portionNumber":1,"content":"c2t1LHF1YW50aXR5LHVuaXQK"}`,

	"TenderShipment":        `{"carrier":"<carriers/code>","carrierService":"STANDARD","respondBy":"2099-01-01T00:00:00Z"}`,
	"RespondTender":         `{"carrier":"<carriers/code>","accept":true}`,
	"DispatchShipment":      `{"billOfLading":"BOL-1","proNumber":"PRO-1","carrier":"<carriers/code>"}`,
	"RecordMilestones":      `{"milestones":[{"code":"MILESTONE_CODE_DEPARTED","classifier":"MILESTONE_CLASSIFIER_ACTUAL","eventTime":"2026-01-02T03:04:05Z","messageId":"M-1"}]}`,
	"RecordProofOfDelivery": `{"signedBy":"R. Receiver","signedTime":"2026-01-02T03:04:05Z"}`,

	"ResolveDispute":      `{"resolution":"DISPUTE_RESOLUTION_PAY_AS_EXPECTED","reasonCode":"AGREED"}`,
	"RecordVoucherPosted": `{"voucherNumber":"V-1"}`,
	"RecordPayment":       `{"paymentReference":"P-1","amount":{"amountMinor":"551","currency":"EUR"}}`,

	"DenyReturn":    `{"reason":"TOO_LATE"}`,
	"CancelReturn":  `{"reason":"CHANGED_MIND"}`,
	"InspectItems":  `{"rmaLineNumber":1,"accepted":{"value":"1","unit":"EA"},"grade":"GRADE_A"}`,
	"DisposeItems":  `{"rmaLineNumber":1,"disposition":"DISPOSITION_RESTOCK","quantity":{"value":"1","unit":"EA"},"fromLocation":"RETURNS","toLocation":"A-01"}`,
	"ConfirmCredit": `{"creditNumber":1,"creditMemo":"CM-1","amount":{"amountMinor":"1300","currency":"EUR"}}`,
}

const (
	found   = http.StatusOK // a list: it is empty
	refusal = http.StatusBadRequest
)

// elsewhere are the RPCs that take no id in their path, or make what stands there: the stranger
// gets a record of its own, an empty list, or is told that the name is not known.
var elsewhere = map[string]foreign{
	"PutItem /v1/items/{sku}":                  {body: `{"item":{"name":"Theirs","baseUnit":"EA"}}`, status: http.StatusOK},
	"PutParty /v1/parties/{code}":              {body: `{"party":{"name":"Theirs","roles":["PARTY_ROLE_CUSTOMER"]}}`, status: http.StatusOK},
	"PutLocation /v1/locations/{code}":         {body: `{"location":{"name":"Theirs","kind":"LOCATION_KIND_SITE","timeZone":"UTC","address":{"name":"N","lines":["1"],"city":"Gary","postalCode":"46402","country":"US"}}}`, status: http.StatusOK},
	"PutCarrier /v1/carriers/{code}":           {body: `{"carrier":{"name":"Theirs"}}`, status: http.StatusOK},
	"BatchPutItems /v1/items:batchPut":         {nothing: true, body: `{"items":[{"sku":"<items/sku>","name":"Theirs","baseUnit":"EA"}]}`, status: http.StatusOK},
	"BatchPutParties /v1/parties:batchPut":     {nothing: true, body: `{"parties":[{"code":"<parties/code>","name":"Theirs","roles":["PARTY_ROLE_CUSTOMER"]}]}`, status: http.StatusOK},
	"BatchPutLocations /v1/locations:batchPut": {nothing: true, body: `{"locations":[{"code":"<locations/code>","name":"Theirs","kind":"LOCATION_KIND_SITE","timeZone":"UTC","address":{"name":"N","lines":["1"],"city":"Gary","postalCode":"46402","country":"US"}}]}`, status: http.StatusOK},
	"BatchPutCarriers /v1/carriers:batchPut":   {nothing: true, body: `{"carriers":[{"code":"<carriers/code>","name":"Theirs"}]}`, status: http.StatusOK},
	"PutTenant /v1/tenant":                     {nothing: true, body: `{"tenant":{"name":"Theirs","currency":"USD","country":"US","timeZone":"UTC"}}`, status: http.StatusOK},
	"GetTenant /v1/tenant":                     {nothing: true, status: http.StatusNotFound},
	"ListItems /v1/items":                      {nothing: true, query: "?identifier=<gtin>", status: found},
	"ListParties /v1/parties":                  {nothing: true, status: found},
	"ListLocations /v1/locations":              {nothing: true, query: "?site_code=<locations/code>", status: found},
	"ListCarriers /v1/carriers":                {nothing: true, status: found},

	"PutCrossReference /v1/cross-references":                     {nothing: true, body: `{"crossReference":{"system":"erp","objectType":"OBJECT_TYPE_ITEM","externalId":"<external>","objectKey":"<items/sku>","direction":"CROSS_REFERENCE_DIRECTION_BOTH"}}`, status: refusal, code: "OBJECT_UNKNOWN"},
	"BatchPutCrossReferences /v1/cross-references:batchPut":      {nothing: true, body: `{"crossReferences":[{"system":"erp","objectType":"OBJECT_TYPE_ITEM","externalId":"<external>","objectKey":"<items/sku>","direction":"CROSS_REFERENCE_DIRECTION_BOTH"}]}`, status: http.StatusOK},
	"RetireCrossReference /v1/cross-references:retire":           {nothing: true, body: `{"system":"erp","objectType":"OBJECT_TYPE_ITEM","externalId":"<external>"}`, status: http.StatusNotFound},
	"GetCrossReference /v1/cross-references:get":                 {nothing: true, query: "?system=erp&object_type=OBJECT_TYPE_ITEM&external_id=<external>", status: http.StatusNotFound},
	"ListCrossReferences /v1/cross-references":                   {nothing: true, query: "?system=erp", status: found},
	"ResolveCrossReference /v1/cross-references:resolve":         {nothing: true, query: "?system=erp&object_type=OBJECT_TYPE_ITEM&external_id=<external>&as_of_time=" + anyMoment, status: http.StatusNotFound},
	"ResolveExternalIds /v1/cross-references:resolveExternalIds": {nothing: true, query: "?system=erp&object_type=OBJECT_TYPE_ITEM&object_key=<items/sku>&as_of_time=" + anyMoment, status: http.StatusNotFound},
	"PutOwnershipPolicy /v1/ownership-policies/{object_type}":    {nothing: true, body: `{}`, status: http.StatusOK},
	"GetOwnershipPolicy /v1/ownership-policies/{object_type}":    {nothing: true, status: http.StatusOK, public: true},
	"ListOwnershipPolicies /v1/ownership-policies":               {nothing: true, status: http.StatusOK, public: true},
	"ListObservations /v1/observations":                          {nothing: true, query: "?object_type=OBJECT_TYPE_ITEM", status: found},
	"ProposeChange /v1/changes":                                  {nothing: true, body: `{"code":"<changes/code>","carrier":{"code":"<carriers/code>","name":"Theirs"}}`, status: http.StatusOK},
	"ApproveChange /v1/changes/{code}:approve":                   {nothing: true, body: `{}`, status: http.StatusNotFound},
	"RejectChange /v1/changes/{code}:reject":                     {nothing: true, body: `{"reason":"no"}`, status: http.StatusNotFound},
	"GetChange /v1/changes/{code}":                               {nothing: true, status: http.StatusNotFound},
	"ListChanges /v1/changes":                                    {nothing: true, status: http.StatusOK, public: true}, // its rows have no ids
	"CreateApiKey /v1/api-keys":                                  {nothing: true, body: `{"name":"theirs","roles":["ROLE_LOGISTICS"],"expireTime":"2020-01-01T00:00:00Z"}`, status: refusal, code: "EXPIRY_INVALID"},
	"ListApiKeys /v1/api-keys":                                   {nothing: true, status: http.StatusOK, public: true}, // its rows have no ids
	"RevokeApiKey /v1/api-keys/{api_key_name}:revoke":            {nothing: true, body: `{}`, status: http.StatusNotFound},
	"PreviewChange /v1/changes/{code}:preview":                   {nothing: true, status: http.StatusNotFound},
	"FindOpenDocuments /v1/open-documents":                       {nothing: true, query: "?object_type=OBJECT_TYPE_ITEM&object_key=<items/sku>", status: http.StatusNotFound},
	"ListRecordVersions /v1/record-versions":                     {nothing: true, query: "?object_type=OBJECT_TYPE_ITEM&object_key=<items/sku>", status: http.StatusNotFound},
	"ExportRecords /v1/record-exports":                           {nothing: true, query: "?type=EXPORT_TYPE_ITEMS", status: http.StatusOK, public: true}, // the header alone
	"PutCodeList /v1/code-lists/{code}":                          {nothing: true, body: `{"codeList":{"entries":[{"code":"ZZ","canonicalCode":"EA"}]}}`, status: http.StatusOK},
	"RetireCodeList /v1/code-lists/{code}:retire":                {nothing: true, body: `{}`, status: http.StatusNotFound},
	"GetCodeList /v1/code-lists/{code}":                          {nothing: true, status: http.StatusNotFound},
	"ListCodeLists /v1/code-lists":                               {nothing: true, status: http.StatusOK, public: true}, // the embedded ones
	"ResolveCode /v1/code-lists/{code}:resolve":                  {nothing: true, query: "?entry_code=ZZ&as_of_time=" + anyMoment, status: http.StatusNotFound},
	"PutCalendar /v1/calendars/{code}":                           {nothing: true, body: `{"calendar":{"timeZone":"UTC"}}`, status: http.StatusOK},
	"GetCalendar /v1/calendars/{code}":                           {nothing: true, status: http.StatusNotFound},
	"ListCalendars /v1/calendars":                                {nothing: true, status: found},
	"GetNextWorkingTime /v1/calendars/{code}:nextWorkingTime":    {nothing: true, query: "?after_time=" + anyMoment, status: http.StatusNotFound},
	"PutCutOff /v1/cut-offs":                                     {nothing: true, body: `{"cutOff":{"siteCode":"<locations/code>","times":[{"weekday":"WEEKDAY_FRIDAY","localTime":"17:00"}]}}`, status: refusal, code: "SITE_UNKNOWN"},
	"GetCutOff /v1/cut-offs:get":                                 {nothing: true, query: "?site_code=<locations/code>", status: http.StatusNotFound},
	"ListCutOffs /v1/cut-offs":                                   {nothing: true, query: "?site_code=<locations/code>", status: found},
	"GetNextCutOff /v1/cut-offs:next":                            {nothing: true, query: "?site_code=<locations/code>&after_time=" + anyMoment, status: http.StatusNotFound},

	"SubmitOrder /v1/orders":                        {body: `{"order":{"sourceSystem":"erp","orderNumber":"<number>","soldTo":{"partyCode":"<parties/code>"},"lines":[{"lineNumber":1,"sku":"<items/sku>","quantity":{"value":"1","unit":"EA"}}]}}`, status: http.StatusOK},
	"BatchSubmitOrders /v1/orders:batchSubmit":      {body: `{"orders":[{"sourceSystem":"shop","orderNumber":"<number>","soldTo":{"partyCode":"<parties/code>"},"lines":[{"lineNumber":1,"sku":"<items/sku>","quantity":{"value":"1","unit":"EA"}}]}]}`, status: http.StatusOK},
	"ListOrders /v1/orders":                         {query: "?order_number=<number>", status: found},
	"PutSourcingRules /v1/sourcing-rules":           {nothing: true, body: `{"rules":[{"name":"theirs","sites":["<locations/code>"]}]}`, status: refusal, code: "INVALID_REQUEST"},
	"GetSourcingRules /v1/sourcing-rules":           {nothing: true, status: http.StatusNotFound},
	"PutReleaseChannel /v1/release-channels/{code}": {body: `{"channel":{"site":"<locations/code>"}}`, status: refusal, code: "INVALID_REQUEST"},
	"ListReleaseChannels /v1/release-channels":      {nothing: true, status: found},
	"GetOrderView /v1/order-views":                  {query: "?order_number=<number>&source_system=erp", status: http.StatusNotFound},

	"RecordReceipt /v1/stocks:recordReceipt":                   {nothing: true, body: `{"receipt":{"site":"<locations/code>","sku":"<items/sku>","location":"A-01","quantity":{"value":"1","unit":"EA"}}}`, status: refusal, code: "SITE_UNKNOWN"},
	"BatchRecordReceipts /v1/stocks:batchRecordReceipts":       {nothing: true, body: `{"receipts":[{"site":"<locations/code>","sku":"<items/sku>","location":"A-01","quantity":{"value":"1","unit":"EA"}}]}`, status: http.StatusOK},
	"RecordReturnReceipt /v1/stocks:recordReturnReceipt":       {body: `{"site":"<locations/code>","sku":"<items/sku>","location":"<locations/code>/R-01","quantity":{"value":"1","unit":"EA"},"rmaId":"<returns/rma_id>"}`, status: http.StatusOK},
	"AdjustStock /v1/stocks:adjust":                            {nothing: true, body: `{"site":"<locations/code>","sku":"<items/sku>","location":"A-01","change":{"value":"1","unit":"EA"},"reason":"COUNT"}`, status: refusal, code: "SITE_UNKNOWN"},
	"MoveStock /v1/stocks:move":                                {nothing: true, body: `{"site":"<locations/code>","sku":"<items/sku>","fromLocation":"A-01","toLocation":"A-02","quantity":{"value":"1","unit":"EA"},"reason":"TIDY"}`, status: refusal, code: "SITE_UNKNOWN"},
	"ChangeStatus /v1/stocks:changeStatus":                     {nothing: true, body: `{"site":"<locations/code>","sku":"<items/sku>","location":"A-01","toStatus":"STOCK_STATUS_QI","quantity":{"value":"1","unit":"EA"},"reason":"QUALITY_HOLD"}`, status: refusal, code: "SITE_UNKNOWN"},
	"GetStock /v1/stocks":                                      {nothing: true, query: "?site=<locations/code>&sku=<items/sku>", status: http.StatusNotFound},
	"GetAvailability /v1/stocks:getAvailability":               {body: `{"places":[{"site":"<locations/code>","itemId":"<item>"}]}`, status: http.StatusOK},
	"GetBalance /v1/balances":                                  {nothing: true, query: "?site=<locations/code>&sku=<items/sku>", status: http.StatusNotFound},
	"TraceSerial /v1/serials:trace":                            {nothing: true, query: "?sku=<piece>&serial=<serial>", status: http.StatusNotFound},
	"ExplainBalance /v1/balances:explain":                      {nothing: true, query: "?site=<locations/code>&sku=<items/sku>", status: http.StatusNotFound},
	"CheckAvailability /v1/stocks:checkAvailability":           {nothing: true, query: "?site=<locations/code>&sku=<items/sku>", status: refusal, code: "SITE_UNKNOWN"},
	"VerifyStock /v1/stocks:verify":                            {nothing: true, query: "?site=<locations/code>&sku=<items/sku>", status: http.StatusNotFound},
	"RebuildStock /v1/stocks:rebuild":                          {nothing: true, body: `{"site":"<locations/code>","sku":"<items/sku>"}`, status: http.StatusNotFound},
	"SetAllocationPolicy /v1/allocation-policies:set":          {nothing: true, body: `{"site":"<locations/code>","strategy":"ALLOCATION_STRATEGY_LIFO"}`, status: refusal, code: "SITE_UNKNOWN"},
	"GetAllocationPolicy /v1/allocation-policies":              {status: http.StatusOK, public: true},
	"CreateReservation /v1/reservations":                       {nothing: true, body: `{"site":"<locations/code>","sku":"<items/sku>","reference":"cart","quantity":{"value":"1","unit":"EA"},"expiresTime":"2099-01-01T00:00:00Z"}`, status: refusal, code: "SITE_UNKNOWN"},
	"ConfirmReservation /v1/reservations:confirm":              {nothing: true, body: `{"site":"<locations/code>","sku":"<items/sku>","reference":"cart"}`, status: http.StatusNotFound},
	"ReleaseReservation /v1/reservations:release":              {nothing: true, body: `{"site":"<locations/code>","sku":"<items/sku>","reference":"cart"}`, status: http.StatusNotFound},
	"ListReservations /v1/reservations":                        {nothing: true, query: "?site=<locations/code>&sku=<items/sku>", status: http.StatusNotFound},
	"ListWarehouseOrders /v1/warehouse-orders":                 {query: "?order_id=<orders/order_id>", status: found},
	"ListCutOffsAtRisk /v1/warehouse-orders:listCutOffsAtRisk": {query: "?site=<locations/code>", status: found, public: true}, // all that the owner had has left

	"RegisterAsn /v1/inbound-deliveries":               {nothing: true, body: `{"supplier":"ACME","asnNumber":"<asn>","site":"<locations/code>","lines":[{"lineNumber":1,"sku":"<items/sku>","quantity":{"value":"1","unit":"EA"}}]}`, status: refusal, code: "SITE_UNKNOWN"},
	"ReceiveBlind /v1/inbound-deliveries:receiveBlind": {nothing: true, body: `{"site":"<locations/code>","goods":[{"sku":"<items/sku>","quantity":{"value":"1","unit":"EA"},"location":"A-01"}]}`, status: refusal, code: "SITE_UNKNOWN"},
	"ListInboundDeliveries /v1/inbound-deliveries":     {query: "?asn_number=<asn>", status: found},

	"CreateHandlingUnit /v1/handling-units":               {nothing: true, body: `{"site":"<locations/code>"}`, status: refusal, code: "SITE_UNKNOWN"},
	"ListHandlingUnits /v1/handling-units":                {query: "?warehouse_order_id=<warehouse-orders/warehouse_order_id>", status: found},
	"PlanWave /v1/waves":                                  {nothing: true, body: `{"site":"<locations/code>","method":"WAVE_METHOD_BATCH"}`, status: refusal, code: "SITE_UNKNOWN"},
	"PutCartonType /v1/carton-types:put":                  {nothing: true, body: `{"site":"<locations/code>","cartonType":{"code":"S","innerLengthMm":"1","innerWidthMm":"1","innerHeightMm":"1"}}`, status: refusal, code: "SITE_UNKNOWN"},
	"RetireCartonType /v1/carton-types:retire":            {nothing: true, body: `{"site":"<locations/code>","code":"S"}`, status: refusal, code: "SITE_UNKNOWN"},
	"GetCartonTypes /v1/carton-types":                     {query: "?site=<locations/code>", status: found, public: true}, // nobody has one
	"SetPackAuditTolerance /v1/pack-audit-tolerances:set": {nothing: true, body: `{"site":"<locations/code>","toleranceGrams":"1","tolerancePercent":"1"}`, status: refusal, code: "SITE_UNKNOWN"},
	"GetPackAuditTolerance /v1/pack-audit-tolerances":     {query: "?site=<locations/code>", status: http.StatusOK, public: true}, // the setting's
	"CreateSnapshot /v1/stock-snapshots":                  {nothing: true, body: `{"sites":["<locations/code>"],"asOfTime":"` + anyMoment + `"}`, status: refusal, code: "SITE_UNKNOWN"},
	"ListSnapshots /v1/stock-snapshots":                   {query: "?site=<locations/code>", status: found},

	"TransferOut /v1/stock-transfers":       {nothing: true, body: `{"fromSite":"<locations/code>","toSite":"<locations/code>","lines":[{"sku":"<items/sku>","location":"A-01","quantity":{"value":"1","unit":"EA"}}]}`, status: refusal, code: "SITE_UNKNOWN"},
	"ListTransfers /v1/stock-transfers":     {query: "?site=<locations/code>", status: found},
	"PlanCount /v1/stock-counts":            {nothing: true, body: `{"site":"<locations/code>","skus":["<items/sku>"]}`, status: refusal, code: "SITE_UNKNOWN"},
	"ListCounts /v1/stock-counts":           {query: "?site=<locations/code>", status: found},
	"SetPutawayRules /v1/putaway-rules:set": {nothing: true, body: `{"site":"<locations/code>"}`, status: refusal, code: "SITE_UNKNOWN"},
	"GetPutawayRules /v1/putaway-rules":     {query: "?site=<locations/code>", status: http.StatusOK, public: true}, // nobody has any
	"ListPutaways /v1/putaways":             {query: "?site=<locations/code>", status: found},
	"SetCountPolicy /v1/count-policies:set": {nothing: true, body: `{"site":"<locations/code>"}`, status: refusal, code: "SITE_UNKNOWN"},
	"GetCountPolicy /v1/count-policies":     {status: http.StatusOK, public: true}, // nobody has one

	"ListShipments /v1/shipments": {query: "?order_id=<orders/order_id>", status: found},

	"PublishRateCard /v1/rate-cards":             {nothing: true, body: `{"card":{"carrier":"<carriers/code>","currency":"EUR","validFrom":"2026-01-01T00:00:00Z","fuelPercent":"1","lanes":[{"destinationCountry":"DE","bands":[{"toGrams":"1000","minimumMinor":"1","ratePerKg":"1","basis":"RATE_BASIS_KILOGRAM"}]}]}}`, status: refusal, code: "INVALID_REQUEST"},
	"RateShipment /v1/rates:rateShipment":        {body: `{"carrier":"<carriers/code>","carrierService":"STANDARD","site":"<locations/code>","shipTo":{"name":"N","lines":["1"],"city":"Hamburg","postalCode":"20095","country":"DE"},"weightGrams":"1000"}`, status: http.StatusOK},
	"ListFreights /v1/freights":                  {query: "?order_id=<orders/order_id>", status: found},
	"ReceiveFreightInvoice /v1/freight-invoices": {body: `{"carrier":"<carriers/code>","invoiceNumber":"I-1","invoiceDate":"2026-01-02T00:00:00Z","lines":[{"reference":"<pro>","chargeCode":"BASE","amount":{"amountMinor":"490","currency":"EUR"}}]}`, status: http.StatusOK},
	"ListFreightInvoices /v1/freight-invoices":   {query: "?reference=<freights/freight_id>", status: found},

	// The request is taken down and denied: nothing was issued of an order that is not there.
	"RequestReturn /v1/returns": {body: `{"orderId":"<orders/order_id>","waitMs":5000,"rmaNumber":"<rma>","sourceSystem":"erp","returnSite":"<locations/code>","lines":[{"orderLineNumber":1,"quantity":{"value":"1","unit":"EA"},"reason":"RETURN_REASON_DEFECTIVE"}]}`, status: http.StatusOK, alike: true},
	"ListReturns /v1/returns":   {query: "?order_id=<orders/order_id>", status: found},

	"ImportDocument /v1/documents":                   {body: `{"document":{"type":"DOCUMENT_TYPE_ORDERS","format":"DOCUMENT_FORMAT_CSV","content":"eAo=","source":{"system":"erp","messageId":"<message>"}}}`, status: http.StatusOK},
	"BatchImportDocuments /v1/documents:batchImport": {body: `{"documents":[{"type":"DOCUMENT_TYPE_ORDERS","format":"DOCUMENT_FORMAT_CSV","content":"eAo=","source":{"system":"erp","messageId":"<message>"}}]}`, status: http.StatusOK},
	"ListDocuments /v1/documents":                    {query: "?message_id=<message>", status: found},

	"ListDeadLetters /v1/services/{service}/dead-letters": {status: http.StatusOK, public: true}, // nobody has one

	"Trace /v1/traces":              {query: "?key=<number>", status: http.StatusNotFound},
	"ListUnits /v1/units":           {status: http.StatusOK, public: true},
	"ListCurrencies /v1/currencies": {status: http.StatusOK, public: true},
	"ListCountries /v1/countries":   {status: http.StatusOK, public: true},

	"SearchKeys /v1/business-keys": {query: "?prefix=<prefix>", status: found},

	"ListHangingClaims /v1/hanging-claims": {query: "?olderThan=0s", status: found, public: true}, // nobody has one
}
