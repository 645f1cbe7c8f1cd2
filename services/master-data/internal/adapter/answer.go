package adapter

import (
	"context"
	"fmt"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/app"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// sameCode fills in the record's own code from the path, from which it may not differ.
func sameCode(field, path string, own *string) error {
	if *own == "" {
		*own = path
	}
	if *own != path {
		return fault.New(fault.Invalid, "CODE_MISMATCH", "the path names %q, the record %q", path, *own).
			WithField(field, "CODE_MISMATCH", "must be %q or left out", path)
	}
	return nil
}

// under returns the fault with the paths of its fields put under the place of the record in the request.
func under(path string, err error) error {
	f, ok := fault.As(err)
	if !ok || len(f.Fields) == 0 {
		return err
	}
	placed := *f
	placed.Fields = nil
	for _, field := range f.Fields {
		field.Path = path + "." + field.Path
		placed.Fields = append(placed.Fields, field)
	}
	return &placed
}

// itemResults converts the results of a batch, whose records stand in the request's list.
func itemResults(ctx context.Context, list string, results []app.Result) ([]*commonv1.ItemResult, error) {
	return guard.ItemResults(ctx, len(results), func(i int) (store.Receipt, error) {
		if r := results[i]; r.Err == nil {
			return r.Receipt, nil
		}
		return store.Receipt{}, under(fmt.Sprintf("%s[%d]", list, i), results[i].Err)
	})
}

func state(s domain.State) mdv1.RecordState {
	return mdv1.RecordState(mdv1.RecordState_value["RECORD_STATE_"+string(s)])
}

func itemRecord(v store.View[domain.Record[domain.Item]]) *mdv1.ItemRecord {
	return &mdv1.ItemRecord{
		ItemId: v.ID, Item: itemToProto(v.State.Value), State: state(v.State.State), Etag: v.ETag,
		CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
		Observations: observationsToProto(v.State.Observed),
	}
}

func partyRecord(v store.View[domain.Record[domain.Party]]) *mdv1.PartyRecord {
	return &mdv1.PartyRecord{
		PartyId: v.ID, Party: partyToProto(v.State.Value), State: state(v.State.State), Etag: v.ETag,
		CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
		Observations: observationsToProto(v.State.Observed),
	}
}

func locationRecord(v store.View[domain.Record[domain.Location]]) *mdv1.LocationRecord {
	return &mdv1.LocationRecord{
		LocationId: v.ID, Location: locationToProto(v.State.Value), State: state(v.State.State), Etag: v.ETag,
		CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated), SiteCode: v.State.Value.Site,
		Observations: observationsToProto(v.State.Observed),
	}
}

func carrierRecord(v store.View[domain.Record[domain.Carrier]]) *mdv1.CarrierRecord {
	return &mdv1.CarrierRecord{
		CarrierId: v.ID, Carrier: carrierToProto(v.State.Value), State: state(v.State.State), Etag: v.ETag,
		CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
		Observations: observationsToProto(v.State.Observed),
	}
}
