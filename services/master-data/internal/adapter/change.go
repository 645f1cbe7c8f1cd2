package adapter

import (
	"context"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/app"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

const changePrefix = "CHANGE_STATE_"

// changed is what a change and its proposal have in common.
type changed interface {
	GetItem() *mdv1.Item
	GetParty() *mdv1.Party
	GetLocation() *mdv1.Location
	GetCarrier() *mdv1.Carrier
}

// recordsOf fills in the record that a change is of.
func recordsOf(m changed, c domain.Change) domain.Change {
	c.Item = optional(m.GetItem(), itemFromProto)
	c.Party = optional(m.GetParty(), partyFromProto)
	c.Location = optional(m.GetLocation(), locationFromProto)
	c.Carrier = optional(m.GetCarrier(), carrierFromProto)
	return c
}

func changeFromProto(m *mdv1.Change) domain.Change {
	return recordsOf(m, domain.Change{
		Code: m.GetCode(), State: domain.ChangeState(protovalue.Name(m.GetState(), changePrefix)), Effective: protovalue.FromTime(m.GetEffectiveFrom()), Note: m.GetNote(),
		Proposer: m.GetProposedBy(), Proposed: protovalue.FromTime(m.GetProposeTime()), Decider: m.GetDecidedBy(), Decided: protovalue.FromTime(m.GetDecideTime()),
		Applied: protovalue.FromTime(m.GetApplyTime()), Reason: m.GetReason(),
	})
}

func changeToProto(c domain.Change) *mdv1.Change {
	m := &mdv1.Change{
		Code: c.Code, State: mdv1.ChangeState(mdv1.ChangeState_value[changePrefix+string(c.State)]), EffectiveFrom: protovalue.Time(c.Effective), Note: c.Note,
		ProposedBy: c.Proposer, ProposeTime: protovalue.Time(c.Proposed), DecidedBy: c.Decider, DecideTime: protovalue.Time(c.Decided),
		ApplyTime: protovalue.Time(c.Applied), Reason: c.Reason,
	}
	switch {
	case c.Item != nil:
		m.Record = &mdv1.Change_Item{Item: itemToProto(*c.Item)}
	case c.Party != nil:
		m.Record = &mdv1.Change_Party{Party: partyToProto(*c.Party)}
	case c.Location != nil:
		m.Record = &mdv1.Change_Location{Location: locationToProto(*c.Location)}
	case c.Carrier != nil:
		m.Record = &mdv1.Change_Carrier{Carrier: carrierToProto(*c.Carrier)}
	}
	return m
}

var changeWire = wire[domain.Change]{
	empty: []proto.Message{&mdv1.ChangeDecided{}},
	encode: func(f domain.Fact[domain.Change]) proto.Message {
		return &mdv1.ChangeDecided{ChangeId: f.ID, Change: changeToProto(f.Value)}
	},
	decode: func(m proto.Message) domain.Fact[domain.Change] {
		e := m.(*mdv1.ChangeDecided)
		return domain.Fact[domain.Change]{ID: e.GetChangeId(), Value: changeFromProto(e.GetChange())}
	},
}

// changeIndexes list changes by their state, and approved ones by when they take effect.
var changeIndexes = map[string]func(domain.Change) []string{
	app.IndexState: func(c domain.Change) []string { return []string{string(c.State)} },
	app.IndexDue: func(c domain.Change) []string {
		if due, ok := c.Due(); ok {
			return []string{store.TimeKey(due)}
		}
		return nil
	},
}

// ProposeChange puts a change of a record up for a decision.
func (s *Server) ProposeChange(ctx context.Context, req *mdv1.ProposeChangeRequest) (*mdv1.ProposeChangeResponse, error) {
	change := recordsOf(req, domain.Change{Code: req.GetCode(), Effective: protovalue.FromTime(req.GetEffectiveFrom()), Note: req.GetNote()})
	receipt, err := s.Changes.Propose(ctx, change)
	if err != nil {
		return nil, proposed(req, err)
	}
	return &mdv1.ProposeChangeResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// proposed puts the fields of a record's fault under the record; those of the change stay.
func proposed(req *mdv1.ProposeChangeRequest, err error) error {
	if !fault.IsKind(err, fault.Invalid) {
		return err
	}
	switch {
	case req.GetItem() != nil:
		return under("item", err)
	case req.GetParty() != nil:
		return under("party", err)
	case req.GetLocation() != nil:
		return under("location", err)
	}
	return under("carrier", err)
}

// ApproveChange approves a change of somebody else's.
func (s *Server) ApproveChange(ctx context.Context, req *mdv1.ApproveChangeRequest) (*mdv1.ApproveChangeResponse, error) {
	receipt, err := s.Changes.Approve(ctx, req.GetCode(), req.GetAllowOpenDocuments())
	return &mdv1.ApproveChangeResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// RejectChange rejects a change.
func (s *Server) RejectChange(ctx context.Context, req *mdv1.RejectChangeRequest) (*mdv1.RejectChangeResponse, error) {
	receipt, err := s.Changes.Reject(ctx, req.GetCode(), req.GetReason())
	return &mdv1.RejectChangeResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetChange returns a change.
func (s *Server) GetChange(ctx context.Context, req *mdv1.GetChangeRequest) (*mdv1.GetChangeResponse, error) {
	view, err := s.Changes.Get(ctx, req.GetCode())
	return &mdv1.GetChangeResponse{ChangeId: view.ID, Change: changeToProto(view.State.Value), Etag: view.ETag}, err
}

// ListChanges pages changes.
func (s *Server) ListChanges(ctx context.Context, req *mdv1.ListChangesRequest) (*mdv1.ListChangesResponse, error) {
	q := query(req)
	if state := protovalue.Name(req.GetState(), changePrefix); state != "" {
		q.Index, q.Key = app.IndexState, state
	}
	page, err := s.Changes.List(ctx, q)
	return &mdv1.ListChangesResponse{
		Changes: protovalue.Each(page.Items, func(v store.View[domain.Record[domain.Change]]) *mdv1.Change { return changeToProto(v.State.Value) }), NextPageToken: page.NextToken,
		AsOfTime: protovalue.Time(page.AsOf),
	}, err
}

type recordVersion = mdv1.ListRecordVersionsResponse_RecordVersion

// ListRecordVersions pages the versions of a record.
func (s *Server) ListRecordVersions(ctx context.Context, req *mdv1.ListRecordVersionsRequest) (*mdv1.ListRecordVersionsResponse, error) {
	switch objectType(req.GetObjectType()) {
	case "PARTY":
		return versions(ctx, s.parties.Registry, req, func(m *recordVersion, v domain.Party) {
			m.Record = &mdv1.ListRecordVersionsResponse_RecordVersion_Party{Party: partyToProto(v)}
		})
	case "LOCATION":
		return versions(ctx, s.locations.Registry, req, func(m *recordVersion, v domain.Location) {
			m.Record = &mdv1.ListRecordVersionsResponse_RecordVersion_Location{Location: locationToProto(v)}
		})
	case "CARRIER":
		return versions(ctx, s.carriers, req, func(m *recordVersion, v domain.Carrier) {
			m.Record = &mdv1.ListRecordVersionsResponse_RecordVersion_Carrier{Carrier: carrierToProto(v)}
		})
	}
	return versions(ctx, s.items, req, func(m *recordVersion, v domain.Item) {
		m.Record = &mdv1.ListRecordVersionsResponse_RecordVersion_Item{Item: itemToProto(v)}
	})
}

// pageOfVersions is the size of a page where none is given.
const pageOfVersions = 50

func versions[V domain.Value](ctx context.Context, r *app.Registry[V], req *mdv1.ListRecordVersionsRequest, set func(*recordVersion, V)) (*mdv1.ListRecordVersionsResponse, error) {
	after := uint64(0)
	if req.GetPageToken() != "" {
		var err error
		if after, err = strconv.ParseUint(req.GetPageToken(), 10, 64); err != nil {
			return nil, fault.New(fault.Invalid, "INVALID_REQUEST", "the page token is none of ours").WithField("page_token", "PAGE_TOKEN_INVALID", "is none of ours")
		}
	}
	if _, err := r.Get(ctx, req.GetObjectKey()); err != nil {
		return nil, err
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = pageOfVersions
	}
	list, next, err := r.Versions(ctx, req.GetObjectKey(), after, size)
	if err != nil {
		return nil, err
	}
	out := &mdv1.ListRecordVersionsResponse{}
	for _, v := range list {
		m := &recordVersion{
			State: state(v.Record.State), RecordVersion: int64(v.Number), RecordTime: protovalue.Time(v.Recorded), Principal: v.Cause.Principal,
			Source: guard.SourceProto(v.Cause.Source),
		}
		set(m, v.Record.Value)
		out.Versions = append(out.Versions, m)
	}
	if next > 0 {
		out.NextPageToken = strconv.FormatUint(next, 10)
	}
	return out, nil
}
