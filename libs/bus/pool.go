package bus

import (
	"context"
	"sync"
	"time"
)

// key names an aggregate of the source.
type key struct{ aggregate, tenant, id string }

func (f Fact) key() key { return key{f.AggregateType, f.Tenant, f.AggregateID} }

// task is one fact to apply, or one parked aggregate to drain.
type task struct {
	key      key
	fact     Fact
	drain    bool
	attempts int           // that failed
	first    time.Time     // when the first of them failed
	failing  time.Duration // the same, since the process began
	done     func()        // called once it is applied or parked; must not block
}

// finished is what the run of a task answers when it need not run again.
const finished = time.Duration(-1)

// pool runs tasks: those of one aggregate one after another in order, those of several
// at once. A task that has to wait before it runs again holds up its aggregate only, and
// no worker.
type pool struct {
	workers  int
	together int // how many tasks of an aggregate a run may be given; 0 is one
	run      func(context.Context, []*task) (done int, again time.Duration)

	mu      sync.Mutex
	ctx     context.Context // of runs; ends at reset
	cancel  context.CancelFunc
	queues  map[key]*queue
	ready   []*queue
	active  int           // workers
	quiet   chan struct{} // closed when active falls to 0 after a reset
	waiting int           // queues that wait before they run again
	closed  bool          // a reset is going on: tasks are dropped
}

type queue struct {
	tasks   []*task
	timer   *time.Timer // runs again then; nil when not waiting
	dropped bool
}

func newPool(workers, together int, run func(context.Context, []*task) (int, time.Duration)) *pool {
	p := &pool{workers: workers, together: together, run: run}
	p.fresh()
	return p
}

func (p *pool) fresh() {
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.queues, p.ready, p.waiting, p.closed = map[key]*queue{}, nil, 0, false
}

func (p *pool) submit(t *task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if q, ok := p.queues[t.key]; ok {
		q.tasks = append(q.tasks, t)
		return
	}
	q := &queue{tasks: []*task{t}}
	p.queues[t.key] = q
	p.wake(q)
}

// wake makes a queue ready, with a worker for it if there is room.
func (p *pool) wake(q *queue) {
	p.ready = append(p.ready, q)
	if p.active < p.workers {
		p.active++
		go p.work()
	}
}

// work runs ready queues, each in turn, until there is none. A run that does not finish the
// first of its tasks says when to try it again.
func (p *pool) work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.ready) > 0 {
		q := p.ready[0]
		p.ready = p.ready[1:]
		n := min(len(q.tasks), max(1, p.together))
		tasks, ctx := q.tasks[:n:n], p.ctx
		p.mu.Unlock()
		done, again := p.run(ctx, tasks)
		p.mu.Lock()
		if q.dropped {
			continue
		}
		q.tasks = q.tasks[done:]
		switch {
		case again != finished:
			p.waiting++
			q.timer = time.AfterFunc(again, func() { p.resume(q) })
		case len(q.tasks) > 0:
			p.ready = append(p.ready, q)
		default:
			delete(p.queues, tasks[0].key)
		}
		for _, t := range tasks[:done] {
			t.done()
		}
	}
	p.active--
	if p.active == 0 && p.quiet != nil {
		close(p.quiet)
		p.quiet = nil
	}
}

func (p *pool) resume(q *queue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q.dropped {
		return
	}
	q.timer = nil
	p.waiting--
	p.wake(q)
}

// held returns how many aggregates wait before they are tried again.
func (p *pool) held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting
}

// reset drops every task that does not run, and waits for those that do: for grace as they
// are, then with their context ended. Done is not called for tasks that are dropped.
func (p *pool) reset(grace time.Duration) {
	p.mu.Lock()
	p.closed = true
	for _, q := range p.queues {
		q.dropped = true
		if q.timer != nil {
			q.timer.Stop()
		}
	}
	p.ready = nil
	cancel, quiet := p.cancel, make(chan struct{})
	if p.active == 0 {
		close(quiet)
	} else {
		p.quiet = quiet
	}
	p.mu.Unlock()
	timer := time.AfterFunc(grace, cancel)
	<-quiet
	timer.Stop()
	cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fresh()
}
