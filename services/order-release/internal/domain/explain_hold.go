package domain

import (
	"fmt"
	"strings"
)

// explainHolds says what each open hold keeps back. A warehouse that has a release already goes
// on with it whatever is held afterwards, and the reason names what it goes on with.
func (o Order) explainHolds(open bool) []Reason {
	var reasons []Reason
	underWay := o.underWay()
	if !open && len(underWay) == 0 {
		return nil
	}
	goesOn := ""
	if len(underWay) > 0 {
		goesOn = "; the warehouse goes on with " + strings.Join(underWay, ", ") + ": RequestCancel asks it to stop"
	}
	for _, h := range o.Holds {
		reasons = append(reasons, Reason{
			"ORDER_ON_HOLD", "holds." + string(h.Type),
			fmt.Sprintf("%s hold since %s by %s (%s): LiftHold ends it%s", h.Type, h.At.Format("2006-01-02 15:04Z"), h.By, h.Note, goesOn),
		})
	}
	return reasons
}

// underWay are the ids of the releases that a warehouse has and has not finished.
func (o Order) underWay() []string {
	var ids []string
	for _, r := range o.Releases {
		switch r.State() {
		case ReleaseSent, ReleaseAcknowledgedBy, ReleaseInExecution, ReleaseCancelAsked:
			ids = append(ids, ReleaseID(o.ID, r.Number))
		}
	}
	return ids
}
