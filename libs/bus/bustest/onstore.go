package bustest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

// onStore lets the suite run on a real database.
type onStore struct {
	*store.DB
	types map[string]*store.Collection[last, store.RawFact]
	keys  atomic.Int64
}

// last is the state of the suite's aggregates: their last fact.
type last struct {
	Type string `bson:"t"`
	Data []byte `bson:"d"`
}

// OnStore registers the suite's aggregate types with a database.
func OnStore(db *store.DB) DB {
	s := &onStore{DB: db, types: map[string]*store.Collection[last, store.RawFact]{}}
	for _, name := range []string{Thing, Other} {
		s.types[name] = store.Register(db, store.Type[last, store.RawFact]{
			Name: name, Prefix: name, Fold: 1,
			Evolve: func(_ last, f store.RawFact) last { return last{f.Type, f.Data} },
			Encode: func(f store.RawFact) (string, []byte, error) { return f.Type, f.Data, nil },
			Decode: func(name string, data []byte) (store.RawFact, error) {
				return store.RawFact{Type: name, Data: data}, nil
			},
			Export: func(_ string, s last) (store.RawFact, error) { return store.RawFact{Type: s.Type, Data: s.Data}, nil },
		})
	}
	return s
}

// Commit implements DB.
func (s *onStore) Commit(ctx context.Context, aggregate, tenant, id string, facts ...store.RawFact) (uint64, error) {
	key := fmt.Sprint(s.keys.Add(1))
	ctx = store.WithCause(ctx, store.Cause{
		Tenant: tenant, Principal: "tester", Key: key, Fingerprint: []byte(key), Correlation: "the order: 1 % ü",
	})
	receipt, err := s.types[aggregate].Update(ctx, id, func(store.Current[last]) (store.Decision[store.RawFact], error) {
		return store.Decision[store.RawFact]{Facts: facts}, nil
	})
	if err != nil || len(facts) == 0 {
		return 0, err
	}
	version, _, _ := strings.Cut(receipt.ETag, ":")
	return strconv.ParseUint(version, 10, 64)
}
