package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

func TestCopiesLeaveTheOriginal(t *testing.T) {
	base := fault.New(fault.Refused, "ORDER_ON_HOLD", "order %s is on hold", "ord_1").With("hold", "credit")
	one := base.With("hold", "customs").With("order", "ord_1").WithField("a", "A", "%d", 1).After(time.Second).Wrap(io.EOF)
	left, right := one.WithField("b", "B", ""), one.WithField("c", "C", "")
	if base.Metadata["hold"] != "credit" || len(base.Metadata) != 1 || base.Fields != nil || base.RetryAfter != 0 || errors.Unwrap(base) != nil {
		t.Errorf("the original changed: %+v", base)
	}
	if one.Metadata["hold"] != "customs" || one.RetryAfter != time.Second || !errors.Is(one, io.EOF) || one.Fields[0] != (fault.Field{Path: "a", Reason: "A", Description: "1"}) {
		t.Errorf("the copy lacks something: %+v", one)
	}
	if left.Fields[1].Path != "b" || right.Fields[1].Path != "c" {
		t.Errorf("two copies share fields: %v %v", left.Fields, right.Fields)
	}
	if got := one.Error(); got != "ORDER_ON_HOLD: order ord_1 is on hold: EOF" {
		t.Error(got)
	}
}

func TestKinds(t *testing.T) {
	wrapped := fmt.Errorf("use case: %w", fault.New(fault.Conflict, "TAKEN", ""))
	if f, ok := fault.As(wrapped); !ok || f.Reason != "TAKEN" || fault.KindOf(wrapped) != fault.Conflict {
		t.Errorf("%v is not found", wrapped)
	}
	if !fault.IsKind(wrapped, fault.Refused, fault.Conflict) || fault.IsKind(wrapped, fault.Refused) || fault.IsKind(io.EOF, fault.Internal) {
		t.Error("IsKind is wrong")
	}
	if fault.KindOf(io.EOF) != fault.Internal {
		t.Error("an error that is no fault must be internal")
	}
	for k := range fault.Kind(fault.Kinds) {
		f := fault.New(k, "X", "")
		if got, want := f.Recorded(), k == fault.Refused || k == fault.Conflict; got != want {
			t.Errorf("%s: Recorded = %v", k, got)
		}
		if fault.Transient(f) && f.Recorded() {
			t.Errorf("%s: a recorded answer never changes, so a retry cannot help", k)
		}
		if back, ok := fault.KindNamed(k.String()); !ok || back != k {
			t.Errorf("%s is read back as %s", k, back)
		}
	}
	if k, ok := fault.KindNamed("nothing"); ok || fault.Kind(99).String() != "internal" {
		t.Errorf("an unknown name is %s", k)
	}
}
