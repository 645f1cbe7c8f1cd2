package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
)

// Sizes of an import and of the raw inserts that it is held against.
const (
	importRows  = 10_000
	insertBatch = 1_000
)

// MasterData imports items as one document of CSV through the public door, until the last of
// them is taken, and compares with the plain driver's inserts of as many documents in batches,
// acknowledged by a journaled majority, on the same mongod.
func MasterData(ctx context.Context, r *Report) error {
	e, err := onMongo(ctx)
	if err != nil {
		return err
	}
	rounds, rows := 5, importRows
	if r.Quick {
		rounds, rows = 1, importRows/10
	}
	for round := range rounds {
		if err = e.importItems(ctx, r, round, rows); err != nil {
			break
		}
	}
	return errors.Join(err, e.close())
}

// importItems is one round: the import and the inserts, the first of a round last in the next.
func (e *running) importItems(ctx context.Context, r *Report, round, rows int) error {
	var imported, inserted time.Duration
	run := testkit.Name("i")
	steps := []func() error{
		func() (err error) { imported, err = e.importOnce(ctx, run, rows); return err },
		func() (err error) { inserted, err = e.insertOnce(ctx, run, rows); return err },
	}
	for n := range steps {
		if err := steps[(n+round)%len(steps)](); err != nil {
			return err
		}
	}
	r.Add("masterdata.import.rate", "1/s", float64(rows)/imported.Seconds())
	r.Add("masterdata.insert.rate", "1/s", float64(rows)/inserted.Seconds())
	r.Add("masterdata.import", "ratio", inserted.Seconds()/imported.Seconds())
	return nil
}

// itemRow is one item of a run as a row of CSV.
func itemRow(run string, n int) string {
	return fmt.Sprintf("%s-%06d,Item number %d of a run,EA,%d.5,%d,120,80,CS,12\r\n", run, n, n, 100+n%900, 200+n%100)
}

const itemHeader = "sku,name,base_unit,base_weight_grams,length_mm,width_mm,height_mm,packaging_unit,packaging_numerator\r\n"

// importOnce hands a document over and waits until it is applied.
func (e *running) importOnce(ctx context.Context, run string, rows int) (time.Duration, error) {
	var csv strings.Builder
	csv.WriteString(itemHeader)
	for n := range rows {
		csv.WriteString(itemRow(run, n))
	}
	client := integrationv1.NewIntegrationServiceClient(e.grpc().dial("integration"))
	keyed := withKey(ctx, "import-"+run)
	begin := time.Now()
	resp, err := client.ImportDocument(keyed, &integrationv1.ImportDocumentRequest{Document: &integrationv1.InboundDocument{
		Type: integrationv1.DocumentType_DOCUMENT_TYPE_ITEMS, Format: integrationv1.DocumentFormat_DOCUMENT_FORMAT_CSV,
		Content: []byte(csv.String()), Source: &commonv1.SourceRef{System: "erp", MessageId: run},
	}})
	if err != nil {
		return 0, err
	}
	for {
		got, err := client.GetDocument(ctx, &integrationv1.GetDocumentRequest{DocumentId: resp.GetReceipt().GetId()})
		if err != nil {
			return 0, err
		}
		switch d := got.GetDocument(); d.GetState() {
		case integrationv1.DocumentState_DOCUMENT_STATE_APPLIED:
			return time.Since(begin), nil
		case integrationv1.DocumentState_DOCUMENT_STATE_RECEIVED, integrationv1.DocumentState_DOCUMENT_STATE_PARSED:
		default:
			return 0, fmt.Errorf("the document is %s: %d of %d rows refused", d.GetState(), d.GetRefused(), d.GetRows())
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// insertOnce inserts as many documents of the same content.
func (e *running) insertOnce(ctx context.Context, run string, rows int) (time.Duration, error) {
	journal := true
	c := e.client.Database(testkit.Name("bench")).Collection("items",
		options.Collection().SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journal}))
	defer func() { _ = c.Database().Drop(context.WithoutCancel(ctx)) }() // a name that is ours
	if err := c.Database().CreateCollection(ctx, c.Name()); err != nil {
		return 0, err
	}
	begin := time.Now()
	for at := 0; at < rows; at += insertBatch {
		var batch []any
		for n := at; n < min(at+insertBatch, rows); n++ {
			batch = append(batch, bson.D{
				{Key: "_id", Value: fmt.Sprintf("%s-%06d", run, n)},
				{Key: "name", Value: fmt.Sprintf("Item number %d of a run", n)},
				{Key: "base_unit", Value: "EA"},
				{Key: "base_weight_grams", Value: fmt.Sprintf("%d.5", 100+n%900)},
				{Key: "length_mm", Value: int64(200 + n%100)},
				{Key: "width_mm", Value: int64(120)},
				{Key: "height_mm", Value: int64(80)},
				{Key: "packaging_unit", Value: "CS"},
				{Key: "packaging_numerator", Value: int64(12)},
			})
		}
		if _, err := c.InsertMany(ctx, batch); err != nil {
			return 0, err
		}
	}
	return time.Since(begin), nil
}

// withKey returns a context whose call carries the idempotency key.
func withKey(ctx context.Context, key string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, guard.MetaKey, key)
}
