package adapter

import (
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// readSourcing reads the facts about the sites and channels of an order.
func readSourcing(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *orderreleasev1.OrderSourced) (domain.Fact, error) {
		f := domain.OrderSourced{Keys: keys(m), Sourcing: domain.Sourcing{Version: int(m.GetSourcing().GetRulesVersion())}}
		for i, r := range m.GetSourcing().GetRules() {
			f.Sourcing.Rules = append(f.Sourcing.Rules, domain.Sourcers{Rule: r.GetRule(), Strategy: fromStrategy(r.GetStrategy()), Sites: r.GetSites()})
			for _, n := range r.GetLineNumbers() {
				f.Lines = append(f.Lines, domain.SourcedLine{Line: int(n), Rule: i + 1})
			}
		}
		return f, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.ReleaseDeferred) (domain.Fact, error) {
		d := m.GetDeferral()
		return domain.ReleaseDeferred{Keys: keys(m), Deferral: domain.Deferral{
			Site: d.GetSite(), Channel: d.GetChannel(), Reason: d.GetReason(), Zone: d.GetTimeZone(),
			Next: protovalue.FromTime(d.GetNextTime()), Since: protovalue.FromTime(d.GetSinceTime()),
		}}, nil
	})
}

// sourcing is which rules source which lines.
func sourcing(s domain.Sourcing, lines []domain.SourcedLine) *orderreleasev1.OrderSourcing {
	out := &orderreleasev1.OrderSourcing{RulesVersion: int32(s.Version)}
	for i, r := range s.Rules {
		rule := &orderreleasev1.RuleSourcing{Rule: r.Rule, Strategy: strategy(r.Strategy), Sites: r.Sites}
		for _, l := range lines {
			if l.Rule == i+1 {
				rule.LineNumbers = append(rule.LineNumbers, int32(l.Line))
			}
		}
		out.Rules = append(out.Rules, rule)
	}
	return out
}

// orderSourcing is how an order's lines were sourced; nil when no rule sources one.
func orderSourcing(o domain.Order) *orderreleasev1.OrderSourcing {
	if len(o.Sourcing.Rules) == 0 {
		return nil
	}
	var lines []domain.SourcedLine
	for _, l := range o.Lines {
		lines = append(lines, domain.SourcedLine{Line: l.Number, Rule: l.Rule})
	}
	return sourcing(o.Sourcing, lines)
}

func deferral(d domain.Deferral) *orderreleasev1.Deferral {
	return &orderreleasev1.Deferral{
		Site: d.Site, Channel: d.Channel, Reason: d.Reason, TimeZone: d.Zone, NextTime: protovalue.Time(d.Next), SinceTime: protovalue.Time(d.Since),
	}
}

// lineAtSites are the parts of one line.
func lineAtSites(parts []domain.AtSite, line int) (out []*orderreleasev1.LineAtSite) {
	for _, p := range parts {
		if p.Line == line {
			out = append(out, &orderreleasev1.LineAtSite{
				Site: p.Site, Promised: p.Promised.String(), Released: p.Released.String(), Issued: p.Issued.String(), Delivered: p.Delivered.String(),
			})
		}
	}
	return out
}

func deliveryStatus(d domain.Delivery) orderreleasev1.DeliveryStatus {
	return orderreleasev1.DeliveryStatus(orderreleasev1.DeliveryStatus_value["DELIVERY_STATUS_"+string(d)])
}

func strategy(s domain.Strategy) orderreleasev1.SourcingStrategy {
	return orderreleasev1.SourcingStrategy(orderreleasev1.SourcingStrategy_value["SOURCING_STRATEGY_"+string(s)])
}

func fromStrategy(s orderreleasev1.SourcingStrategy) domain.Strategy {
	if s == orderreleasev1.SourcingStrategy_SOURCING_STRATEGY_UNSPECIFIED {
		return domain.Priority
	}
	return domain.Strategy(protovalue.Name(s, "SOURCING_STRATEGY_"))
}

func channelState(s domain.ChannelState) orderreleasev1.ReleaseChannelState {
	return orderreleasev1.ReleaseChannelState(orderreleasev1.ReleaseChannelState_value["RELEASE_CHANNEL_STATE_"+string(s)])
}

// rulesMessage is a fact of sourcing rules as it is stored and published.
func rulesMessage(f domain.RulesFact) proto.Message {
	if f, ok := f.(domain.RulesChanged); ok {
		return &orderreleasev1.SourcingRulesChanged{Rules: rules(f.Rules, "")}
	}
	return nil
}

// rulesReaders reads every fact type that sourcing rules may have.
var rulesReaders = func() protovalue.Readers[domain.RulesFact] {
	rs := protovalue.Readers[domain.RulesFact]{}
	protovalue.Read(rs, func(m *orderreleasev1.SourcingRulesChanged) (domain.RulesFact, error) {
		r := m.GetRules()
		return domain.RulesChanged{Rules: domain.Rules{
			Version: int(r.GetVersion()), List: protovalue.Each(r.GetRules(), fromRule), Note: r.GetNote(), By: r.GetPutBy(), At: protovalue.FromTime(r.GetPutTime()),
		}}, nil
	})
	return rs
}()

func rules(r domain.Rules, etag string) *orderreleasev1.SourcingRules {
	return &orderreleasev1.SourcingRules{
		Version: int32(r.Version), Etag: etag, Rules: protovalue.Each(r.List, rule), Note: r.Note, PutBy: r.By, PutTime: protovalue.Time(r.At),
	}
}

func rule(r domain.Rule) *orderreleasev1.SourcingRule {
	return &orderreleasev1.SourcingRule{Name: r.Name, Condition: r.Condition, Sites: r.Sites, Strategy: strategy(r.Strategy)}
}

func fromRule(r *orderreleasev1.SourcingRule) domain.Rule {
	return domain.Rule{Name: r.GetName(), Condition: r.GetCondition(), Sites: r.GetSites(), Strategy: fromStrategy(r.GetStrategy())}
}

// channelMessage is a fact of a release channel as it is stored and published.
func channelMessage(f domain.ChannelFact) proto.Message {
	switch f := f.(type) {
	case domain.ChannelDefined:
		return &orderreleasev1.ReleaseChannelDefined{Channel: channel(f.Channel, "")}
	case domain.ChannelClosed:
		return &orderreleasev1.ReleaseChannelClosed{
			Code: f.Code, Site: f.Site, UntilTime: protovalue.Time(f.Until), Note: f.Note, ChangedBy: f.By, ChangedTime: protovalue.Time(f.At),
		}
	case domain.ChannelOpened:
		return &orderreleasev1.ReleaseChannelOpened{Code: f.Code, Site: f.Site, Note: f.Note, ChangedBy: f.By, ChangedTime: protovalue.Time(f.At)}
	}
	return nil
}

// channelReaders reads every fact type that release channels may have.
var channelReaders = func() protovalue.Readers[domain.ChannelFact] {
	rs := protovalue.Readers[domain.ChannelFact]{}
	protovalue.Read(rs, func(m *orderreleasev1.ReleaseChannelDefined) (domain.ChannelFact, error) {
		c, err := fromChannel(m.GetChannel())
		return domain.ChannelDefined{Channel: c}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.ReleaseChannelClosed) (domain.ChannelFact, error) {
		return domain.ChannelClosed{
			Code: m.GetCode(), Site: m.GetSite(), Until: protovalue.FromTime(m.GetUntilTime()), Note: m.GetNote(), By: m.GetChangedBy(), At: protovalue.FromTime(m.GetChangedTime()),
		}, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.ReleaseChannelOpened) (domain.ChannelFact, error) {
		return domain.ChannelOpened{Code: m.GetCode(), Site: m.GetSite(), Note: m.GetNote(), By: m.GetChangedBy(), At: protovalue.FromTime(m.GetChangedTime())}, nil
	})
	return rs
}()

func channel(c domain.Channel, etag string) *orderreleasev1.ReleaseChannel {
	return &orderreleasev1.ReleaseChannel{
		Code: c.Code, Name: c.Name, Site: c.Site, Condition: c.Condition, Priority: int32(c.Priority), TimeZone: c.Zone, ShippedPolicy: shippedPolicy(c.Shipped),
		Windows: protovalue.Each(c.Windows, window), State: channelState(c.State), UntilTime: protovalue.Time(c.Until), Note: c.Note,
		ChangedBy: c.By, ChangedTime: protovalue.Time(c.At), Etag: etag, Capacity: capacity(c.Capacity), FreezePoint: freezePoint(c.Freeze),
	}
}

func channelView(v store.View[domain.Channel]) *orderreleasev1.ReleaseChannel {
	return channel(v.State, v.ETag)
}

// defaultPriority of a channel that names none.
const defaultPriority = 500

// fromChannel reads a channel's definition; windows that cannot be are fault.Invalid, each named.
func fromChannel(c *orderreleasev1.ReleaseChannel) (domain.Channel, error) {
	out := domain.Channel{
		Code: c.GetCode(), Name: c.GetName(), Site: c.GetSite(), Condition: c.GetCondition(), Priority: int(c.GetPriority()), Zone: c.GetTimeZone(),
		Capacity: domain.Capacity{Releases: int(c.GetCapacity().GetReleases()), Lines: int(c.GetCapacity().GetLines())},
		Freeze:   fromFreezePoint(c.GetFreezePoint()),
	}
	if out.Priority == 0 {
		out.Priority = defaultPriority
	}
	out.Shipped = fromShippedPolicy(c.GetShippedPolicy())
	wrong := fault.New(fault.Invalid, "INVALID_REQUEST", "the windows cannot be taken")
	for i, w := range c.GetWindows() {
		next := domain.Window{Day: int(w.GetDay()), Opens: fromClock(w.GetOpens()), CutOff: fromClock(w.GetCutOff())}
		field := fmt.Sprintf("channel.windows[%d].cut_off", i)
		if next.CutOff <= next.Opens {
			wrong = wrong.WithField(field, "WINDOW_INVALID", "%s is not after %s", w.GetCutOff(), w.GetOpens())
		}
		for n, earlier := range out.Windows {
			if earlier.Day == next.Day && earlier.Opens < next.CutOff && next.Opens < earlier.CutOff {
				wrong = wrong.WithField(field, "WINDOW_INVALID", "it covers a part of windows[%d]", n)
			}
		}
		out.Windows = append(out.Windows, next)
	}
	if len(wrong.Fields) > 0 {
		return out, wrong
	}
	return out, nil
}

func window(w domain.Window) *orderreleasev1.ReleaseWindow {
	return &orderreleasev1.ReleaseWindow{Day: int32(w.Day), Opens: clock(w.Opens), CutOff: clock(w.CutOff)}
}

// clock is minutes after midnight as "HH:MM".
func clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// fromClock reads "HH:MM", whose form the contract checks.
func fromClock(text string) int {
	if len(text) != len("00:00") {
		return 0
	}
	hours, _ := strconv.Atoi(text[:2])
	minutes, _ := strconv.Atoi(text[3:])
	return hours*60 + minutes
}

// missing is one thing that an order's next release lacks.
func missing(l domain.Lack) *orderreleasev1.MissingForRelease {
	return &orderreleasev1.MissingForRelease{
		Reason: reason(l.Reason), Command: l.With, SinceTime: protovalue.Time(l.Since), NextTime: protovalue.Time(l.Next),
		LiftedBy: protovalue.Each(l.Lifts, func(role string) commonv1.Role { return commonv1.Role(commonv1.Role_value["ROLE_"+role]) }),
	}
}
