package bus

import "time"

// maxHeld bounds the facts of a lane that wait for one before them.
const maxHeld = 1024

// arrival is a fact with where the stream had it; a fact from its owner has no place there.
type arrival struct {
	fact    Fact
	stream  int64  // creation time of the stream, ns since 1970: sequences of another mean nothing
	seq     uint64 // sequence in it
	skipped bool   // not for this consumer: counts as done at once
}

// inflow is one lane at a consumer: facts may arrive twice, late or not at all, and leave
// once each, in the order of their numbers.
type inflow struct {
	next     uint64             // last number that left
	recorded time.Time          // of its fact; zero when that is not known
	open     map[uint64]arrival // left and not done
	held     map[uint64]arrival // arrived before their turn
	head     uint64             // newest number known to exist
	target   uint64             // numbers up to it are fetched, not awaited
	moved    time.Time          // when next last changed
	ahead    time.Time          // when head, which was not above next, rose above it
	gap      time.Time          // when the first of held came; zero when there is no gap
	above    time.Time          // since when the owner says a head below was; zero when it says next
	was      uint64             // next at that time
}

func newInflow(next uint64, now time.Time) *inflow {
	return &inflow{next: next, open: map[uint64]arrival{}, held: map[uint64]arrival{}, moved: now}
}

// rise tells that a number exists.
func (l *inflow) rise(head uint64, now time.Time) {
	if l.head <= l.next && head > l.next {
		l.ahead = now
	}
	l.head = max(l.head, head)
}

// offer takes a fact and returns those whose turn has come, in order. It reports whether
// the fact is one that came before.
func (l *inflow) offer(a arrival, now time.Time) (ready []arrival, duplicate bool) {
	n := a.fact.Number
	_, held := l.held[n]
	switch {
	case n <= l.next || held:
		return nil, true
	case !l.turn(n):
		if len(l.held) < maxHeld {
			l.held[n] = a
		}
		l.rise(n, now)
		if l.gap.IsZero() {
			l.gap = now
		}
		return nil, false
	}
	for {
		ready = append(ready, a)
		l.next, l.recorded = a.fact.Number, a.fact.Recorded
		if !a.skipped {
			l.open[l.next] = a
		}
		var ok bool
		if a, ok = l.held[l.next+1]; !ok {
			break
		}
		delete(l.held, l.next+1)
	}
	l.head, l.moved, l.gap = max(l.head, l.next), now, time.Time{}
	if len(l.held) > 0 {
		l.gap = now
	}
	return ready, false
}

// done tells that the effects of a number are there.
func (l *inflow) done(n uint64) { delete(l.open, n) }

// late tells what to fetch from the owner: facts that others overtook a while ago, and those
// of a lane that stands still below its head, though the stream was read to its end since.
func (l *inflow) late(now, emptied time.Time, reorder, stall time.Duration) {
	if !l.gap.IsZero() && now.Sub(l.gap) >= reorder {
		for n := range l.held {
			l.target = max(l.target, n-1)
		}
	}
	if l.head > l.next && emptied.Sub(l.moved) >= stall && emptied.Sub(l.ahead) >= stall {
		l.target = l.head
	}
}

// lost tells that what is missing up to a number does not come any more.
func (l *inflow) lost(head uint64) {
	if head > l.next {
		l.target = max(l.target, head)
	}
}

// below tells for how long the owner has said a head below what it must have said before: what
// left when it first was below that, for under load what it says is always a moment old.
func (l *inflow) below(head uint64, now time.Time) time.Duration {
	if head >= l.next {
		l.above = time.Time{}
		return 0
	}
	if l.above.IsZero() || head >= l.was {
		l.above, l.was = now, l.next
	}
	return now.Sub(l.above)
}

// wanted returns the numbers to fetch now, up to the next one that is here already.
func (l *inflow) wanted() (from, to uint64, ok bool) {
	from, to = l.next+1, l.target
	for n := range l.held {
		to = min(to, n-1)
	}
	return from, to, from <= to
}
