package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

func redisOn(t testing.TB, url string) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	opts.Protocol, opts.ContextTimeoutEnabled, opts.MaxRetries = 2, true, -1
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = time.Minute, time.Minute, time.Minute, time.Minute
	c := redis.NewClient(opts)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// patient has time limits that a loaded machine does not reach.
func patient(c redis.UniversalClient) *Answers {
	return &Answers{Redis: c, Timeout: time.Minute, Wait: time.Minute}
}

func caused(ctx context.Context, tenant, principal, key string) context.Context {
	ctx = metadata.NewIncomingContext(ctx, metadata.Pairs(MetaKey, key))
	ctx = WithCaller(ctx, Caller{Tenant: tenant, Principal: principal, Systems: []string{"erp"}})
	return store.WithCause(ctx, store.Cause{Tenant: tenant, Principal: principal})
}

var addInfo = &grpc.UnaryServerInfo{FullMethod: probev1.ProbeService_Add_FullMethodName}

func add(ctx context.Context, i *Idempotency, req *probev1.AddRequest, handle func(context.Context) (*probev1.AddResponse, error)) (*probev1.AddResponse, error) {
	resp, err := i.Unary(ctx, req, addInfo, func(ctx context.Context, _ any) (any, error) { return handle(ctx) })
	if err != nil {
		return nil, err
	}
	return resp.(*probev1.AddResponse), nil
}

func TestParallelIdenticalCommandsRunOnce(t *testing.T) {
	i := &Idempotency{Rules: probeRules(t), Answers: patient(redisOn(t, testkit.Redis(t)))}
	tenant := testkit.Name("t")
	var runs atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			req := &probev1.AddRequest{CounterId: "c", Amount: 1}
			resp, err := add(caused(t.Context(), tenant, "ada", "same-key-1"), i, req, func(context.Context) (*probev1.AddResponse, error) {
				return &probev1.AddResponse{Receipt: &commonv1.Receipt{Id: "c", Etag: fmt.Sprint(runs.Add(1))}}, nil
			})
			if err == nil && resp.GetReceipt().GetEtag() != "1" {
				t.Errorf("answer %v", resp)
			}
			if err != nil && !fault.IsKind(err, fault.InProgress) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := runs.Load(); n != 1 {
		t.Fatalf("%d runs", n)
	}
}

func TestKeysAreScoped(t *testing.T) {
	i := &Idempotency{Rules: probeRules(t), Answers: patient(redisOn(t, testkit.Redis(t)))}
	runs := 0
	handle := func(context.Context) (*probev1.AddResponse, error) {
		runs++
		return &probev1.AddResponse{}, nil
	}
	tenant := testkit.Name("t")
	req := func(amount int64) *probev1.AddRequest { return &probev1.AddRequest{CounterId: "c", Amount: amount} }
	for n, who := range [][2]string{{tenant, "ada"}, {tenant, "bob"}, {tenant + "x", "ada"}} {
		if _, err := add(caused(t.Context(), who[0], who[1], "key-of-mine"), i, req(1), handle); err != nil || runs != n+1 {
			t.Fatalf("%v: %v after %d runs", who, err, runs)
		}
	}
	if _, err := add(caused(t.Context(), tenant, "ada", "key-of-mine"), i, req(2), handle); !fault.IsKind(err, fault.KeyReused) {
		t.Errorf("another body: %v", err)
	}
	if _, err := add(caused(t.Context(), tenant, "ada", "key-of-mine"), i, req(1), handle); err != nil || runs != 3 {
		t.Errorf("the same again: %v after %d runs", err, runs)
	}
}

// TestALockProvesNoReuse: a key that another request is being worked on under is not refused as
// used: that request may come to nothing.
func TestALockProvesNoReuse(t *testing.T) {
	i := &Idempotency{Rules: probeRules(t), Answers: patient(redisOn(t, testkit.Redis(t)))}
	tenant := testkit.Name("t")
	call := func(amount int64, handle func(context.Context) (*probev1.AddResponse, error)) error {
		_, err := add(caused(t.Context(), tenant, "ada", "key-of-mine"), i, &probev1.AddRequest{CounterId: "c", Amount: amount}, handle)
		return err
	}
	began, end := make(chan struct{}), make(chan struct{})
	var first sync.WaitGroup
	first.Go(func() {
		if err := call(1, func(context.Context) (*probev1.AddResponse, error) {
			close(began)
			<-end
			return nil, fault.New(fault.Unavailable, "GONE", "came to nothing")
		}); !fault.IsKind(err, fault.Unavailable) {
			t.Errorf("the first: %v", err)
		}
	})
	<-began
	var second sync.WaitGroup
	second.Go(func() {
		if err := call(2, func(context.Context) (*probev1.AddResponse, error) { return &probev1.AddResponse{}, nil }); err != nil {
			t.Errorf("the second: %v", err)
		}
	})
	close(end)
	first.Wait()
	second.Wait()
	if err := call(1, nil); !fault.IsKind(err, fault.KeyReused) {
		t.Errorf("the first again: %v", err)
	}
}

func TestWithoutRedisTheStoreDecides(t *testing.T) {
	server := testkit.StartRedis(t)
	c := redisOn(t, server.URL())
	const hangs = 300 * time.Millisecond
	i := &Idempotency{Rules: probeRules(t), Answers: &Answers{Redis: c, Timeout: time.Minute}}
	runs := 0
	call := func() {
		t.Helper()
		if _, err := add(caused(t.Context(), "t1", "ada", "key-of-mine"), i, &probev1.AddRequest{}, func(ctx context.Context) (*probev1.AddResponse, error) {
			if cause := store.CauseOf(ctx); cause.Key != "key-of-mine" || len(cause.Fingerprint) == 0 {
				t.Errorf("cause %+v", cause)
			}
			runs++
			return &probev1.AddResponse{}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	call()
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	call()
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	i.Answers.Timeout = hangs
	quickest := time.Hour
	for range 50 {
		start := time.Now()
		call()
		quickest = min(quickest, time.Since(start))
	}
	if quickest >= hangs {
		t.Errorf("the quickest of 50 calls took %v while Redis hung: the breaker did not open", quickest)
	}
	server.Kill()
	call()
	if runs != 53 {
		t.Fatalf("%d runs: somebody else than the store decided", runs)
	}
}

func TestFailuresLeaveNoAnswerAndNoLock(t *testing.T) {
	i := &Idempotency{Rules: probeRules(t), Answers: patient(redisOn(t, testkit.Redis(t)))}
	ctx := caused(t.Context(), testkit.Name("t"), "ada", "key-of-mine")
	req := &probev1.AddRequest{CounterId: "c"}
	for _, failure := range []error{
		fault.New(fault.Refused, "NO", "no"), fault.New(fault.Unavailable, "GONE", "gone"), errors.New("defect"),
	} {
		if _, err := add(ctx, i, req, func(context.Context) (*probev1.AddResponse, error) { return nil, failure }); !errors.Is(err, failure) {
			t.Fatalf("got %v, want %v", err, failure)
		}
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = add(ctx, i, req, func(context.Context) (*probev1.AddResponse, error) { panic("defect") })
	}()
	i.Answers.Wait = time.Millisecond // less than the first look after a lock that is held
	if _, err := add(ctx, i, req, func(context.Context) (*probev1.AddResponse, error) { return &probev1.AddResponse{}, nil }); err != nil {
		t.Fatalf("a lock was left behind: %v", err)
	}
}

func TestSecondCallerWaitsThenIsToldToComeBack(t *testing.T) {
	a := patient(redisOn(t, testkit.Redis(t)))
	a.Wait = 50 * time.Millisecond
	i := &Idempotency{Rules: probeRules(t), Answers: a}
	ctx := caused(t.Context(), testkit.Name("t"), "ada", "key-of-mine")
	req := &probev1.AddRequest{CounterId: "c"}
	_, err := add(ctx, i, req, func(context.Context) (*probev1.AddResponse, error) {
		_, err := add(ctx, i, req, func(context.Context) (*probev1.AddResponse, error) {
			t.Error("ran beside the first")
			return nil, nil
		})
		if f, ok := fault.As(err); !ok || f.Kind != fault.InProgress || f.RetryAfter == 0 {
			t.Errorf("second caller: %v", err)
		}
		return &probev1.AddResponse{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeyForm(t *testing.T) {
	i := &Idempotency{Rules: probeRules(t)}
	for key, ok := range map[string]bool{
		"": false, "1234567": false, "12345678": true, strings.Repeat("k", 255): true, strings.Repeat("k", 256): false,
		"has space": false, "tab\tinside": false, "bell\ainside": false, "größer-als": false, `!"#$%&'()*+~`: true,
	} {
		_, err := add(caused(t.Context(), "t1", "ada", key), i, &probev1.AddRequest{}, func(context.Context) (*probev1.AddResponse, error) { return &probev1.AddResponse{}, nil })
		if f, is := fault.As(err); (err == nil) != ok || is && f.Reason != "IDEMPOTENCY_KEY_REQUIRED" {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func TestCauseFromRequestAndHeaders(t *testing.T) {
	i := &Idempotency{Rules: probeRules(t)}
	run := func(req *probev1.AddRequest, header string) (store.Cause, error) {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(MetaKey, "key-of-mine", MetaIfMatch, header))
		ctx = store.WithCause(WithCaller(ctx, Caller{Tenant: "t1", Principal: "ada", Systems: []string{"erp"}}), store.Cause{Tenant: "t1", Principal: "ada"})
		var seen store.Cause
		_, err := add(ctx, i, req, func(ctx context.Context) (*probev1.AddResponse, error) {
			seen = store.CauseOf(ctx)
			return &probev1.AddResponse{}, nil
		})
		return seen, err
	}
	byHeader, err1 := run(&probev1.AddRequest{ValidateOnly: true, Source: &commonv1.SourceRef{System: "erp", MessageId: "m1"}}, "7")
	byField, err2 := run(&probev1.AddRequest{ValidateOnly: true, Source: &commonv1.SourceRef{System: "erp", MessageId: "m1"}, Etag: "7"}, "")
	if err1 != nil || err2 != nil || byHeader.IfMatch != "7" || !byHeader.Validate || byHeader.Source.MessageID != "m1" {
		t.Fatalf("%+v, %v, %v", byHeader, err1, err2)
	}
	if string(byHeader.Fingerprint) != string(byField.Fingerprint) {
		t.Error("If-Match as a header and as a field are two commands")
	}
	if _, err := run(&probev1.AddRequest{Etag: "8"}, "7"); !fault.IsKind(err, fault.Invalid) {
		t.Errorf("two etags: %v", err)
	}
	if _, err := run(&probev1.AddRequest{Source: &commonv1.SourceRef{System: "wms"}}, ""); reason(err) != "SOURCE_NOT_ALLOWED" {
		t.Errorf("a foreign source: %v", err)
	}
}

func TestForeignSourceInsideABatchIsRefused(t *testing.T) {
	i := &Idempotency{Rules: probeRules(t)}
	req := &probev1.BatchAddRequest{Items: []*probev1.AddRequest{{}, {Source: &commonv1.SourceRef{System: "wms"}}}}
	_, err := i.Unary(caused(t.Context(), "t1", "ada", "key-of-mine"), req, &grpc.UnaryServerInfo{FullMethod: probev1.ProbeService_BatchAdd_FullMethodName},
		func(context.Context, any) (any, error) { return nil, nil })
	if reason(err) != "SOURCE_NOT_ALLOWED" {
		t.Fatal(err)
	}
}

func reason(err error) string {
	f, _ := fault.As(err)
	if f == nil {
		return ""
	}
	return f.Reason
}

// TestFingerprint holds that equal requests and only those have equal fingerprints, in
// whatever order their bytes come.
func TestFingerprint(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) *probev1.AddRequest {
		return &probev1.AddRequest{
			CounterId: rapid.StringN(0, 3, 8).Draw(t, "id"), Amount: rapid.Int64Range(-2, 2).Draw(t, "amount"),
			Padding: rapid.String().Draw(t, "padding"), ValidateOnly: rapid.Bool().Draw(t, "validate"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		fa, err1 := Fingerprint("/m", "t1", a)
		fb, err2 := Fingerprint("/m", "t1", b)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if proto.Equal(a, b) != (string(fa) == string(fb)) {
			t.Fatalf("%v and %v", a, b)
		}
		for _, other := range [][2]string{{"/n", "t1"}, {"/m", "t2"}} {
			if f, _ := Fingerprint(other[0], other[1], a); string(f) == string(fa) {
				t.Fatalf("method or tenant is not part of it: %v", other)
			}
		}
	})
}

// TestFingerprintIsStable holds the value that stored receipts were made with.
func TestFingerprintIsStable(t *testing.T) {
	f, err := Fingerprint("/lockstep.probe.v1.ProbeService/Add", "t1", &probev1.AddRequest{CounterId: "c", Amount: 9007199254740993, Padding: "ü<\u2028"})
	if err != nil {
		t.Fatal(err)
	}
	const want = "76313a20e8a10accbd8960b76011bc8d409b6d0b02a46f079970b8b3fe7c267e0b412a" // "v1:" and the hash
	if got := fmt.Sprintf("%x", f); got != want {
		t.Fatalf("fingerprint is %s: receipts of earlier releases no longer match", got)
	}
}

func BenchmarkFingerprint(b *testing.B) {
	req := &probev1.BatchAddRequest{}
	for range 3 {
		req.Items = append(req.Items, &probev1.AddRequest{CounterId: "counter-1", Amount: 17, Padding: "a text of some length", Etag: "12"})
	}
	for b.Loop() {
		if _, err := Fingerprint("/m", "t1", req); err != nil {
			b.Fatal(err)
		}
	}
}
