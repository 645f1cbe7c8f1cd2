package campaign

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// natsNode draws a nats-server; the leader of a stream when one says who that is.
func (n *nemesis) natsNode(ctx context.Context) *testkit.NATSNode {
	node := n.NATS[n.random.IntN(len(n.NATS))]
	leader := n.leader(ctx, n.service())
	for _, s := range n.NATS {
		if s.Name() == leader {
			node = s
		}
	}
	return node
}

// stream asks for a service's stream.
func (n *nemesis) stream(ctx context.Context, service string, do func(jetstream.Stream) error) error {
	var urls []string
	for _, s := range n.NATS {
		urls = append(urls, s.URL)
	}
	nc, err := nats.Connect(strings.Join(urls, ","), nats.Timeout(2*time.Second))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	s, err := js.Stream(ctx, "EVT_"+service)
	if err != nil {
		return err
	}
	return do(s)
}

// leader is the server that leads a service's stream, "" when nobody says.
func (n *nemesis) leader(ctx context.Context, service string) (name string) {
	_ = n.stream(ctx, service, func(s jetstream.Stream) error { // then any server will do
		if info := s.CachedInfo(); info.Cluster != nil {
			name = info.Cluster.Leader
		}
		return nil
	})
	return name
}

func killNATS(ctx context.Context, n *nemesis) (string, error) {
	s := n.natsNode(ctx)
	s.Kill()
	err := n.rest(ctx, n.span(time.Second, 8*time.Second))
	return s.Name(), errors.Join(err, s.Again(false))
}

func wipeNATS(ctx context.Context, n *nemesis) (string, error) {
	s := n.natsNode(ctx)
	s.Kill()
	err := n.rest(ctx, n.span(0, 4*time.Second))
	return s.Name(), errors.Join(err, s.Again(true))
}

func wipeAllNATS(ctx context.Context, n *nemesis) (string, error) {
	for _, s := range n.NATS {
		s.Kill()
	}
	err := n.rest(ctx, n.span(0, 6*time.Second))
	for _, s := range n.NATS {
		err = errors.Join(err, s.Again(true))
	}
	return "all", err
}

// cutTail puts every server's files back to what they were some seconds before: what was
// acknowledged meanwhile is gone, and what comes next takes its place.
func cutTail(ctx context.Context, n *nemesis) (string, error) {
	for _, s := range n.NATS {
		if err := s.Pause(); err != nil {
			return "", err
		}
	}
	var err error
	for _, s := range n.NATS {
		err = errors.Join(err, os.RemoveAll(s.Dir+".old"), exec.CommandContext(ctx, "cp", "-a", s.Dir, s.Dir+".old").Run())
	}
	for _, s := range n.NATS {
		err = errors.Join(err, s.Resume())
	}
	if err != nil {
		return "", err
	}
	d := n.span(2*time.Second, 6*time.Second)
	if err := n.rest(ctx, d); err != nil {
		return "", err
	}
	for _, s := range n.NATS {
		s.Kill()
	}
	for _, s := range n.NATS {
		err = errors.Join(err, os.RemoveAll(s.Dir), os.Rename(s.Dir+".old", s.Dir), s.Again(false))
	}
	return fmt.Sprintf("%.1f s of all streams", d.Seconds()), err
}

func deleteConsumers(ctx context.Context, n *nemesis) (string, error) {
	service, deleted := n.service(), 0
	err := n.stream(ctx, service, func(s jetstream.Stream) error {
		names := s.ConsumerNames(ctx)
		var all []string
		for name := range names.Name() {
			all = append(all, name)
		}
		err := names.Err()
		for _, name := range all {
			gone := s.DeleteConsumer(ctx, name)
			if gone == nil {
				deleted++
			}
			err = errors.Join(err, gone)
		}
		return err
	})
	if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) {
		err = nil // the stream is not well yet: there is nothing to delete
	}
	what := fmt.Sprintf("%d of %s", deleted, service)
	if deleted == 0 {
		return what, missed(err)
	}
	return what, err
}

func flushRedis(ctx context.Context, n *nemesis) (string, error) {
	opts, err := redis.ParseURL(n.Redis.URL())
	if err != nil {
		return "", err
	}
	opts.Protocol = 2
	c := redis.NewClient(opts)
	times := 1 + n.random.IntN(5)
	for range times {
		err = errors.Join(err, c.FlushAll(ctx).Err(), n.rest(ctx, 200*time.Millisecond))
	}
	return fmt.Sprintf("%d times", times), errors.Join(err, c.Close())
}

func killRedis(ctx context.Context, n *nemesis) (string, error) {
	n.Redis.Kill()
	return "", errors.Join(n.rest(ctx, n.span(0, 5*time.Second)), n.Redis.Again())
}

func pauseRedis(ctx context.Context, n *nemesis) (string, error) {
	if err := n.Redis.Pause(); err != nil {
		return "", err
	}
	d := n.span(time.Second, 6*time.Second)
	return fmt.Sprintf("for %.1f s", d.Seconds()), errors.Join(n.rest(ctx, d), n.Redis.Resume())
}

// relayRows is the collection of a relay's marks and leases.
const relayRows = "rows_bus_relay"

// relayHolder is the process that relays a service's facts, nil when none of ours does.
func (n *nemesis) relayHolder(ctx context.Context, service string) (name string, err error) {
	var row struct {
		Body []byte `bson:"b"`
	}
	if err := n.database(service).Collection(relayRows).FindOne(ctx, bson.D{{Key: "_id", Value: "_bus/lease:relay"}}).Decode(&row); err != nil {
		return "", err
	}
	var lease struct {
		Owner string `json:"o"`
	}
	if err := json.Unmarshal(row.Body, &lease); err != nil {
		return "", err
	}
	parts := strings.Split(lease.Owner, ".") // <host>.<process id>.<random>
	if len(parts) < 3 {
		return "", nil
	}
	pid, err := strconv.Atoi(parts[len(parts)-2])
	for _, name := range n.processes(service) {
		if err == nil && n.Processes[name].PID() == pid {
			return name, nil
		}
	}
	return "", err
}

// pauseRelay stops the holder of a relay's lease; another takes over, and when the holder
// wakes there are two for a moment.
func pauseRelay(ctx context.Context, n *nemesis) (string, error) {
	service := n.service()
	name, err := n.relayHolder(ctx, service)
	if err != nil || name == "" {
		return "nobody relays " + service, missed(err)
	}
	if err := n.Processes[name].Pause(); err != nil {
		return name, err
	}
	return name, errors.Join(n.rest(ctx, time.Minute), n.Processes[name].Resume())
}

// losePosition makes the place in MongoDB's log at which a relay would go on one that the
// server does not know, as after a day without it, while no replica of the service runs.
func losePosition(ctx context.Context, n *nemesis) (string, error) {
	service := busy[n.random.IntN(len(busy))]
	names := n.processes(service)
	slices.Sort(names)
	for _, name := range names {
		n.Processes[name].Kill()
	}
	if _, err := n.primary(ctx); err != nil {
		return service, err
	}
	token, err := n.mislaid(ctx, service)
	for _, id := range []string{"_bus/head", "_bus/good"} {
		if err == nil {
			err = n.setPosition(ctx, service, id, token)
		}
	}
	for _, name := range names {
		err = errors.Join(err, n.again(ctx, name, n.Bin))
	}
	return service, err
}

// mislaid is the position of an entry that a service's log does not have: of the first commit,
// but with the id of another document.
func (n *nemesis) mislaid(ctx context.Context, service string) (token []byte, err error) {
	var begin struct {
		Position string `bson:"p"`
	}
	if err := n.database(service).Collection("records").FindOne(ctx, bson.D{{Key: "_id", Value: "begin"}}).Decode(&begin); err != nil {
		return nil, err
	}
	from, err := base64.RawURLEncoding.DecodeString(begin.Position)
	if err != nil {
		return nil, err
	}
	log, err := n.database(service).Collection("commits").Watch(ctx, bson.A{}, options.ChangeStream().SetStartAfter(bson.Raw(from)))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close(ctx)) }()
	if !log.Next(ctx) {
		return nil, fmt.Errorf("%s has no commit: %w", service, log.Err())
	}
	entry, _ := log.Current.Lookup("_id", "_data").StringValueOK()
	return mislaid(entry)
}

// mislaid makes an entry's token one that the server does not find. It is hex and ends with the
// id of the document, tenant/aggregate/version: the server looks for an entry with that id.
func mislaid(entry string) ([]byte, error) {
	const zeros, nines = "30303030", "39393939" // of the ten digits of the version
	at := strings.LastIndex(entry, zeros)
	if at < 0 {
		return nil, fmt.Errorf("%q has no version", entry)
	}
	token, err := bson.Marshal(bson.D{{Key: "_data", Value: entry[:at] + nines + entry[at+len(zeros):]}})
	return []byte(base64.RawURLEncoding.EncodeToString(token)), err
}

// setPosition replaces the position of a mark.
func (n *nemesis) setPosition(ctx context.Context, service, id string, position []byte) error {
	rows := n.database(service).Collection(relayRows)
	var row struct {
		Body []byte `bson:"b"`
	}
	if err := rows.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&row); err != nil {
		return err
	}
	mark := map[string]json.RawMessage{}
	err := json.Unmarshal(row.Body, &mark)
	if err != nil {
		return err
	}
	if mark["p"], err = json.Marshal(position); err != nil {
		return err
	}
	body, err := json.Marshal(mark)
	if err != nil {
		return err
	}
	_, err = rows.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$set", Value: bson.D{{Key: "b", Value: body}}}})
	return err
}

// rollingRestart replaces every process of the suite in order by one of the programs in bin.
func (n *nemesis) rollingRestart(ctx context.Context, bin string, only func(name string) bool) error {
	var names []string
	for name := range n.Processes {
		if only(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if err := n.replace(ctx, name, bin); err != nil {
			return err
		}
	}
	return nil
}

// previous builds the programs of the commit before this one into a folder; "" when there is none.
func previous(ctx context.Context, root, dir string) (string, error) {
	tree, bin := filepath.Join(dir, "previous"), filepath.Join(dir, "previous-bin")
	if err := exec.CommandContext(ctx, "git", "-C", root, "rev-parse", "--verify", "--quiet", "HEAD~1").Run(); err != nil {
		return "", nil // a shallow clone, or the first commit
	}
	if out, err := exec.CommandContext(ctx, "git", "-C", root, "worktree", "add", "--detach", tree, "HEAD~1").CombinedOutput(); err != nil {
		return "", fmt.Errorf("git worktree: %w\n%s", err, out)
	}
	err := Programs(ctx, tree, bin, crashPoints)
	if out, gone := exec.CommandContext(context.WithoutCancel(ctx), "git", "-C", root, "worktree", "remove", "--force", tree).CombinedOutput(); gone != nil {
		err = errors.Join(err, fmt.Errorf("git worktree: %w\n%s", gone, out))
	}
	return bin, err
}
