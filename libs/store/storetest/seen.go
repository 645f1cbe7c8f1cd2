package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// seen: whoever has a commit from Tail reads a state that holds it, though its command is
// not answered yet. Reactors that look at the state behind a fact rely on it.
func seen(t *testing.T, open Opener) {
	db, c := opened(t, open, 1_000_000)
	const commands = 400
	ctx, stop := context.WithTimeout(t.Context(), 2*patience)
	defer stop()
	read := As(ctx, "t", "")
	done := errors.New("all seen")
	watched := make(chan error, 1)
	go func() {
		watched <- db.Tail(ctx, "", func(commit store.RawCommit) error {
			one, err := c.Get(read, commit.ID)
			if err != nil {
				return err
			}
			many, err := c.GetMany(read, []string{commit.ID})
			if err != nil {
				return err
			}
			for _, v := range append(many, one) {
				if v.ETag != etagFrom(commit.Version, v.ETag) {
					return fmt.Errorf("version %d is in Tail, and a read has %s", commit.Version, v.ETag)
				}
			}
			if commit.Version > commands {
				return done
			}
			return nil
		}, nil)
	}()
	for i := range commands {
		if _, err := c.Update(As(t.Context(), "t", fmt.Sprint("take", i)), "stk_a", Take("bob", 1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-watched; !errors.Is(err, done) {
		t.Error(err)
	}
}

// rests: a Tail that has yielded everything says so, with a position that later commits follow.
func rests(t *testing.T, open Opener) {
	db, c := opened(t, open, 10)
	take := func(key string) {
		t.Helper()
		if _, err := c.Update(As(t.Context(), "t", key), "stk_a", Take("bob", 1)); err != nil {
			t.Fatal(err)
		}
	}
	take("before")
	var seen []uint64
	var at store.Position
	note := func(rc store.RawCommit) error {
		seen = append(seen, rc.Version)
		return nil
	}
	if err := db.Tail(withTimeout(t), "", note, func(p store.Position) error {
		if at = p; len(seen) == 2 {
			return errStop
		}
		return nil
	}); !stopped(err) {
		t.Fatalf("%v were seen, and no rest: %v", seen, err)
	}
	take("after")
	if err := db.Tail(withTimeout(t), at, func(rc store.RawCommit) error {
		return errors.Join(note(rc), errStop)
	}, nil); !stopped(err) {
		t.Fatal(err)
	}
	if want := []uint64{1, 2, 3}; !slices.Equal(seen, want) {
		t.Errorf("versions %v", seen)
	}
	if err := db.Tail(withTimeout(t), at, note, func(store.Position) error { return errStop }); !stopped(err) || len(seen) != 4 {
		t.Errorf("read again from where it rested: %v, %v", seen, err)
	}
}

// blamed: commands of many people share commits, and history tells who did what.
func blamed(t *testing.T, open Opener) {
	_, c := opened(t, open, 1000)
	together(60, func(i int) {
		who := fmt.Sprint("person ", i)
		ctx := store.WithCause(t.Context(), store.Cause{Tenant: "t", Principal: who, Key: who, Fingerprint: []byte("fp")})
		if _, err := c.Update(ctx, "stk_a", func(store.Current[Stock]) (store.Decision[Fact], error) {
			return store.Decision[Fact]{Facts: []Fact{Took{who, 1}, Took{who, 1}}}, nil
		}); err != nil {
			t.Error(err)
		}
	})
	h, err := c.History(As(t.Context(), "t", ""), "stk_a", 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[uint64]bool{}
	for _, commit := range h {
		versions[commit.Version] = true
		want := []Fact{Took{commit.Principal, 1}, Took{commit.Principal, 1}}
		if diff := cmp.Diff(want, commit.Facts, sameState...); diff != "" || commit.Cause.Key != commit.Principal {
			t.Errorf("%s, key %s:\n%s", commit.Principal, commit.Cause.Key, diff)
		}
	}
	if len(h) != 60 || len(versions) == 60 {
		t.Errorf("%d commands in %d versions: 60 are wanted, some of them together", len(h), len(versions))
	}
}

// anew: what a refusal was for may be mended; the key of the refused command may then take
// effect, once.
func anew(t *testing.T, open Opener) {
	_, c := opened(t, open, 5)
	give := func(n int64) func(store.Current[Stock]) (store.Decision[Fact], error) {
		return func(store.Current[Stock]) (store.Decision[Fact], error) {
			return store.Decision[Fact]{Facts: []Fact{Took{"x", -n}}}, nil
		}
	}
	cause := store.Cause{Tenant: "t", Principal: "service:x", Key: "evt:1", Derived: true, KeyTime: time.Now()}
	take := func(again bool) (store.Receipt, error) {
		cause.Anew = again
		return c.Update(store.WithCause(t.Context(), cause), "stk_a", Take("x", 7))
	}
	for _, again := range []bool{false, false, true} {
		if _, err := take(again); !fault.IsKind(err, fault.Refused) {
			t.Fatalf("7 of 5, anew %v: %v", again, err)
		}
	}
	if _, err := c.Update(As(t.Context(), "t", "more"), "stk_a", give(10)); err != nil {
		t.Fatal(err)
	}
	if _, err := take(false); !fault.IsKind(err, fault.Refused) {
		t.Errorf("the same run again: %v", err)
	}
	if r, err := take(true); err != nil || r.Replayed {
		t.Errorf("anew: %+v, %v", r, err)
	}
	for i := range 600 { // its receipt leaves the ring
		other := store.Cause{Tenant: "t", Key: fmt.Sprint("evt:other", i), Derived: true, KeyTime: time.Now()}
		if _, err := c.Update(store.WithCause(t.Context(), other), "stk_a", give(0)); err != nil {
			t.Fatal(err)
		}
	}
	for _, again := range []bool{true, false} {
		if r, err := take(again); err != nil || !r.Replayed {
			t.Errorf("after its effect, anew %v: %+v, %v", again, r, err)
		}
	}
	if n := onHand(t, c, "stk_a"); n != 8 {
		t.Errorf("on hand %d", n)
	}
}

// etagFrom returns the etag of an aggregate that is at least at the version.
func etagFrom(version uint64, etag string) string {
	var got uint64
	if _, err := fmt.Sscan(etag, &got); err != nil || got < version {
		return fmt.Sprint(version)
	}
	return etag
}
