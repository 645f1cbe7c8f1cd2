//go:build faults

package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// TestDiskFull: without space, commands are refused in a way that says to come back, or are
// taken for good; when there is space again all goes on. A store without space turns readiness
// off, until it takes a write again; a bus without it does not.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		disk := testkit.SmallDisk(t, "64m")
		f, err := fleet.NewWhole(programs, filepath.Join(disk.Dir, "suite"), nil)
		r := begin(t, ended(t, f, err), "")
		exited := r.Processes[fleet.Whole].Exited()
		r.full(t, disk, true, func() {})
		select {
		case <-exited:
			t.Error("the process has ended")
		default:
		}
	})
	t.Run("mongod", func(t *testing.T) {
		t.Parallel()
		disk := testkit.SmallDisk(t, "400m")
		nodes, err := testkit.LaunchReplicaSet(disk.Dir, 1, "--wiredTigerCacheSizeGB", "0.25")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nodes[0].Kill)
		r := begin(t, whole(t, &fleet.Servers{
			Mongo: nodes[0].URI(), Prefix: "full_", NATS: testkit.StartNATS(t).URL(), Redis: testkit.StartRedis(t).URL(),
		}), "")
		r.full(t, disk, true, func() {
			lived := true
			testkit.Eventually(t, eventually, func() error {
				if !nodes[0].Listens() { // it does not go on after a write that found no space
					lived = false
					nodes[0].Kill()
					nodes[0].Restart(t)
				}
				return nodes[0].Write(t.Context())
			})
			t.Logf("mongod has lived through it: %t", lived)
		})
	})
	t.Run("JetStream", func(t *testing.T) {
		t.Parallel()
		mongo, disk := testkit.Mongo(t), testkit.SmallDisk(t, "16m")
		nats := testkit.StartNATSIn(t, disk.Dir)
		r := begin(t, whole(t, &fleet.Servers{
			Mongo: mongo, Prefix: testkit.Database(t, mongo) + "_", NATS: nats.URL(), Redis: testkit.StartRedis(t).URL(),
		}), "")
		r.full(t, disk, false, func() {
			if on := nats.JetStreamEnabled(); !on {
				t.Log("JetStream has switched itself off")
			}
		})
	})
	t.Run("log", func(t *testing.T) {
		t.Parallel()
		disk := testkit.SmallDisk(t, "1m")
		f := whole(t, nil)
		p := f.Processes[fleet.Whole]
		p.Log, p.Env = filepath.Join(disk.Dir, "log"), append(p.Env, "LOCKSTEP_LOG__LEVEL=debug")
		r := begin(t, f, "")
		exited := p.Exited()
		disk.Fill(t)
		full := size(t, p.Log)
		r.settle(t, r.load(t))
		if err := r.readiness(t.Context(), http.StatusOK, ""); err != nil {
			t.Error(err)
		}
		select {
		case <-exited:
			t.Error("the process has ended")
		default:
		}
		page := int64(os.Getpagesize()) // what was left of it could be written
		end := (full + page - 1) / page * page
		if now := size(t, p.Log); full == 0 || now != end {
			t.Errorf("the log had %d bytes and has %d, not %d: it was never full", full, now, end)
		}
		disk.Free(t)
		testkit.Eventually(t, eventually, func() error { // it is written again
			if now := size(t, p.Log); now <= end {
				_, err := r.order(t.Context(), testkit.Name("SO"), 1)
				return fmt.Errorf("the log has %d bytes still (%w)", now, err)
			}
			return nil
		})
	})
}

// size is how long a file is.
func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// enough refusals: each may take as long as an operation of the store.
const enough = 3

// full fills the disk, submits orders until enough are refused, or not if none should be, gives
// the space back and wants every order once that was acknowledged, and others taken.
func (r *rig) full(t *testing.T, disk testkit.Disk, refuses bool, again func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*eventually)
	defer cancel()
	disk.Fill(t)
	told, tried, refused := map[string]string{}, 0, 0
	for begin := time.Now(); refused < enough && tried < opening/2 && (refuses && time.Since(begin) < eventually || time.Since(begin) < 3*time.Second); tried++ {
		number := fmt.Sprintf("FULL-%d", tried)
		id, err := r.once(ctx, number)
		var p *rest.Problem
		switch {
		case err == nil:
			told[number] = id
		case errors.As(err, &p) && (p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests):
			refused++
		default:
			t.Fatalf("%s on a full disk: %v", number, err)
		}
	}
	if refuses != (refused > 0) {
		t.Errorf("%d of %d orders were refused on a full disk", refused, tried)
	}
	t.Logf("on a full disk %d orders were taken and %d refused", len(told), refused)
	if refuses {
		testkit.Eventually(t, eventually, func() error { return r.readiness(ctx, http.StatusServiceUnavailable, "STORE_NOT_WRITABLE") })
	} else if err := r.readiness(ctx, http.StatusOK, ""); err != nil {
		t.Error(err)
	}
	disk.Free(t)
	again()
	testkit.Eventually(t, eventually, func() error { return r.readiness(ctx, http.StatusOK, "") })
	r.decided(ctx, t, r.load(t), "FULL", tried, told)
}

// readiness is an error unless the probe answers with a status and says a word.
func (r *rig) readiness(ctx context.Context, status int, word string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Admin(fleet.Whole)+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read whole below
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || !strings.Contains(string(body), word) {
		return fmt.Errorf("ready: %s %s, want %d %s (%w)", resp.Status, body, status, word, err)
	}
	return nil
}

// decided sends orders prefix-0 to prefix-(n-1), of a piece each, again, some of which were told
// an id before, and wants all that there are once, with others beside them.
func (r *rig) decided(ctx context.Context, t *testing.T, ids map[string]int, prefix string, n int, told map[string]string) {
	t.Helper()
	for i := range n {
		number := fmt.Sprintf("%s-%d", prefix, i)
		id, err := r.order(ctx, number, 1)
		if err != nil || told[number] != "" && told[number] != id {
			t.Fatalf("%s was acknowledged as %q and is %q, %v", number, told[number], id, err)
		}
		ids[id] = 1
	}
	if len(ids) != n+workers*ordersByWorker {
		t.Errorf("%d orders are there", len(ids))
	}
	sum := 0
	for id, pieces := range ids {
		sum += pieces
		testkit.Eventually(t, eventually, func() error { return r.allocated(ctx, id) })
	}
	r.booked(ctx, t, 0, sum)
}

// once submits an order of one piece without trying again.
func (r *rig) once(ctx context.Context, number string) (string, error) {
	ctx = metadata.AppendToOutgoingContext(ctx, guard.MetaKey, "submit-"+number)
	conn := &rest.Conn{Base: r.URL, Token: r.AdminToken, HTTP: r.api.HTTP}
	resp, err := orderreleasev1.NewOrderReleaseServiceClient(conn).SubmitOrder(ctx, &orderreleasev1.SubmitOrderRequest{Order: document(number, 1)})
	return resp.GetReceipt().GetId(), err
}
