package adapter

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/app"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

const directionPrefix = "CROSS_REFERENCE_DIRECTION_"

func direction(d domain.Direction) mdv1.CrossReferenceDirection {
	return mdv1.CrossReferenceDirection(mdv1.CrossReferenceDirection_value[directionPrefix+string(d)])
}

func meaningsToProto(list []domain.Meaning) []*mdv1.ObjectMeaning {
	return protovalue.Each(list, func(m domain.Meaning) *mdv1.ObjectMeaning {
		return &mdv1.ObjectMeaning{ObjectKey: m.Object, Direction: direction(m.Direction), ValidFrom: protovalue.Time(m.From), ValidTo: protovalue.Time(m.To)}
	})
}

func meaningsFromProto(list []*mdv1.ObjectMeaning) []domain.Meaning {
	return protovalue.Each(list, func(m *mdv1.ObjectMeaning) domain.Meaning {
		return domain.Meaning{
			Object: m.GetObjectKey(), Direction: domain.Direction(protovalue.Name(m.GetDirection(), directionPrefix)),
			From: protovalue.FromTime(m.GetValidFrom()), To: protovalue.FromTime(m.GetValidTo()),
		}
	})
}

var referenceWire = wire[domain.CrossReference]{
	empty: []proto.Message{&mdv1.CrossReferenceDefined{}},
	encode: func(f domain.Fact[domain.CrossReference]) proto.Message {
		return &mdv1.CrossReferenceDefined{
			CrossReferenceId: f.ID, System: f.Value.System, ObjectType: toObjectType(f.Value.Type), ExternalId: f.Value.External,
			Meanings: meaningsToProto(f.Value.Meanings),
		}
	},
	decode: func(m proto.Message) domain.Fact[domain.CrossReference] {
		e := m.(*mdv1.CrossReferenceDefined)
		return domain.Fact[domain.CrossReference]{ID: e.GetCrossReferenceId(), Value: domain.CrossReference{
			System: e.GetSystem(), Type: objectType(e.GetObjectType()), External: e.GetExternalId(), Meanings: meaningsFromProto(e.GetMeanings()),
		}}
	},
}

func referenceFromProto(m *mdv1.CrossReference) app.Reference {
	return app.Reference{
		System: m.GetSystem(), Type: objectType(m.GetObjectType()), External: m.GetExternalId(),
		Meaning: domain.Meaning{
			Object: m.GetObjectKey(), Direction: domain.Direction(protovalue.Name(m.GetDirection(), directionPrefix)),
			From: protovalue.FromTime(m.GetValidFrom()), To: protovalue.FromTime(m.GetValidTo()),
		},
	}
}

func referenceRecord(v store.View[domain.Record[domain.CrossReference]]) *mdv1.CrossReferenceRecord {
	r := v.State.Value
	return &mdv1.CrossReferenceRecord{
		CrossReferenceId: v.ID, System: r.System, ObjectType: toObjectType(r.Type), ExternalId: r.External, Meanings: meaningsToProto(r.Meanings),
		Etag: v.ETag, CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
	}
}

// moment is the time asked about, now when none is.
func (s *Server) moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return s.now.Now()
	}
	return protovalue.FromTime(t)
}

// PutCrossReference gives an external id a meaning.
func (s *Server) PutCrossReference(ctx context.Context, req *mdv1.PutCrossReferenceRequest) (*mdv1.PutCrossReferenceResponse, error) {
	receipt, err := s.references.Put(ctx, referenceFromProto(req.GetCrossReference()))
	if err != nil {
		return nil, under("cross_reference", err)
	}
	return &mdv1.PutCrossReferenceResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// BatchPutCrossReferences gives external ids meanings, each on its own.
func (s *Server) BatchPutCrossReferences(ctx context.Context, req *mdv1.BatchPutCrossReferencesRequest) (*mdv1.BatchPutCrossReferencesResponse, error) {
	list := protovalue.Each(req.GetCrossReferences(), referenceFromProto)
	results, err := itemResults(ctx, "cross_references", app.Batch(ctx, s.parallel, list, app.Unranked, s.references.Put))
	return &mdv1.BatchPutCrossReferencesResponse{Results: results}, err
}

// RetireCrossReference ends meanings of an external id.
func (s *Server) RetireCrossReference(ctx context.Context, req *mdv1.RetireCrossReferenceRequest) (*mdv1.RetireCrossReferenceResponse, error) {
	ref := app.Reference{
		System: req.GetSystem(), Type: objectType(req.GetObjectType()), External: req.GetExternalId(), Meaning: domain.Meaning{Object: req.GetObjectKey()},
	}
	receipt, err := s.references.End(ctx, ref, protovalue.FromTime(req.GetValidTo()))
	if err != nil {
		return nil, err
	}
	return &mdv1.RetireCrossReferenceResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// GetCrossReference returns an external id with its meanings.
func (s *Server) GetCrossReference(ctx context.Context, req *mdv1.GetCrossReferenceRequest) (*mdv1.GetCrossReferenceResponse, error) {
	view, err := s.references.Get(ctx, domain.Joined(req.GetSystem(), objectType(req.GetObjectType()), req.GetExternalId()))
	return &mdv1.GetCrossReferenceResponse{CrossReference: referenceRecord(view)}, err
}

// ListCrossReferences pages external ids.
func (s *Server) ListCrossReferences(ctx context.Context, req *mdv1.ListCrossReferencesRequest) (*mdv1.ListCrossReferencesResponse, error) {
	q := query(req)
	switch {
	case req.GetObjectKey() != "":
		q.Index, q.Key = app.IndexObject, domain.Joined(objectType(req.GetObjectType()), req.GetObjectKey())
	case req.GetSystem() != "":
		q.Index, q.Key = app.IndexSystem, req.GetSystem()
	}
	page, err := s.references.List(ctx, q)
	return &mdv1.ListCrossReferencesResponse{
		CrossReferences: protovalue.Each(page.Items, referenceRecord), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, err
}

// ResolveCrossReference says what an external id means at a moment.
func (s *Server) ResolveCrossReference(ctx context.Context, req *mdv1.ResolveCrossReferenceRequest) (*mdv1.ResolveCrossReferenceResponse, error) {
	ref := app.Reference{System: req.GetSystem(), Type: objectType(req.GetObjectType()), External: req.GetExternalId()}
	id, m, err := s.references.Resolve(ctx, ref, s.moment(req.GetAsOfTime()))
	if err != nil {
		return nil, err
	}
	return &mdv1.ResolveCrossReferenceResponse{
		ObjectKey: m.Object, ObjectId: s.references.ObjectID(ctx, ref.Type, m.Object), CrossReferenceId: id,
		ValidFrom: protovalue.Time(m.From), ValidTo: protovalue.Time(m.To),
	}, nil
}

// ResolveExternalIds says by which ids a system knows an object of ours.
func (s *Server) ResolveExternalIds(ctx context.Context, req *mdv1.ResolveExternalIdsRequest) (*mdv1.ResolveExternalIdsResponse, error) {
	ref := app.Reference{System: req.GetSystem(), Type: objectType(req.GetObjectType()), Meaning: domain.Meaning{Object: req.GetObjectKey()}}
	told, asOf, err := s.references.ResolveOut(ctx, ref, s.moment(req.GetAsOfTime()))
	if err != nil {
		return nil, err
	}
	return &mdv1.ResolveExternalIdsResponse{
		ExternalIds: protovalue.Each(told, func(o app.Told) *mdv1.ResolveExternalIdsResponse_ExternalId {
			return &mdv1.ResolveExternalIdsResponse_ExternalId{
				ExternalId: o.External, CrossReferenceId: o.ID, ValidFrom: protovalue.Time(o.Meaning.From), ValidTo: protovalue.Time(o.Meaning.To),
			}
		}),
		AsOfTime: protovalue.Time(asOf),
	}, nil
}
