package adapter

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// AmendRelease asks the warehouse to take something off a release.
func (s *Server) AmendRelease(ctx context.Context, r *orderreleasev1.AmendReleaseRequest) (*orderreleasev1.AmendReleaseResponse, error) {
	lines := make([]domain.LineAmendment, len(r.GetLines()))
	for i, l := range r.GetLines() {
		q, err := protovalue.FromQuantity(l.GetQuantity(), fmt.Sprintf("lines[%d].quantity", i))
		if err != nil {
			return nil, err
		}
		lines[i] = domain.LineAmendment{Line: int(l.GetLineNumber()), Quantity: q}
	}
	receipt, err := s.App.Amend(owners.Says(ctx, "AmendRelease", r), r.GetOrderId(), r.GetReleaseId(), lines, r.GetReason())
	return &orderreleasev1.AmendReleaseResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// amendmentMessage is a fact about an amendment, as it is stored and published.
func amendmentMessage(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.AmendmentAsked:
		return &orderreleasev1.AmendmentRequested{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), ReleaseVersion: int32(f.Version),
			AmendedVersion: int32(f.Amended), Site: f.Site, Lines: protovalue.Each(f.Lines, amendedLine), Reason: f.Reason,
		}
	case domain.ReleaseAmended:
		return &orderreleasev1.ReleaseAmended{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), AmendedVersion: int32(f.Amended),
			Lines: protovalue.Each(f.Lines, lineQuantity),
		}
	case domain.AmendmentRefused:
		return &orderreleasev1.AmendmentRefused{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), AmendedVersion: int32(f.Amended),
			Reasons: protovalue.Each(f.Reasons, reason),
		}
	}
	return nil
}

// readAmendments reads the facts about amendments.
func readAmendments(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *orderreleasev1.AmendmentRequested) (domain.Fact, error) {
		n, err := releaseNumber(m.GetReleaseId())
		if err != nil {
			return nil, err
		}
		lines, err := protovalue.TryEach(m.GetLines(), fromAmendedLine)
		return domain.AmendmentAsked{
			Keys: keys(m), Release: n, Version: int(m.GetReleaseVersion()), Amended: int(m.GetAmendedVersion()), Site: m.GetSite(), Lines: lines, Reason: m.GetReason(),
		}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.ReleaseAmended) (domain.Fact, error) {
		k, n, lines, err := part(m)
		return domain.ReleaseAmended{Keys: k, Release: n, Amended: int(m.GetAmendedVersion()), Lines: lines}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.AmendmentRefused) (domain.Fact, error) {
		n, err := releaseNumber(m.GetReleaseId())
		return domain.AmendmentRefused{Keys: keys(m), Release: n, Amended: int(m.GetAmendedVersion()), Reasons: protovalue.Each(m.GetReasons(), fromReason)}, err
	})
}

func amendedLine(l domain.AmendedLine) *orderreleasev1.AmendedLine {
	return &orderreleasev1.AmendedLine{LineNumber: int32(l.Line), FromQuantity: l.From.String(), ToQuantity: l.To.String()}
}

func fromAmendedLine(m *orderreleasev1.AmendedLine) (l domain.AmendedLine, err error) {
	l.Line = int(m.GetLineNumber())
	if l.From, err = quantity.Parse(m.GetFromQuantity()); err != nil {
		return l, err
	}
	l.To, err = quantity.Parse(m.GetToQuantity())
	return l, err
}

// amendment is the newest amendment of a release, nil when there was none.
func amendment(a domain.Amendment) *orderreleasev1.Amendment {
	if a.IsZero() {
		return nil
	}
	return &orderreleasev1.Amendment{
		AmendedVersion: int32(a.Version), State: orderreleasev1.AmendmentState(orderreleasev1.AmendmentState_value["AMENDMENT_STATE_"+string(a.State)]),
		Lines: protovalue.Each(a.Lines, amendedLine), Reason: a.Reason, Refusals: protovalue.Each(a.Refusals, reason),
	}
}

func freezePoint(p domain.FreezePoint) orderreleasev1.FreezePoint {
	return orderreleasev1.FreezePoint(orderreleasev1.FreezePoint_value["FREEZE_POINT_"+string(p)])
}

func fromFreezePoint(p orderreleasev1.FreezePoint) domain.FreezePoint {
	return domain.FreezePoint(protovalue.Name(p, "FREEZE_POINT_"))
}
