package domain

import (
	"fmt"
	"strings"
)

// explainHolds says what each open hold keeps back, what warehouses are asked to stop, and what they
// go on with whatever is held.
func (o Order) explainHolds(open bool) []Reason {
	stopping, goingOn := o.underWay()
	if !open && len(stopping)+len(goingOn) == 0 {
		return nil
	}
	text := ""
	if len(stopping) > 0 {
		text += "; the warehouse is asked to stop " + strings.Join(stopping, ", ")
	}
	if len(goingOn) > 0 {
		text += "; the warehouse goes on with " + strings.Join(goingOn, ", ") + ": RequestCancel asks it to put back what is picked"
	}
	var reasons []Reason
	for _, h := range o.Holds {
		reasons = append(reasons, Reason{
			"ORDER_ON_HOLD", "holds." + string(h.Type),
			fmt.Sprintf("%s hold since %s by %s (%s): LiftHold ends it%s", h.Type, h.At.Format("2006-01-02 15:04Z"), h.By, h.Note, text),
		})
	}
	return reasons
}

// underWay are the releases that a warehouse has and has not finished: the ids of those that it is
// asked to stop, and of the others, with why it did not stop.
func (o Order) underWay() (stopping, goingOn []string) {
	for _, r := range o.Releases {
		switch r.State() {
		case ReleaseSent, ReleaseAcknowledgedBy, ReleaseInExecution, ReleaseCancelAsked:
			id := ReleaseID(o.ID, r.Number)
			switch {
			case r.StopAsked:
				stopping = append(stopping, id)
			case r.StopRefused != "":
				goingOn = append(goingOn, id+" ("+r.StopRefused+")")
			default:
				goingOn = append(goingOn, id)
			}
		}
	}
	return stopping, goingOn
}
