package hosttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// poisoned is a probe with a mirror that refuses facts until it is cured.
type poisoned struct {
	*Suite
	*testing.T
	cured   *atomic.Bool
	log     *lines
	counter probev1.ProbeServiceClient
	admin   operationsv1.DeadLetterServiceClient
}

func onPoison(t *testing.T, run func(p *poisoned)) {
	for _, engine := range Engines {
		t.Run(engine, func(t *testing.T) {
			p := &poisoned{T: t, cured: &atomic.Bool{}, log: &lines{}}
			p.Suite = ServeWith(t, Options{Engine: engine, Log: p.log}, probeUnit(), host.Bind("mirror", settings{Most: 1}, func(cfg settings, d host.Deps) (*host.Service, error) {
				s, err := newMirror(cfg, d)
				if err == nil {
					apply := s.Consumers[0].Handle
					s.Consumers[0].Handle = func(ctx context.Context, f bus.Fact) error {
						if !p.cured.Load() {
							return fault.New(fault.Refused, "ILL", "the mirror is ill").Wrap(errors.New("canary"))
						}
						return apply(ctx, f)
					}
				}
				return s, err
			}))
			p.counter = probev1.NewProbeServiceClient(p.Client("probe", p.Caller(commonv1.Role_ROLE_LOGISTICS)))
			p.admin = operationsv1.NewDeadLetterServiceClient(p.Client("mirror", p.Caller(commonv1.Role_ROLE_TENANT_ADMIN)))
			run(p)
		})
	}
}

// lines keeps the log of a suite.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(b))
	return len(b), nil
}

// audited wants one line of the audit log that has all the words.
func (p *poisoned) audited(words ...string) {
	p.Helper()
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	found := 0
	for _, line := range p.log.all {
		if strings.Contains(line, `"msg":"audit"`) && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			found++
		}
	}
	if found != 1 {
		p.Errorf("%d lines of the audit log have %q", found, words)
	}
}

func (p *poisoned) add(name string, amount int64) {
	p.Helper()
	if _, err := p.counter.Add(p.Context(), &probev1.AddRequest{CounterId: name, Amount: amount}); err != nil {
		p.Fatal(err)
	}
}

func (p *poisoned) list(handler string) []*operationsv1.DeadLetter {
	p.Helper()
	got, err := p.admin.ListDeadLetters(p.Context(), &operationsv1.ListDeadLettersRequest{Service: "mirror", Handler: handler})
	if err != nil {
		p.Fatal(err)
	}
	return got.GetDeadLetters()
}

// letter waits until the counter has a dead letter with so many facts behind it.
func (p *poisoned) letter(name string, behind int32) (found *operationsv1.DeadLetter) {
	p.Helper()
	id := ident.Derive("cnt", p.Tenant, name)
	testkit.Eventually(p, settle, func() error {
		for _, l := range p.list("") {
			if l.GetAggregateId() != id {
				continue
			}
			got, err := p.admin.GetDeadLetter(p.Context(), &operationsv1.GetDeadLetterRequest{Service: "mirror", DeadLetterId: l.GetDeadLetterId()})
			if err != nil || got.GetDeadLetter().GetBehind() != behind {
				return fmt.Errorf("%v, %w", got, err)
			}
			found = got.GetDeadLetter()
			return nil
		}
		return fmt.Errorf("no dead letter of %s", name)
	})
	return found
}

func (p *poisoned) replay(id string) (*commonv1.Receipt, error) {
	got, err := p.admin.ReplayDeadLetter(p.Context(), &operationsv1.ReplayDeadLetterRequest{Service: "mirror", DeadLetterId: id})
	return got.GetReceipt(), err
}

func (p *poisoned) drop(id string) (*commonv1.Receipt, error) {
	got, err := p.admin.DropDeadLetter(p.Context(), &operationsv1.DropDeadLetterRequest{Service: "mirror", DeadLetterId: id})
	return got.GetReceipt(), err
}

func (p *poisoned) refused(err error, kind fault.Kind, reason string) {
	p.Helper()
	if f := p.fault(err); f.Kind != kind || f.Reason != reason {
		p.Fatalf("%v, want %s", err, reason)
	}
}

func (p *poisoned) fault(err error) *fault.Error {
	p.Helper()
	f, ok := fault.As(err)
	if !ok {
		p.Fatalf("%v is no fault", err)
	}
	return f
}

// TestDeadLettersAreShownAndReplayed: a fact that a handler refuses is told of with its reason
// and content, waits with those behind it, and takes effect in their order when asked for, once.
func TestDeadLettersAreShownAndReplayed(t *testing.T) {
	onPoison(t, func(p *poisoned) {
		p.add("bad", 5)
		p.letter("bad", 0)
		p.add("bad", 7)
		l := p.letter("bad", 1)
		if l.GetHandler() != "sum" || l.GetOwner() != "probe" || l.GetReason() != "ILL" || l.GetMessage() != "the mirror is ill" ||
			l.GetEventId() != l.GetAggregateId()+":1:0" || l.GetFactType() != "lockstep.probe.v1.Added" || l.GetAttempts() != 1 ||
			l.GetState() != operationsv1.DeadLetterState_DEAD_LETTER_STATE_PARKED || l.GetPrincipal() != "tester" ||
			l.GetFirstFailedTime() == nil || l.GetRecordedTime() == nil || l.GetCorrelationId() == "" {
			p.Errorf("the letter says %v", l)
		}
		if diff := cmp.Diff(map[string]any{"amount": "5"}, l.GetFact().AsMap()); diff != "" || len(l.GetFactData()) > 0 {
			p.Errorf("its fact (-want +got):\n%s", diff)
		}
		if got := p.list("sum"); len(got) != 1 || got[0].GetFact() != nil {
			p.Errorf("the handler's letters: %v", got)
		}
		if got := p.list("another"); len(got) != 0 {
			p.Errorf("another handler's letters: %v", got)
		}
		_, err := p.replay(l.GetDeadLetterId())
		p.refused(err, fault.Refused, "REPLAY_FAILED")
		if f := p.fault(err); f.Metadata["reason"] != "ILL" || f.Metadata["event_id"] != l.GetEventId() {
			p.Errorf("why the replay failed: %+v", f)
		}
		if again := p.letter("bad", 1); again.GetAttempts() != 2 {
			p.Errorf("after a replay that failed: %v", again)
		}
		p.cured.Store(true)
		receipt, err := p.replay(l.GetDeadLetterId())
		if err != nil || receipt.GetState() != "DEAD_LETTER_STATE_REPLAYED" || receipt.GetId() != l.GetDeadLetterId() || len(receipt.GetReasons()) != 0 {
			p.Fatal(receipt, err)
		}
		who := []string{`"action":"replay dead letter"`, p.Tenant, `"principal":"tester"`, l.GetEventId(), l.GetFactType()}
		p.audited(append(who, "REPLAY_FAILED")...)
		p.audited(append(who, "DEAD_LETTER_STATE_REPLAYED")...)
		if v := value(p.T, p.counter, "sum"); v != 12 || len(p.list("")) != 0 {
			p.Errorf("the sum is %d, letters %v", v, p.list(""))
		}
		_, err = p.replay(l.GetDeadLetterId())
		p.refused(err, fault.NotFound, "DEAD_LETTER_NOT_FOUND")
	})
}

// TestDeadLettersAreDropped: the fact that was left out stays out, those behind it go on; one
// of them that fails in its turn is told of, and does not make the drop a failure.
func TestDeadLettersAreDropped(t *testing.T) {
	onPoison(t, func(p *poisoned) {
		p.add("bad", 5)
		p.letter("bad", 0)
		p.add("bad", 7)
		first := p.letter("bad", 1)
		ctx := WithKey(p.Context(), "drop-the-first")
		req := &operationsv1.DropDeadLetterRequest{Service: "mirror", DeadLetterId: first.GetDeadLetterId()}
		trial, err := p.admin.DropDeadLetter(p.Context(), &operationsv1.DropDeadLetterRequest{Service: "mirror", DeadLetterId: first.GetDeadLetterId(), ValidateOnly: true})
		if err != nil || trial.GetReceipt().GetState() != "DEAD_LETTER_STATE_PARKED" {
			p.Fatal(trial, err)
		}
		p.letter("bad", 1) // the trial changed nothing
		got, err := p.admin.DropDeadLetter(ctx, req)
		reasons := got.GetReceipt().GetReasons()
		if err != nil || got.GetReceipt().GetState() != "DEAD_LETTER_STATE_DROPPED" || len(reasons) != 1 ||
			reasons[0].GetCode() != "ILL" || reasons[0].GetField() != first.GetAggregateId()+":2:0" {
			p.Fatal(got, err)
		}
		p.audited(`"action":"drop dead letter"`, p.Tenant, `"principal":"tester"`, first.GetEventId(), "DEAD_LETTER_STATE_DROPPED")
		var header metadata.MD
		again, err := p.admin.DropDeadLetter(ctx, req, grpc.Header(&header))
		if diff := cmp.Diff(got.String(), again.String()); diff != "" || err != nil || len(header.Get(guard.MetaReplayed)) != 1 {
			p.Errorf("the same command again: %v\n%s", err, diff)
		}
		p.cured.Store(true)
		if _, err := p.drop(p.letter("bad", 0).GetDeadLetterId()); err != nil {
			p.Fatal(err)
		}
		p.add("bad", 9)
		testkit.Eventually(p, settle, func() bool { return value(p.T, p.counter, "sum") == 9 })
	})
}

// TestDeadLettersAreTheTenants: who knows the id of another tenant's letter is answered as for
// one that nobody has, by whatever method, and nothing happens; others than admins get nothing.
func TestDeadLettersAreTheTenants(t *testing.T) {
	onPoison(t, func(p *poisoned) {
		p.add("bad", 5)
		l := p.letter("bad", 0)
		stranger := p.Caller(commonv1.Role_ROLE_TENANT_ADMIN)
		stranger.Tenant = testkit.Name("t")
		foreign := &poisoned{p.Suite, p.T, p.cured, p.log, p.counter, operationsv1.NewDeadLetterServiceClient(p.Client("mirror", stranger))}
		if got := foreign.list(""); len(got) != 0 {
			p.Errorf("a stranger is told of %v", got)
		}
		nobodys := strings.Replace(l.GetDeadLetterId(), l.GetAggregateId(), ident.Derive("cnt", "nobody"), 1)
		for name, call := range map[string]func(id string) error{
			"get": func(id string) error {
				_, err := foreign.admin.GetDeadLetter(p.Context(), &operationsv1.GetDeadLetterRequest{Service: "mirror", DeadLetterId: id})
				return err
			},
			"replay": func(id string) error { _, err := foreign.replay(id); return err },
			"drop":   func(id string) error { _, err := foreign.drop(id); return err },
		} {
			p.refused(call(l.GetDeadLetterId()), fault.NotFound, "DEAD_LETTER_NOT_FOUND")
			known, unknown := call(l.GetDeadLetterId()).Error(), call(nobodys).Error()
			if strings.ReplaceAll(known, l.GetDeadLetterId(), nobodys) != unknown {
				p.Errorf("%s: foreign %s, unknown %s", name, known, unknown)
			}
		}
		if again := p.letter("bad", 0); again.GetAttempts() != 1 {
			p.Errorf("a stranger had it tried: %v", again)
		}
		clerk := operationsv1.NewDeadLetterServiceClient(p.Client("mirror", p.Caller(commonv1.Role_ROLE_LOGISTICS)))
		_, err := clerk.ListDeadLetters(p.Context(), &operationsv1.ListDeadLettersRequest{Service: "mirror"})
		p.refused(err, fault.Denied, "METHOD_NOT_ALLOWED")
		_, err = p.admin.ListDeadLetters(p.Context(), &operationsv1.ListDeadLettersRequest{Service: "probe"})
		p.refused(err, fault.NotFound, "SERVICE_UNKNOWN")
	})
}

// TestDeadLettersArePaged: each comes once, and a token of another list is refused.
func TestDeadLettersArePaged(t *testing.T) {
	onPoison(t, func(p *poisoned) {
		for i := range 5 {
			name := fmt.Sprintf("bad-%d", i)
			p.add(name, 5)
			p.letter(name, 0)
		}
		var ids []string
		req := &operationsv1.ListDeadLettersRequest{Service: "mirror", PageSize: 2}
		for len(ids) < 100 {
			page, err := p.admin.ListDeadLetters(p.Context(), req)
			if err != nil {
				p.Fatal(err)
			}
			for _, l := range page.GetDeadLetters() {
				ids = append(ids, l.GetDeadLetterId())
			}
			if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
				break
			}
			other := &operationsv1.ListDeadLettersRequest{Service: "mirror", Handler: "sum", PageToken: req.PageToken}
			_, err = p.admin.ListDeadLetters(p.Context(), other)
			p.refused(err, fault.Invalid, "INVALID_REQUEST")
			if f := p.fault(err); len(f.Fields) != 1 || f.Fields[0].Path != "page_token" {
				p.Errorf("a token of another list: %+v", f)
			}
		}
		var want []string
		for _, l := range p.list("") {
			want = append(want, l.GetDeadLetterId())
		}
		if diff := cmp.Diff(want, ids); diff != "" || len(ids) != 5 {
			p.Errorf("pages (-whole +paged):\n%s", diff)
		}
	})
}
