package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

// seen: whoever has a commit from Tail reads a state that holds it, though its command is
// not answered yet. Reactors that look at the state behind a fact rely on it.
func seen(t *testing.T, open Opener) {
	db, c := opened(t, open, 1_000_000)
	const commands = 400
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
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
		})
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

// etagFrom returns the etag of an aggregate that is at least at the version.
func etagFrom(version uint64, etag string) string {
	var got uint64
	if _, err := fmt.Sscan(etag, &got); err != nil || got < version {
		return fmt.Sprint(version)
	}
	return etag
}
