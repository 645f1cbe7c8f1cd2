package adapter

import (
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

func fromKept(c *inventorymovementv1.KeptClaim) (domain.Kept, error) {
	q, err := protovalue.StoredQuantity(c.GetQuantity())
	return domain.Kept{Key: c.GetClaimKey(), Item: c.GetItemId(), Quantity: q.Value}, err
}

// stopMessage is a fact about a release that was to be stopped, as it is stored and published.
func stopMessage(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.StopAsked:
		return &orderreleasev1.StopRequested{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), ReleaseVersion: int32(f.Version),
			Hold: holdType(f.Hold), Site: f.Site,
		}
	case domain.StopRefused:
		return &orderreleasev1.StopRefused{OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), Reason: f.Reason}
	case domain.ReleaseWithdrawn:
		return &orderreleasev1.ReleaseWithdrawn{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), Lines: protovalue.Each(f.Lines, lineQuantity),
			Claims: protovalue.Each(f.Claims, func(c domain.WithdrawnClaim) *orderreleasev1.WithdrawnClaim {
				return &orderreleasev1.WithdrawnClaim{LineNumber: int32(c.Line), ClaimKey: c.Key, Quantity: c.Quantity.String()}
			}),
		}
	}
	return reversalMessage(f)
}

// readStop reads the facts about releases that were to be stopped.
func readStop(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *orderreleasev1.StopRequested) (domain.Fact, error) {
		n, err := releaseNumber(m.GetReleaseId())
		return domain.StopAsked{Keys: keys(m), Release: n, Version: int(m.GetReleaseVersion()), Site: m.GetSite(), Hold: fromHoldType(m.GetHold())}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.StopRefused) (domain.Fact, error) {
		n, err := releaseNumber(m.GetReleaseId())
		return domain.StopRefused{Keys: keys(m), Release: n, Reason: m.GetReason()}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.ReleaseWithdrawn) (domain.Fact, error) {
		k, n, lines, err := part(m)
		if err != nil {
			return nil, err
		}
		claims, err := protovalue.TryEach(m.GetClaims(), func(c *orderreleasev1.WithdrawnClaim) (domain.WithdrawnClaim, error) {
			q, err := quantity.Parse(c.GetQuantity())
			return domain.WithdrawnClaim{Line: int(c.GetLineNumber()), Key: c.GetClaimKey(), Quantity: q}, err
		})
		return domain.ReleaseWithdrawn{Keys: k, Release: n, Lines: lines, Claims: claims}, err
	})
}
