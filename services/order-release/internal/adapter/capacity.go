package adapter

import (
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// loadMessage is a fact of a window's load as it is stored and published.
func loadMessage(f domain.LoadFact) proto.Message {
	switch f := f.(type) {
	case domain.PlaceTaken:
		return &orderreleasev1.ChannelPlaceTaken{
			Channel: f.Channel, Site: f.Site, OpensTime: protovalue.Time(f.Opens), OrderId: f.Order, Turn: int32(f.Turn), Lines: int32(f.Lines),
		}
	case domain.PlaceFreed:
		return &orderreleasev1.ChannelPlaceFreed{
			Channel: f.Channel, Site: f.Site, OpensTime: protovalue.Time(f.Opens), OrderId: f.Order, Turn: int32(f.Turn),
		}
	}
	return nil
}

// loadReaders reads every fact type that a window's load may have.
var loadReaders = func() protovalue.Readers[domain.LoadFact] {
	rs := protovalue.Readers[domain.LoadFact]{}
	protovalue.Read(rs, func(m *orderreleasev1.ChannelPlaceTaken) (domain.LoadFact, error) {
		return domain.PlaceTaken{
			Channel: m.GetChannel(), Site: m.GetSite(), Opens: protovalue.FromTime(m.GetOpensTime()),
			Placed: domain.Placed{Order: m.GetOrderId(), Turn: int(m.GetTurn()), Lines: int(m.GetLines())},
		}, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.ChannelPlaceFreed) (domain.LoadFact, error) {
		return domain.PlaceFreed{
			Channel: m.GetChannel(), Site: m.GetSite(), Opens: protovalue.FromTime(m.GetOpensTime()), Order: m.GetOrderId(), Turn: int(m.GetTurn()),
		}, nil
	})
	return rs
}()

// capacity is how much a channel lets go; absent when there is no bound.
func capacity(c domain.Capacity) *orderreleasev1.ChannelCapacity {
	if !c.Limits() {
		return nil
	}
	return &orderreleasev1.ChannelCapacity{Releases: int32(c.Releases), Lines: int32(c.Lines)}
}

// load is what is taken of a window.
func load(s domain.Slot, l domain.Load) *orderreleasev1.ChannelLoad {
	return &orderreleasev1.ChannelLoad{
		OpensTime: protovalue.Time(s.Opens), EndsTime: protovalue.Time(s.Ends), Releases: int32(len(l.Placed)), Lines: int32(l.Lines()),
	}
}
