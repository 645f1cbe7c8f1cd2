package store

import "context"

// Row is one document of a Table.
type Row struct {
	Tenant  string
	ID      string
	Version uint64              // only upwards: Put ignores a row that is not newer
	Body    []byte              // opaque to the store
	Keys    map[string][]string // index name → keys
}

// Rows is a table of small versioned documents beside the aggregates: copies of other
// services' data, projections, consumer positions, dead letters, leases. It is no truth
// of its own and can be rebuilt. DB.Table returns one.
type Rows interface {
	// Put stores each row unless the stored one has the same or a newer version. Durable on return.
	Put(ctx context.Context, rows ...Row) error
	// Swap stores the row if the stored version is expect (0: none yet); false when it is not.
	Swap(ctx context.Context, row Row, expect uint64) (bool, error)
	// Get returns a row and whether it exists, majority-committed.
	Get(ctx context.Context, tenant, id string) (Row, bool, error)
	// GetMany returns those that exist, in no order.
	GetMany(ctx context.Context, tenant string, ids []string) ([]Row, error)
	// List pages a tenant's rows whose index has the key ("" index: all), by id.
	List(ctx context.Context, tenant, index, key string, after string, limit int) ([]Row, error)
	// Due returns rows of all tenants whose key in the index is at most upTo, by key.
	Due(ctx context.Context, index, upTo string, limit int) ([]Row, error)
	// Delete removes rows; those that do not exist are no error.
	Delete(ctx context.Context, tenant string, ids ...string) error
}
