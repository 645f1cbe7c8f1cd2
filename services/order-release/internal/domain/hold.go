package domain

import "github.com/lockstep-logistics/lockstep/libs/fault"

// Roles that may lift what stands against a release.
const (
	roleLogistics = "LOGISTICS"
	roleFinance   = "FINANCE"
	roleService   = "CUSTOMER_SERVICE"
)

// Lifters are the roles that may lift a hold of the type.
func (t HoldType) Lifters() []string {
	switch t {
	case HoldCredit:
		return []string{roleFinance}
	case HoldPrice:
		return []string{roleFinance, roleService}
	case HoldExport, HoldMasterData:
		return []string{roleLogistics}
	default:
		return []string{roleLogistics, roleService}
	}
}

// Placers are the roles that may place one: who may lift it, and those who drive orders.
func (t HoldType) Placers() []string { return append(t.Lifters(), roleLogistics, roleService) }

// PlaceHold opens a hold: nothing is released until it is lifted, and who has a release is asked to stop.
func (o Order) PlaceHold(e Env, t HoldType, note string) ([]Fact, error) {
	if err := o.permit(CommandHold); err != nil {
		return nil, err
	}
	if o.HasHold(t) {
		return nil, fault.New(fault.Refused, "HOLD_OPEN", "a %s hold is open already", t).With("type", string(t))
	}
	s := o.begin(e)
	s.add(HoldPlaced{Keys: o.keys(), Hold: Hold{Type: t, Note: note, By: e.By, At: e.Now}, AfterRelease: o.isSent()})
	s.stopAll(t)
	return s.end(), nil
}

// LiftHold ends a hold. With the last one an automatic order releases what is promised, and any order
// what was withdrawn.
func (o Order) LiftHold(e Env, t HoldType, note string) ([]Fact, error) {
	if err := o.permit(CommandLift); err != nil {
		return nil, err
	}
	if !o.HasHold(t) {
		return nil, fault.New(fault.Refused, "HOLD_NOT_OPEN", "no %s hold is open", t).With("type", string(t))
	}
	s := o.begin(e)
	s.add(HoldLifted{Keys: o.keys(), Type: t, Note: note})
	s.proceed()
	return s.end(), nil
}
