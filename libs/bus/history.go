package bus

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

const (
	headRow    = "head"      // in relayTable: the newest mark
	goodRow    = "good"      // in relayTable: the mark that snapshots are good to; a relay starts there
	relayTable = "bus_relay" // head, good and leases
	markTable  = "bus_marks" // one mark a minute, kept for a day
	pageFacts  = 1000        // facts in one answer
	pageBytes  = 2 << 20     // and their size
	markEvery  = 1024        // commits between marks kept in memory
	maxMarks   = 2048        // marks kept in memory
)

// history is the owner's memory of its numbering: the newest mark, marks to start reading
// at, and the facts read lately. Every replica has one; the relay keeps it fresh.
type history struct {
	service string
	feed    store.Feed
	relay   store.Rows
	minutes store.Rows
	clock   clock.Clock
	log     *slog.Logger
	recent  *recent
	scan    chan struct{} // one reading at a time: its facts serve the others
	most    time.Duration // that a reading may take
	silence time.Duration // an engine's log that yields nothing for so long has no more

	mu     sync.Mutex
	live   *mark  // newest mark of the relay in this process; nil elsewhere
	good   mark   // snapshots hold the commits up to it; known to the relay in this process
	marks  []mark // by Count, all of one generation
	loaded time.Time
	short  uint64 // newest generation of which it was told that the log does not reach the head
}

func newHistory(cfg Config) *history {
	return &history{
		service: cfg.Service, feed: cfg.DB, clock: cfg.Clock, log: cfg.Log,
		relay: cfg.DB.Table(relayTable), minutes: cfg.DB.Table(markTable),
		recent: newRecent(32 << 20), scan: make(chan struct{}, 1),
		most: cfg.Timing.Scan, silence: cfg.Timing.Stall,
	}
}

// head returns the newest mark: the relay's own in its process, the stored one elsewhere.
func (h *history) head(ctx context.Context) (mark, error) {
	h.mu.Lock()
	if h.live != nil {
		defer h.mu.Unlock()
		return h.live.clone(), nil
	}
	h.mu.Unlock()
	m, _, err := h.stored(ctx, headRow)
	return m, err
}

// goodMark returns the mark that snapshots are good to.
func (h *history) goodMark(ctx context.Context) (mark, error) {
	h.mu.Lock()
	if h.live != nil {
		defer h.mu.Unlock()
		return h.good.clone(), nil
	}
	h.mu.Unlock()
	m, _, err := h.stored(ctx, goodRow)
	return m, err
}

// stored returns a mark in the database and the version of its row, 0 when there is none.
func (h *history) stored(ctx context.Context, id string) (mark, uint64, error) {
	row, exists, err := h.relay.Get(ctx, own, id)
	if err != nil || !exists {
		return mark{}.clone(), 0, err
	}
	m, _, err := decodeMark(row.Body)
	return m, row.Version, err
}

// save stores the live mark and the one that snapshots are good to; rows only move up.
func (h *history) save(ctx context.Context) error {
	h.mu.Lock()
	live, good := h.live.clone(), h.good.clone()
	h.mu.Unlock()
	var rows []store.Row
	for id, m := range map[string]mark{headRow: live, goodRow: good} {
		body, err := m.encode(h.clock.Now())
		if err != nil {
			return err
		}
		rows = append(rows, store.Row{Tenant: own, ID: id, Version: m.rowVersion(), Body: body})
	}
	return h.relay.Put(ctx, rows...)
}

// setLive tells where the relay in this process starts; nil when it has stopped.
func (h *history) setLive(m *mark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live = m
}

// advance moves the live mark over commits that are published or given up.
func (h *history) advance(batch []relayed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range batch {
		if c.count > h.live.Count || c.count == h.live.Count && c.rests > h.live.Rests {
			c.advance(h.live)
		}
	}
}

// setGood tells up to where the snapshots hold all commits.
func (h *history) setGood(m mark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.good = m.clone()
}

// remember keeps a mark in memory, in order, thinning them out when they are too many.
func (h *history) remember(m mark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.marks) > 0 && h.marks[0].Generation != m.Generation {
		if m.Generation < h.marks[0].Generation {
			return
		}
		h.marks = nil
	}
	i := sort.Search(len(h.marks), func(i int) bool { return h.marks[i].Count >= m.Count })
	if i < len(h.marks) && h.marks[i].Count == m.Count {
		if h.marks[i].Rests < m.Rests {
			h.marks[i] = m.clone()
		}
		return
	}
	h.marks = slices.Insert(h.marks, i, m.clone())
	if len(h.marks) > maxMarks {
		kept := h.marks[:1]
		for i := 2; i < len(h.marks); i += 2 {
			kept = append(kept, h.marks[i])
		}
		h.marks = kept
	}
}

// start returns the latest mark before a number of a lane.
func (h *history) start(l lane, number uint64) (mark, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := sort.Search(len(h.marks), func(i int) bool { return h.marks[i].Numbers[l] >= number })
	if i == 0 {
		return mark{}, false
	}
	return h.marks[i-1].clone(), true
}

// forget drops the marks up to one whose position the engine has lost.
func (h *history) forget(m mark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.marks = slices.DeleteFunc(h.marks, func(o mark) bool { return o.Generation == m.Generation && o.Count <= m.Count })
}

// load reads the stored marks, at most once a minute: the relay may be elsewhere.
func (h *history) load(ctx context.Context, generation uint64) error {
	h.mu.Lock()
	fresh := clock.Elapsed(h.loaded) < time.Minute && len(h.marks) > 0 && h.marks[0].Generation == generation
	h.mu.Unlock()
	if fresh {
		return nil
	}
	after := markID(mark{Generation: generation - 1, Count: 1<<40 - 1})
	for {
		rows, err := h.minutes.List(ctx, own, "", "", after, 200)
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.ID
			m, _, err := decodeMark(row.Body)
			if err != nil {
				return err
			}
			if m.Generation == generation {
				h.remember(m)
			}
		}
		if len(rows) < 200 {
			break
		}
	}
	h.mu.Lock()
	h.loaded = clock.Monotonic()
	h.mu.Unlock()
	return nil
}

// markID sorts as marks do.
func markID(m mark) string { return fmt.Sprintf("m%07d:%013d", m.Generation, m.Count) }

// keep stores a mark for ListFacts, and removes those that are too old; the first of the
// generation stays, for engines that lose nothing.
func (h *history) keep(ctx context.Context, m mark, retention time.Duration) error {
	now := h.clock.Now()
	body, err := m.encode(now)
	if err != nil {
		return err
	}
	if err := h.minutes.Put(ctx, store.Row{Tenant: own, ID: markID(m), Version: 1 + m.Rests, Body: body}); err != nil {
		return err
	}
	h.remember(m)
	rows, err := h.minutes.List(ctx, own, "", "", "", 200)
	if err != nil {
		return err
	}
	var old []string
	for _, row := range rows {
		o, r, err := decodeMark(row.Body)
		if err != nil {
			return err
		}
		if o.Generation < m.Generation || o.Count > 0 && now.Sub(r.At) > retention {
			old = append(old, row.ID)
		}
	}
	if len(old) == 0 {
		return nil
	}
	return h.minutes.Delete(ctx, own, old...)
}
