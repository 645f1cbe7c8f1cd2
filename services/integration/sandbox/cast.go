package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// Simulator is a system around the suite.
type Simulator interface {
	// Step does what there is to do now, for all orders, and returns.
	Step(ctx context.Context) error
	// Tend does the same for one order only.
	Tend(ctx context.Context, orderID string) error
}

// Cast is the systems around one tenant. Each may have a client of its own; all keys derive
// from business keys, so a cast that is started again repeats nothing.
type Cast struct {
	ERP      *ERP
	WMS      *WMS
	TMS      *TMS
	Carriers []*Carrier

	scripts *scripts
}

// NewCast returns a cast whose carriers use a client of their own, and all other systems one:
// who entered an invoice may not resolve its dispute.
func NewCast(c, carriers *Client) *Cast {
	s := &scripts{byOrder: map[string]Scenario{}}
	cast := &Cast{
		ERP: &ERP{Client: c, Clock: clock.System{}, scripts: s}, WMS: &WMS{Client: c, scripts: s}, TMS: &TMS{Client: c}, scripts: s,
	}
	for _, scac := range []string{"NSPX", "RHFR"} {
		cast.Carriers = append(cast.Carriers, &Carrier{Client: carriers, SCAC: scac, scripts: s})
	}
	return cast
}

// Script tells the cast how to behave about the scenario's order; about others it behaves well.
func (c *Cast) Script(s Scenario) { c.scripts.put(s) }

// Simulators are the systems in the order of the goods.
func (c *Cast) Simulators() []Simulator {
	all := []Simulator{c.ERP, c.WMS, c.TMS}
	for _, carrier := range c.Carriers {
		all = append(all, carrier)
	}
	return all
}

// Step lets every system do what there is to do now.
func (c *Cast) Step(ctx context.Context) error {
	return c.each(func(s Simulator) error { return s.Step(ctx) })
}

// Tend does the same for one order only.
func (c *Cast) Tend(ctx context.Context, orderID string) error {
	return c.each(func(s Simulator) error { return s.Tend(ctx, orderID) })
}

func (c *Cast) each(do func(Simulator) error) error {
	var errs []error
	for _, s := range c.Simulators() {
		if err := do(s); err != nil {
			errs = append(errs, fmt.Errorf("%T: %w", s, err))
		}
	}
	return errors.Join(errs...)
}

// Run steps about every so often until the context ends. What a step could not do is told
// and tried again at the next.
func (c *Cast) Run(ctx context.Context, every time.Duration, trouble func(error)) {
	for wait(ctx, every) {
		if err := c.Step(ctx); err != nil && ctx.Err() == nil {
			trouble(err)
		}
	}
}

// wait waits; false when the context has ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// scripts are how to behave about orders, by order number.
type scripts struct {
	mu      sync.Mutex
	byOrder map[string]Scenario
}

func (s *scripts) put(sc Scenario) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byOrder[sc.Number] = sc
}

func (s *scripts) of(orderNumber string) Scenario {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byOrder[orderNumber]
}

func (s *scripts) all() []Scenario {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.byOrder))
}

// key makes an idempotency key of a system, what it is about, and the step.
func key(system, about string, step ...string) string {
	text := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, "sandbox:"+system+":"+about+":"+strings.Join(step, ":"))
	return text[:min(len(text), 255)]
}

// digest names a message's content in a key: another content is another command.
func digest(m proto.Message) string {
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return "x"
	}
	sum := sha256.Sum256(text)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}

// from names a system as the source of a message.
func from(system, message string) *commonv1.SourceRef {
	return &commonv1.SourceRef{System: system, MessageId: message[:min(len(message), 128)]}
}

// list reads every page of a list; add is given each and returns the token of the next.
func list[M proto.Message](ctx context.Context, c *Client, path string, query url.Values, page M, add func(M) (next string)) error {
	query.Set("page_size", "200")
	for {
		proto.Reset(page)
		if err := c.Get(ctx, path+"?"+query.Encode(), page); err != nil {
			return err
		}
		next := add(page)
		if next == "" {
			return nil
		}
		query.Set("page_token", next)
	}
}

// by is a query of one key.
func by(name, value string) url.Values { return url.Values{name: {value}} }

// refused reports whether the suite said no for one of the reasons: what a restarted system
// asks for a second time has often been done.
func refused(err error, reasons ...string) bool {
	var p *Problem
	if !errors.As(err, &p) {
		return false
	}
	for _, r := range reasons {
		if p.Code == r {
			return true
		}
	}
	return false
}

// absent reports whether the suite knows no such thing.
func absent(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Status == http.StatusNotFound
}

// short is the end of an enumeration's name, e.g. "RELEASED".
func short(e fmt.Stringer, prefix string) string { return strings.TrimPrefix(e.String(), prefix) }

// jsonOf writes a message as JSON, alike in every process: protojson's own spacing is not.
func jsonOf(m proto.Message) (string, error) {
	text, err := protojson.Marshal(m)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = json.Compact(&b, text)
	return b.String(), err
}

func itoa(n int) string { return strconv.Itoa(n) }
