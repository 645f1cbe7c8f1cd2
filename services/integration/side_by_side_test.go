package integration_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// sideBySide watches the portions of a document of 60 items, the fourth of which names an item
// of the first: the three before it meet, and it comes after them. The last fails once.
type sideBySide struct {
	w      *world
	mu     sync.Mutex
	met    map[string]bool
	all    chan struct{} // closed when the first three have met
	once   sync.Once
	failed bool
	early  int // records that had taken effect when the fourth came
}

func (s *sideBySide) meet(first string) error {
	s.mu.Lock()
	s.met[first] = true
	if s.met["I-01"] && s.met["I-11"] && s.met["I-21"] {
		s.once.Do(func() { close(s.all) })
	}
	fails := first == "I-51" && !s.failed
	s.failed = s.failed || fails
	s.mu.Unlock()
	switch {
	case fails:
		return fault.New(fault.Unavailable, "AWAY", "away")
	case first == "I-31":
		took, _ := s.w.owners.count()
		s.mu.Lock()
		s.early = max(s.early, took)
		s.mu.Unlock()
	case first < "I-31":
		select {
		case <-s.all:
		case <-time.After(patience):
			return fault.New(fault.Denied, "ALONE", "no other portion came")
		}
	}
	return nil
}

// TestSideBySide: portions of items go side by side, but one that names what an earlier one
// names waits for it, and one that fails comes again without the others.
func TestSideBySide(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world) {
		s := &sideBySide{w: w, met: map[string]bool{}, all: make(chan struct{})}
		w.owners.mu.Lock()
		w.owners.meet = s.meet
		w.owners.mu.Unlock()
		var content strings.Builder
		for n := 1; n <= 60; n++ {
			sku := fmt.Sprintf("I-%02d", n)
			if n == 35 {
				sku = "I-05"
			}
			fmt.Fprintf(&content, "{\"sku\":%q,\"name\":\"Item %d\",\"baseUnit\":\"EA\"}\n", sku, n)
		}
		id := w.send(t, "ITEMS", "JSON", "MSG-1", content.String()).GetId()
		w.done(t, id, "APPLIED 60/0/0")
		if took, _ := w.owners.count(); took != 60 {
			t.Errorf("%d records took effect", took)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.early < 30 || !s.failed {
			t.Errorf("%d records were there when the fourth portion came; the last one failed %t", s.early, s.failed)
		}
	})
}
