package bus

import "sync"

// place names one number in a lane of the current generation.
type place struct {
	lane
	number uint64
}

// recent keeps the facts that were numbered or read lately, so that a consumer that asks
// for what it just missed costs no reading. Oldest out first, bounded in bytes.
type recent struct {
	mu         sync.Mutex
	generation uint64
	facts      map[place]Fact
	order      []place
	bytes      int
	max        int
}

func newRecent(maxBytes int) *recent { return &recent{facts: map[place]Fact{}, max: maxBytes} }

func (r *recent) add(facts []Fact) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range facts {
		if f.Generation != r.generation {
			r.generation, r.bytes, r.order = f.Generation, 0, nil
			clear(r.facts)
		}
		p := place{f.lane(), f.Number}
		if _, ok := r.facts[p]; ok {
			continue
		}
		r.facts[p] = f
		r.order = append(r.order, p)
		r.bytes += f.size()
	}
	for r.bytes > r.max && len(r.order) > 0 {
		r.bytes -= r.facts[r.order[0]].size()
		delete(r.facts, r.order[0])
		r.order = r.order[1:]
	}
}

// run returns the facts of a lane from a number on, without a hole, at most up to another
// and at most maxBytes.
func (r *recent) run(generation uint64, l lane, from, to uint64, maxBytes int) []Fact {
	r.mu.Lock()
	defer r.mu.Unlock()
	if generation != r.generation {
		return nil
	}
	var out []Fact
	for n, bytes := from, 0; n <= to && bytes < maxBytes; n++ {
		f, ok := r.facts[place{l, n}]
		if !ok {
			break
		}
		out = append(out, f)
		bytes += f.size()
	}
	return out
}
