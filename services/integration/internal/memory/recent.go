package memory

import (
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Recent keeps the values that were used last, of so many bytes together.
type Recent[V any] struct {
	most int64
	size func(V) int64

	mu    sync.Mutex
	bytes int64
	lru   *simplelru.LRU[string, V]
}

// NewRecent returns an empty cache of so many bytes.
func NewRecent[V any](bytes int64, size func(V) int64) *Recent[V] {
	r := &Recent[V]{most: bytes, size: size}
	lru, err := simplelru.NewLRU[string, V](math.MaxInt32, func(_ string, v V) { r.bytes -= size(v) })
	if err != nil { // only of a size below 1
		panic(err)
	}
	r.lru = lru
	return r
}

// Get returns the value under a key, if it is still there.
func (r *Recent[V]) Get(key string) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lru.Get(key)
}

// Add keeps a value; others give way. One that is larger than the cache is not kept.
func (r *Recent[V]) Add(key string, v V) {
	n := r.size(v)
	if n > r.most {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lru.Remove(key)
	for r.bytes+n > r.most {
		r.lru.RemoveOldest()
	}
	r.bytes += n
	r.lru.Add(key, v)
}
