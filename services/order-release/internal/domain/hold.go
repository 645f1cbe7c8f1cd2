package domain

import "github.com/lockstep-logistics/lockstep/libs/fault"

// PlaceHold opens a hold: nothing is released until it is lifted.
func (o Order) PlaceHold(e Env, t HoldType, note string) ([]Fact, error) {
	if err := o.permit(CommandHold); err != nil {
		return nil, err
	}
	if o.HasHold(t) {
		return nil, fault.New(fault.Refused, "HOLD_OPEN", "a %s hold is open already", t).With("type", string(t))
	}
	return []Fact{HoldPlaced{Keys: o.keys(), Hold: Hold{Type: t, Note: note, By: e.By, At: e.Now}, AfterRelease: o.isSent()}}, nil
}

// LiftHold ends a hold. With the last one an automatic order releases what is promised.
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
