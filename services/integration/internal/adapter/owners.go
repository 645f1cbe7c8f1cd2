package adapter

import (
	"context"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// Owners are the services that take records, over gRPC.
type Owners struct {
	orders     orderreleasev1.OrderReleaseServiceClient
	masterData masterdatav1.MasterDataServiceClient
	stock      inventorymovementv1.InventoryMovementServiceClient
	freight    freightsettlementv1.FreightSettlementServiceClient
	parallel   int // calls at a time where the owner takes no batches
}

// NewOwners returns the owners on connections to them.
func NewOwners(dial func(service string) grpc.ClientConnInterface, parallel int) *Owners {
	return &Owners{
		orders:     orderreleasev1.NewOrderReleaseServiceClient(dial("order-release")),
		masterData: masterdatav1.NewMasterDataServiceClient(dial("master-data")),
		stock:      inventorymovementv1.NewInventoryMovementServiceClient(dial("inventory-movement")),
		freight:    freightsettlementv1.NewFreightSettlementServiceClient(dial("freight-settlement")),
		parallel:   parallel,
	}
}

// batch gives records to their owner in one call and returns one result each.
type batch func(ctx context.Context, source *commonv1.SourceRef, records []document.Record) ([]*commonv1.ItemResult, error)

// Hand gives records to the owner of their type. The key of record n is "doc:<id>/<n>",
// whatever other records go with it: which of them are good may change with a release.
func (o *Owners) Hand(ctx context.Context, d domain.Document, records []document.Record) ([][]document.Error, error) {
	if len(records) == 0 {
		return nil, nil
	}
	var give batch
	switch d.Header.Type {
	case "ORDERS":
		give = o.submitOrders
	case "ITEMS":
		give = o.putItems
	case "PARTIES":
		give = o.putParties
	case "LOCATIONS":
		give = o.putLocations
	case "CARRIERS":
		give = o.putCarriers
	case "CROSS_REFERENCES":
		give = o.putReferences
	case "CODE_LISTS":
		return o.each(ctx, d, records, o.putCodeList)
	case "STOCK_RECEIPTS":
		give = o.recordReceipts
	case "FREIGHT_INVOICES":
		return o.each(ctx, d, records, o.receiveInvoice)
	default:
		return nil, fault.New(fault.Internal, "TYPE_UNKNOWN", "nobody takes records of type %s", d.Header.Type)
	}
	return whole(ctx, d, records, give)
}

// keyed returns the context of a call about one record.
func keyed(ctx context.Context, d domain.Document, r document.Record) context.Context {
	return store.WithItem(derived(ctx, d), strconv.FormatInt(r.Number, 10))
}

// batched returns the context of a call about a batch of records, each under its own key.
func batched(ctx context.Context, d domain.Document, records []document.Record) context.Context {
	numbers := make([]int64, len(records))
	for i, r := range records {
		numbers[i] = r.Number
	}
	return guard.NumberItems(derived(ctx, d), numbers)
}

// derived returns the context of a call for who sent the document: the owner may have rules
// about who entered what.
func derived(ctx context.Context, d domain.Document) context.Context {
	return guard.OnBehalfOf(guard.Derived(ctx, store.CauseOf(ctx).Tenant, "doc:"+d.ID, d.Header.Received), d.Header.Sender)
}

// whole gives all records in one call. A call that is refused as a whole has done nothing:
// its halves are tried, so that the record that is to blame is found and the others go on.
func whole(ctx context.Context, d domain.Document, records []document.Record, give batch) ([][]document.Error, error) {
	results, err := give(batched(ctx, d, records), sourceOf(d), records)
	switch {
	case err == nil:
		return outcomes(records, results)
	case !fault.IsKind(err, fault.Invalid, fault.TooLarge):
		return nil, err
	case len(records) == 1:
		return [][]document.Error{refusal(&records[0], err)}, nil
	}
	half := len(records) / 2
	first, err := whole(ctx, d, records[:half], give)
	if err != nil {
		return nil, err
	}
	second, err := whole(ctx, d, records[half:], give)
	return append(first, second...), err
}

// each gives the records one by one, some at a time.
func (o *Owners) each(ctx context.Context, d domain.Document, records []document.Record, give func(context.Context, *commonv1.SourceRef, proto.Message) error) ([][]document.Error, error) {
	errs := make([][]document.Error, len(records))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.parallel)
	for i := range records {
		group.Go(func() error {
			err := give(keyed(ctx, d, records[i]), sourceOf(d), records[i].Message)
			switch {
			case err == nil:
				return nil
			case undecided(err):
				return err
			}
			errs[i] = refusal(&records[i], err)
			return nil
		})
	}
	return errs, group.Wait()
}

// undecided reports whether a failure says nothing about the record.
func undecided(err error) bool {
	return fault.Transient(err) || fault.IsKind(err, fault.Internal, fault.Unauthenticated, fault.Denied)
}

// refusal returns the errors of a record that its owner refused.
func refusal(r *document.Record, err error) []document.Error {
	f, _ := fault.As(err) // internal errors do not come here
	if len(f.Fields) == 0 {
		return []document.Error{r.Refuse("", f.Reason, f.Message)}
	}
	var errs []document.Error
	for _, field := range f.Fields {
		errs = append(errs, r.Refuse(inner(field.Path), field.Reason, field.Description))
	}
	return errs
}

// outcomes reads the results of a batch.
func outcomes(records []document.Record, results []*commonv1.ItemResult) ([][]document.Error, error) {
	if len(results) != len(records) {
		return nil, fault.New(fault.Internal, "RESULTS_MISSING", "%d results for %d records", len(results), len(records))
	}
	errs := make([][]document.Error, len(records))
	for i, result := range results {
		r := &records[i]
		switch failure, receipt := result.GetFailure(), result.GetReceipt(); {
		case failure.GetRetryable():
			return nil, fault.New(fault.Unavailable, failure.GetReason(), "record %d: %s", r.Number, failure.GetMessage())
		case codes.Code(failure.GetCode()) == codes.PermissionDenied, codes.Code(failure.GetCode()) == codes.Unauthenticated:
			return nil, fault.New(fault.Denied, failure.GetReason(), "record %d: %s", r.Number, failure.GetMessage())
		case failure != nil:
			errs[i] = reasons(r, failure.GetFields())
			if len(errs[i]) == 0 {
				errs[i] = []document.Error{r.Refuse("", failure.GetReason(), failure.GetMessage())}
			}
		case receipt.GetState() == "REJECTED": // an order that its owner keeps but will not carry out
			errs[i] = reasons(r, receipt.GetReasons())
			if len(errs[i]) == 0 {
				errs[i] = []document.Error{r.Refuse("", "REJECTED", "the record was rejected")}
			}
		case unowned(receipt) != nil: // its owner noted it, and nothing else
			errs[i] = reasons(r, unowned(receipt))
		case receipt == nil:
			return nil, fault.New(fault.Internal, "RESULT_EMPTY", "record %d has no result", r.Number)
		}
	}
	return errs, nil
}

// unowned is why a record changed nothing: the system of the document does not own what it says.
func unowned(receipt *commonv1.Receipt) (list []*commonv1.Reason) {
	for _, reason := range receipt.GetReasons() {
		if reason.GetCode() == authority.NotOwned {
			list = append(list, reason)
		}
	}
	return list
}

func reasons(r *document.Record, list []*commonv1.Reason) (errs []document.Error) {
	for _, reason := range list {
		errs = append(errs, r.Refuse(inner(reason.GetField()), reason.GetCode(), reason.GetMessage()))
	}
	return errs
}

// inner returns the path of a field within its record: without the list of the batch that
// the record stands in, or the field that holds it.
func inner(path string) string {
	for _, list := range []string{"orders[", "items[", "parties[", "locations[", "carriers[", "cross_references[", "receipts["} {
		if strings.HasPrefix(path, list) {
			if _, rest, ok := strings.Cut(path, "]."); ok {
				return rest
			}
			return ""
		}
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, "order."), "code_list.")
}

func sourceOf(d domain.Document) *commonv1.SourceRef {
	source := toSource(d.Header.Source)
	if source.GetMessageId() == "" {
		source.MessageId = d.ID
	}
	return source
}

// messages are the records' messages of their type.
func messages[M proto.Message](records []document.Record) []M {
	all := make([]M, len(records))
	for i, r := range records {
		all[i] = r.Message.(M)
	}
	return all
}

func (o *Owners) submitOrders(ctx context.Context, source *commonv1.SourceRef, records []document.Record) ([]*commonv1.ItemResult, error) {
	resp, err := o.orders.BatchSubmitOrders(ctx, &orderreleasev1.BatchSubmitOrdersRequest{Orders: messages[*orderreleasev1.OrderDocument](records), Source: source})
	return resp.GetResults(), err
}

func (o *Owners) putItems(ctx context.Context, source *commonv1.SourceRef, records []document.Record) ([]*commonv1.ItemResult, error) {
	resp, err := o.masterData.BatchPutItems(ctx, &masterdatav1.BatchPutItemsRequest{Items: messages[*masterdatav1.Item](records), Source: source})
	return resp.GetResults(), err
}

func (o *Owners) putParties(ctx context.Context, source *commonv1.SourceRef, records []document.Record) ([]*commonv1.ItemResult, error) {
	resp, err := o.masterData.BatchPutParties(ctx, &masterdatav1.BatchPutPartiesRequest{Parties: messages[*masterdatav1.Party](records), Source: source})
	return resp.GetResults(), err
}

func (o *Owners) putLocations(ctx context.Context, source *commonv1.SourceRef, records []document.Record) ([]*commonv1.ItemResult, error) {
	resp, err := o.masterData.BatchPutLocations(ctx, &masterdatav1.BatchPutLocationsRequest{Locations: messages[*masterdatav1.Location](records), Source: source})
	return resp.GetResults(), err
}

func (o *Owners) putCarriers(ctx context.Context, source *commonv1.SourceRef, records []document.Record) ([]*commonv1.ItemResult, error) {
	resp, err := o.masterData.BatchPutCarriers(ctx, &masterdatav1.BatchPutCarriersRequest{Carriers: messages[*masterdatav1.Carrier](records), Source: source})
	return resp.GetResults(), err
}

func (o *Owners) putReferences(ctx context.Context, source *commonv1.SourceRef, records []document.Record) ([]*commonv1.ItemResult, error) {
	resp, err := o.masterData.BatchPutCrossReferences(ctx, &masterdatav1.BatchPutCrossReferencesRequest{
		CrossReferences: messages[*masterdatav1.CrossReference](records), Source: source,
	})
	return resp.GetResults(), err
}

func (o *Owners) putCodeList(ctx context.Context, source *commonv1.SourceRef, m proto.Message) error {
	list := m.(*masterdatav1.CodeList)
	_, err := o.masterData.PutCodeList(ctx, &masterdatav1.PutCodeListRequest{Code: list.GetCode(), CodeList: list, Source: source})
	return err
}

func (o *Owners) receiveInvoice(ctx context.Context, source *commonv1.SourceRef, m proto.Message) error {
	req := proto.CloneOf(m.(*freightsettlementv1.ReceiveFreightInvoiceRequest))
	req.Source = source
	_, err := o.freight.ReceiveFreightInvoice(ctx, req)
	return err
}

func (o *Owners) recordReceipts(ctx context.Context, source *commonv1.SourceRef, records []document.Record) ([]*commonv1.ItemResult, error) {
	resp, err := o.stock.BatchRecordReceipts(ctx, &inventorymovementv1.BatchRecordReceiptsRequest{Receipts: messages[*inventorymovementv1.GoodsReceipt](records), Source: source})
	return resp.GetResults(), err
}
